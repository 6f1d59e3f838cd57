//! Counts a call among the work in flight until its response is sent, so that a server that stops waits for it and its
//! connection does not count as idle.

use std::pin::Pin;
use std::task::{Context, Poll};

use http::{Request, Response};
use http_body::{Body, Frame, SizeHint};
use tower::{Layer, Service};

use super::BoxFuture;
use crate::process::shutdown::{InFlightGuard, Shutdown};
use crate::server::activity::{ActiveCall, Activity};

#[derive(Clone, Debug)]
pub(crate) struct InFlightLayer {
    shutdown: Shutdown,
}

impl InFlightLayer {
    pub(super) fn new(shutdown: Shutdown) -> Self {
        Self { shutdown }
    }
}

impl<S> Layer<S> for InFlightLayer {
    type Service = InFlight<S>;

    fn layer(&self, inner: S) -> InFlight<S> {
        InFlight { inner, shutdown: self.shutdown.clone() }
    }
}

/// Hands the [`Shutdown`] on to the handlers, too.
#[derive(Clone, Debug)]
pub(crate) struct InFlight<S> {
    inner: S,
    shutdown: Shutdown,
}

impl<S, I, O> Service<Request<I>> for InFlight<S>
where
    S: Service<Request<I>, Response = Response<O>>,
    S::Future: Send + 'static,
{
    type Response = Response<InFlightBody<O>>;
    type Error = S::Error;
    type Future = BoxFuture<Result<Self::Response, S::Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<I>) -> Self::Future {
        let connection = request.extensions().get::<Activity>().map(Activity::begin_call);
        let guard = (self.shutdown.calls.token(), connection);
        request.extensions_mut().insert(self.shutdown.clone());
        let response = self.inner.call(request);
        Box::pin(async move { Ok(response.await?.map(|inner| InFlightBody { inner, guard: Some(guard) })) })
    }
}

/// A body whose call is in flight until it ends or is dropped.
pub(crate) struct InFlightBody<B> {
    // Dropped before `guard`: the call is logged first.
    inner: B,
    guard: Option<(InFlightGuard, Option<ActiveCall>)>,
}

impl<B: Body + Unpin> Body for InFlightBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let polled = Pin::new(&mut self.inner).poll_frame(cx);
        if let Poll::Ready(None) = polled {
            self.guard = None;
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
