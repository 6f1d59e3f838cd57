//! One event a call in the log: method, code, duration, peer; never metadata or bodies.

use std::time::Instant;

use http::HeaderMap;
use tonic::Code;
use tracing::Span;

use crate::call::peer::Peer;
use crate::process::shutdown::Hold;

/// The services whose calls may be frequent and tell little.
const QUIET: [&str; 2] = ["/grpc.health.v1.Health/", "/grpc.reflection."];

/// One call from its beginning to the end of its answer. When it is dropped, it is logged and no longer in flight.
#[derive(Debug)]
pub(super) struct Call {
    method: Box<str>,
    peer: Option<Peer>,
    begun: Instant,
    code: Option<Code>,
    span: Span,
    _hold: Hold,
}

impl Call {
    pub(super) fn begin(path: &str, peer: Option<Peer>, span: Span, hold: Hold) -> Self {
        let method = if is_method(path) { path } else { "unknown" };
        Self { method: method.into(), peer, begun: Instant::now(), code: None, span, _hold: hold }
    }

    /// Takes the code from an answer's headers or trailers, where there is one.
    pub(super) fn answered(&mut self, headers: &HeaderMap) {
        if let Some(code) = headers.get("grpc-status") {
            self.code = Some(Code::from_bytes(code.as_bytes()));
        }
    }

    /// Whether the call is to one of the services that every gRPC server has, of which some stream without end.
    pub(super) fn is_standard(&self) -> bool {
        QUIET.iter().any(|prefix| self.method.starts_with(prefix))
    }

    /// The event's span.
    pub(super) fn span(&self) -> &Span {
        &self.span
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        let _entered = self.span.enter();
        // Without a status the caller went away before there was one.
        let code = name(self.code.unwrap_or(Code::Cancelled));
        let method = &*self.method;
        let duration_us = u64::try_from(self.begun.elapsed().as_micros()).unwrap_or(u64::MAX);
        let peer = self.peer.map(|peer| tracing::field::display(peer.address));
        if self.is_standard() {
            tracing::debug!(method, code, duration_us, peer, "call");
        } else {
            tracing::info!(method, code, duration_us, peer, "call");
        }
    }
}

/// Whether `path` is that of a method of ours. Others are not logged: a path is the caller's text.
fn is_method(path: &str) -> bool {
    let mut parts = path.split('/');
    let (Some(""), Some(service), Some(method), None) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
        return false;
    };
    let alphabetic = |text: &str| (1..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphabetic());
    match service.strip_prefix("secretsapi.v1.") {
        Some(service) => alphabetic(service) && alphabetic(method),
        None => QUIET.iter().any(|prefix| path.starts_with(prefix)) && alphabetic(method),
    }
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
    fn only_a_path_that_can_be_a_method_is_logged() {
        for path in [
            "/secretsapi.v1.SecretService/CreateSecret",
            "/grpc.health.v1.Health/Check",
            "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
        ] {
            assert!(is_method(path), "{path}");
        }
        for path in [
            "/",
            "*",
            "",
            "/hunter2",
            "/secretsapi.v1.SecretService",
            "/secretsapi.v1.SecretService/",
            "/secretsapi.v1.SecretService/sper_0123",
            "/secretsapi.v1.sper_0123/CreateSecret",
            "/secretsapi.v1.SecretService/Create/Secret",
            "/hunter.Two/Method",
            "/grpc.health.v1.Health/hunter2",
        ] {
            assert!(!is_method(path), "{path}");
        }
    }
}
