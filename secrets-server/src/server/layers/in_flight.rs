//! Counts a call among the work in flight until its response is sent, so that a server that stops waits for it.

use std::pin::Pin;
use std::task::{Context, Poll};

use http::{Request, Response};
use http_body::{Body, Frame, SizeHint};
use tower::{Layer, Service};

use super::BoxFuture;
use crate::process::shutdown::{Hold, Signal};

#[derive(Clone, Debug)]
pub(crate) struct InFlightLayer {
    signal: Signal,
}

impl InFlightLayer {
    pub(super) fn new(signal: Signal) -> Self {
        Self { signal }
    }
}

impl<S> Layer<S> for InFlightLayer {
    type Service = InFlight<S>;

    fn layer(&self, inner: S) -> InFlight<S> {
        InFlight { inner, signal: self.signal.clone() }
    }
}

/// Hands the signal on to the handlers, too.
#[derive(Clone, Debug)]
pub(crate) struct InFlight<S> {
    inner: S,
    signal: Signal,
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
        let hold = self.signal.hold();
        request.extensions_mut().insert(self.signal.clone());
        let response = self.inner.call(request);
        Box::pin(async move { Ok(response.await?.map(|inner| InFlightBody { inner, hold: Some(hold) })) })
    }
}

/// A body whose call is in flight until it ends or is dropped.
pub(crate) struct InFlightBody<B> {
    // Dropped before `hold`: the call is logged first.
    inner: B,
    hold: Option<Hold>,
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
            self.hold = None;
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
