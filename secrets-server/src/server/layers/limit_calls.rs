//! Limits how much of the server one caller may take, once the caller is known and before the body is read.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::{HeaderMap, Request, Response};
use http_body::{Frame, SizeHint};
use secrets_proto::Method;
use tonic::body::Body;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;
use tower::{Layer, Service};

use super::{BoxFuture, Bytes};
use crate::admission::Admission;
use crate::auth::{Authenticated, Authenticator};
use crate::call::permit::CallPermit;
use crate::error::Reason;

#[derive(Clone)]
pub(crate) struct LimitCallsLayer {
    admission: Arc<Admission>,
    authenticator: Arc<Authenticator>,
}

impl LimitCallsLayer {
    /// The `authenticator` counts what is refused.
    pub(super) fn new(admission: Arc<Admission>, authenticator: Arc<Authenticator>) -> Self {
        Self { admission, authenticator }
    }
}

impl<S> Layer<S> for LimitCallsLayer {
    type Service = LimitCalls<S>;

    fn layer(&self, inner: S) -> LimitCalls<S> {
        LimitCalls { inner, layer: self.clone() }
    }
}

/// Hands the [`CallPermit`] on to the handlers: work that outlives its call keeps it.
#[derive(Clone)]
pub(crate) struct LimitCalls<S> {
    inner: S,
    layer: LimitCallsLayer,
}

impl<S> Service<Request<Body>> for LimitCalls<S>
where
    S: Service<Request<Body>, Response = Response<Body>>,
    S::Error: Send + 'static,
    S::Future: Send + 'static,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = BoxFuture<Result<Self::Response, S::Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let method = Method::from_path(request.uri().path());
        let Some((method, authenticated)) = method.zip(request.extensions().get::<Authenticated>().cloned()) else {
            // Health and reflection, which need no credential and have limits of their own.
            return Box::pin(self.inner.call(request));
        };
        let authenticator = Arc::clone(&self.layer.authenticator);
        let permit = match self.layer.admission.admit(&authenticated.consumer(), method) {
            Ok(slot) => CallPermit::new(slot),
            Err(error) => {
                let refused = Status::from(error).into_http();
                count(&authenticator, &authenticated, refused.headers());
                return Box::pin(std::future::ready(Ok(refused)));
            }
        };
        request.extensions_mut().insert(permit.clone());
        let response = self.inner.call(request);
        Box::pin(async move {
            let response = response.await?;
            count(&authenticator, &authenticated, response.headers());
            // An open stream has a slot of its own. Any other response is held in memory until it is sent.
            let permit = (!method.is_server_streaming()).then_some(permit);
            Ok(response.map(|inner| Body::new(PermittedBody { inner, permit, authenticator, authenticated })))
        })
    }
}

/// Counts a call that a limit refused, here or later.
fn count(authenticator: &Authenticator, authenticated: &Authenticated, headers: &HeaderMap) {
    let code = headers.get("grpc-status").map(|code| Code::from_bytes(code.as_bytes()));
    if code != Some(Code::ResourceExhausted) {
        return;
    }
    let details = Status::from_header_map(headers).map(|status| status.get_error_details());
    let info = details.as_ref().and_then(|details| details.error_info());
    if let Some(info) = info.filter(|info| info.reason == Reason::RateLimited.as_str()) {
        authenticator.count_refused(authenticated, info.metadata.get("limit").map_or("", String::as_str));
    }
}

/// A body whose call is under way until it ends or is dropped.
struct PermittedBody {
    inner: Body,
    permit: Option<CallPermit>,
    authenticator: Arc<Authenticator>,
    authenticated: Authenticated,
}

impl http_body::Body for PermittedBody {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let polled = Pin::new(&mut self.inner).poll_frame(cx);
        match &polled {
            Poll::Ready(Some(Ok(frame))) => {
                if let Some(trailers) = frame.trailers_ref() {
                    count(&self.authenticator, &self.authenticated, trailers);
                }
            }
            Poll::Ready(None) => self.permit = None,
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
