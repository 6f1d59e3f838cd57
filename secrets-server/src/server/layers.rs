//! What every call needs, written once: one layer a file, around all services of a listener.
//!
//! A handler finds in its request's extensions the [`Authenticated`](crate::auth::Authenticated), the [`RequestId`](crate::call::request_id::RequestId), the
//! [`Peer`](crate::call::peer::Peer), the [`CallPermit`](crate::call::permit::CallPermit) and the [`Shutdown`]: a stream awaits it, and
//! work that outlives its call keeps an [`InFlightGuard`](crate::process::shutdown::InFlightGuard) of it, and the permit.
//!
//! To add one: a file with a [`tower::Layer`], and its place in [`LayerState::layers`]. It wraps the response's body only when it has to
//! do with what comes after the response's beginning.

mod access_log;
mod authenticate;
mod catch_panic;
mod deadline;
mod end_on_stop;
mod grpc_only;
mod in_flight;
mod limit_calls;
mod limit_code_attempts;
mod limit_reflection;
mod request_id;
mod request_message;

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tonic::Status;
use tonic::body::Body;

use self::access_log::AccessLogLayer;
use self::authenticate::AuthenticateLayer;
use self::catch_panic::CatchPanicLayer;
use self::deadline::DeadlineLayer;
use self::grpc_only::GrpcOnlyLayer;
use self::in_flight::InFlightLayer;
use self::limit_calls::LimitCallsLayer;
use self::limit_code_attempts::{CodeAttempts, LimitCodeAttemptsLayer};
use self::request_id::RequestIdLayer;
use self::request_message::RequestMessageLayer;
use crate::admission::Admission;
use crate::auth::Authenticator;
use crate::config::Limits;
use crate::process::shutdown::Shutdown;
use crate::server::request_budget::RequestBudget;

pub(super) use self::end_on_stop::EndOnStopLayer;
pub(super) use self::limit_reflection::LimitReflectionLayer;

/// The layers around all services, the outermost first.
pub(super) type Layers = (
    InFlightLayer,
    RequestIdLayer,
    AccessLogLayer,
    GrpcOnlyLayer,
    DeadlineLayer,
    CatchPanicLayer,
    LimitCodeAttemptsLayer,
    AuthenticateLayer,
    LimitCallsLayer,
    RequestMessageLayer,
);

/// What the layers of all listeners share.
pub(super) struct LayerState {
    shutdown: Shutdown,
    authenticator: Arc<Authenticator>,
    code_attempts: Arc<CodeAttempts>,
    admission: Arc<Admission>,
    request_budget: RequestBudget,
    request_time: Duration,
}

impl LayerState {
    pub(super) fn new(shutdown: Shutdown, authenticator: Arc<Authenticator>, limits: &Limits) -> Self {
        let code_attempts = Arc::new(CodeAttempts::new(limits.code_attempts_per_minute));
        let request_budget = RequestBudget::new(limits.pending_request_bytes());
        let admission = Arc::new(Admission::new(&limits.admission, authenticator.pauses()));
        Self { shutdown, authenticator, code_attempts, admission, request_budget, request_time: limits.request_time }
    }

    /// A call is in flight until it is logged, whatever became of it is logged under its request id, and the log has the
    /// status of a call that took too long or panicked. Nothing of a body is read before its caller is known and within their
    /// limits.
    pub(super) fn layers(&self) -> Layers {
        (
            InFlightLayer::new(self.shutdown.clone()),
            RequestIdLayer,
            AccessLogLayer,
            GrpcOnlyLayer,
            DeadlineLayer,
            CatchPanicLayer,
            LimitCodeAttemptsLayer::new(Arc::clone(&self.code_attempts)),
            AuthenticateLayer::new(Arc::clone(&self.authenticator)),
            LimitCallsLayer::new(Arc::clone(&self.admission), Arc::clone(&self.authenticator)),
            RequestMessageLayer::new(self.request_budget.clone(), self.request_time),
        )
    }
}

/// The future of a layer's service.
pub(super) type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// The inner service that was found ready, for a future that calls it later; another takes its place.
fn ready_clone<S: Clone>(inner: &mut S) -> S {
    let another = inner.clone();
    std::mem::replace(inner, another)
}

/// A piece of a body.
type Bytes = <Body as http_body::Body>::Data;

/// The end of a stream that ends early with `status`.
fn trailers(status: &Status) -> Option<http_body::Frame<Bytes>> {
    let mut trailers = http::HeaderMap::new();
    status.add_header(&mut trailers).ok()?;
    Some(http_body::Frame::trailers(trailers))
}

#[cfg(test)]
mod tests;
