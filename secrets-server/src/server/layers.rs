//! What every call needs, once, around all services: a request id and a span, a deadline, panics turned into
//! `INTERNAL`, an access-log event, and a place among the work in flight.
//!
//! A handler finds in its request's extensions [`RequestId`], [`Peer`] and [`Signal`]: a stream awaits it,
//! and work that outlives its call holds it.

mod access_log;
mod body;
mod catch_panic;
mod deadline;

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::{Request, Response};
use tonic::Status;
use tonic::body::Body;
use tower::{Layer, Service};
use tracing::Instrument;

use self::access_log::Call;
use self::body::CallBody;
use crate::call::peer::Peer;
use crate::call::request_id::{self, RequestId};
use crate::process::shutdown::Signal;

/// The layer around all services of a listener.
#[derive(Clone, Debug)]
pub(crate) struct CallLayer {
    signal: Signal,
}

impl CallLayer {
    /// Calls count among the work in flight that `signal` keeps.
    pub(crate) fn new(signal: Signal) -> Self {
        Self { signal }
    }
}

impl<S> Layer<S> for CallLayer {
    type Service = CallService<S>;

    fn layer(&self, inner: S) -> CallService<S> {
        CallService { inner, signal: self.signal.clone() }
    }
}

/// A service in [`CallLayer`].
#[derive(Clone, Debug)]
pub(crate) struct CallService<S> {
    inner: S,
    signal: Signal,
}

impl<S> Service<Request<Body>> for CallService<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    type Response = Response<CallBody>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let request_id = RequestId::of(request.headers());
        let peer = request.extensions().get::<Peer>().copied();
        let limit = deadline::of(request.headers());
        let span = tracing::info_span!("call", request_id = request_id.as_str());
        let mut call = Call::begin(request.uri().path(), peer, span.clone(), self.signal.hold());
        request.extensions_mut().insert(request_id.clone());
        request.extensions_mut().insert(self.signal.clone());

        // The service that is ready is used up, and its clone takes its place.
        let clone = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, clone);
        let signal = self.signal.clone();
        let answered = async move {
            let handled = catch_panic::caught(async move { inner.call(request).await });
            let mut response = match deadline::within(limit, handled).await {
                Ok(Ok(Ok(response))) => response,
                Ok(Err(catch_panic::Panicked)) => catch_panic::status().into_http(),
                Err(deadline::Exceeded) => deadline::status().into_http(),
            };
            call.answered(response.headers());
            response.headers_mut().insert(request_id::HEADER, request_id.header_value());
            Ok(response.map(|body| CallBody::new(body, call, &signal)))
        };
        Box::pin(answered.instrument(span))
    }
}

/// An answer that is a status alone, for streams that end early.
fn trailers_of(status: &Status) -> Option<http::HeaderMap> {
    let mut trailers = http::HeaderMap::new();
    status.add_header(&mut trailers).ok()?;
    Some(trailers)
}

#[cfg(test)]
mod tests;
