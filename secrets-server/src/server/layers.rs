//! What every call needs, written once: one layer a file, around all services of a listener.
//!
//! A handler finds in its request's extensions the [`RequestId`](crate::call::request_id::RequestId), the
//! [`Peer`](crate::call::peer::Peer) and the [`Shutdown`]: a stream awaits it, and work that outlives its call keeps an
//! [`InFlightGuard`](crate::process::shutdown::InFlightGuard) of it.
//!
//! To add one: a file with a [`tower::Layer`], and its place in [`layers`]. It wraps the response's body only when it has to
//! do with what comes after the response's beginning.

mod access_log;
mod catch_panic;
mod deadline;
mod end_on_stop;
mod in_flight;
mod request_id;

use std::pin::Pin;

use tonic::Status;
use tonic::body::Body;

use self::access_log::AccessLogLayer;
use self::catch_panic::CatchPanicLayer;
use self::deadline::DeadlineLayer;
use self::in_flight::InFlightLayer;
use self::request_id::RequestIdLayer;
use crate::process::shutdown::Shutdown;

pub(super) use self::end_on_stop::EndOnStopLayer;

/// The layers around all services, the outermost first.
pub(super) type Layers = (InFlightLayer, RequestIdLayer, AccessLogLayer, DeadlineLayer, CatchPanicLayer);

/// A call is in flight until it is logged, whatever became of it is logged under its request id, and the log has the status
/// of a call that took too long or panicked.
pub(super) fn layers(shutdown: &Shutdown) -> Layers {
    (InFlightLayer::new(shutdown.clone()), RequestIdLayer, AccessLogLayer, DeadlineLayer, CatchPanicLayer)
}

/// The future of a layer's service.
type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

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
