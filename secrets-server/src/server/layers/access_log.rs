//! One event a call in the log: method, code and reason, duration, who called and from where; never metadata or bodies.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use http::{HeaderMap, Request, Response};
use http_body::{Body, Frame, SizeHint};
use secrets_proto::Method;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;
use tower::{Layer, Service};
use tracing::Span;

use super::BoxFuture;
use crate::call::logged_caller::LoggedCaller;
use crate::call::peer::Peer;

/// The methods that every gRPC server has. Calls of them may be frequent and tell little.
const STANDARD_METHODS: [&str; 5] = [
    "grpc.health.v1.Health/Check",
    "grpc.health.v1.Health/List",
    "grpc.health.v1.Health/Watch",
    "grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
    "grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
];

#[derive(Clone, Copy, Debug)]
pub(crate) struct AccessLogLayer;

impl<S> Layer<S> for AccessLogLayer {
    type Service = AccessLog<S>;

    fn layer(&self, inner: S) -> AccessLog<S> {
        AccessLog { inner }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct AccessLog<S> {
    inner: S,
}

impl<S, I, O> Service<Request<I>> for AccessLog<S>
where
    S: Service<Request<I>, Response = Response<O>>,
    S::Future: Send + 'static,
{
    type Response = Response<LoggedBody<O>>;
    type Error = S::Error;
    type Future = BoxFuture<Result<Self::Response, S::Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<I>) -> Self::Future {
        let caller = LoggedCaller::default();
        request.extensions_mut().insert(caller.clone());
        let mut entry = Entry::new(request.uri().path(), request.extensions().get().copied(), caller);
        let response = self.inner.call(request);
        Box::pin(async move {
            let response = response.await?;
            entry.read_status(response.headers());
            Ok(response.map(|inner| LoggedBody { inner, entry: Some(entry) }))
        })
    }
}

/// A body that sees its call's status in the trailers. The call is logged when the body ends, or is dropped.
pub(crate) struct LoggedBody<B> {
    inner: B,
    entry: Option<Entry>,
}

impl<B: Body + Unpin> Body for LoggedBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let polled = Pin::new(&mut self.inner).poll_frame(cx);
        match &polled {
            Poll::Ready(Some(Ok(frame))) => {
                if let (Some(entry), Some(trailers)) = (&mut self.entry, frame.trailers_ref()) {
                    entry.read_status(trailers);
                }
            }
            Poll::Ready(None) => self.entry = None,
            _ => {}
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// What is logged of one call, when this is dropped.
#[derive(Debug)]
struct Entry {
    method: &'static str,
    peer: Option<Peer>,
    caller: LoggedCaller,
    start: Instant,
    code: Option<Code>,
    /// Why it was refused, in the words of the interface.
    reason: Option<String>,
    span: Span,
}

impl Entry {
    fn new(path: &str, peer: Option<Peer>, caller: LoggedCaller) -> Self {
        let (method, span) = (method(path), Span::current());
        Self { method, peer, caller, start: Instant::now(), code: None, reason: None, span }
    }

    /// Takes the code from a response's headers or trailers, where there is one, and of a refusal the reason.
    fn read_status(&mut self, headers: &HeaderMap) {
        if let Some(code) = headers.get("grpc-status") {
            let code = Code::from_bytes(code.as_bytes());
            self.code = Some(code);
            self.reason = if code == Code::Ok { None } else { reason(headers) };
        }
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let _entered = self.span.enter();
        // Without a status the caller went away before there was one.
        let code = name(self.code.unwrap_or(Code::Cancelled));
        let method = self.method;
        let duration_us = u64::try_from(self.start.elapsed().as_micros()).unwrap_or(u64::MAX);
        let peer = self.peer.map(|peer| tracing::field::display(peer.address));
        let (reason, principal) = (self.reason.as_deref(), self.caller.name());
        if STANDARD_METHODS.contains(&method) {
            tracing::debug!(method, code, reason, duration_us, principal, peer, "call");
        } else {
            tracing::info!(method, code, reason, duration_us, principal, peer, "call");
        }
    }
}

fn reason(headers: &HeaderMap) -> Option<String> {
    Some(Status::from_header_map(headers)?.get_error_details().error_info()?.reason.clone())
}

/// The method's full name. Of a path that is no method of this server nothing is logged: it is the caller's text.
fn method(path: &str) -> &'static str {
    let standard = || STANDARD_METHODS.into_iter().find(|method| path.strip_prefix('/') == Some(*method));
    Method::from_path(path).map(Method::as_str).or_else(standard).unwrap_or("unknown")
}

/// The code as the gRPC documentation writes it.
fn name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_method_is_logged() {
        for path in [
            "/secretsapi.v1.SecretService/CreateSecret",
            "/grpc.health.v1.Health/Check",
            "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
        ] {
            assert_eq!(format!("/{}", method(path)), path);
        }
        for path in [
            "/",
            "*",
            "",
            "/hunter2",
            "/secretsapi.v1.SecretService",
            "/secretsapi.v1.SecretService/",
            "/secretsapi.v1.SecretService/sper_0123",
            "/secretsapi.v1.SecretService/NoMethod",
            "/secretsapi.v1.sper_0123/CreateSecret",
            "/secretsapi.v1.SecretService/Create/Secret",
            "/hunter.Two/Method",
            "/grpc.health.v1.Health/hunter2",
        ] {
            assert_eq!(method(path), "unknown", "{path}");
        }
    }
}
