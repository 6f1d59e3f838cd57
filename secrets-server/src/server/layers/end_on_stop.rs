//! Ends the streams of services that know of no stop. It is laid around those alone, not around ours, whose handlers await
//! the request to stop themselves.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::{Request, Response};
use http_body::{Frame, SizeHint};
use tonic::Status;
use tonic::body::Body;
use tower::{Layer, Service};

use super::{BoxFuture, Bytes, trailers};
use crate::process::shutdown::Shutdown;

#[derive(Clone, Debug)]
pub(crate) struct EndOnStopLayer {
    shutdown: Shutdown,
}

impl EndOnStopLayer {
    pub(crate) fn new(shutdown: Shutdown) -> Self {
        Self { shutdown }
    }
}

impl<S> Layer<S> for EndOnStopLayer {
    type Service = EndOnStop<S>;

    fn layer(&self, inner: S) -> EndOnStop<S> {
        EndOnStop { inner, shutdown: self.shutdown.clone() }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct EndOnStop<S> {
    inner: S,
    shutdown: Shutdown,
}

impl<S> Service<Request<Body>> for EndOnStop<S>
where
    S: Service<Request<Body>, Response = Response<Body>>,
    S::Future: Send + 'static,
{
    type Response = Response<EndingBody>;
    type Error = S::Error;
    type Future = BoxFuture<Result<Self::Response, S::Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let response = self.inner.call(request);
        let shutdown = self.shutdown.clone();
        Box::pin(async move {
            let stopped = Box::pin(shutdown.requested.clone().cancelled_owned());
            Ok(response.await?.map(|inner| EndingBody { inner, stopped: Some(stopped) }))
        })
    }
}

/// A body that ends when the server is asked to stop.
pub(crate) struct EndingBody {
    inner: Body,
    stopped: Option<BoxFuture<()>>,
}

impl http_body::Body for EndingBody {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        // What was still to be sent goes first: a health watcher hears of NOT_SERVING before its stream ends.
        if let Poll::Ready(frame) = Pin::new(&mut self.inner).poll_frame(cx) {
            return Poll::Ready(frame);
        }
        let Some(stopped) = &mut self.stopped else { return Poll::Pending };
        ready!(stopped.as_mut().poll(cx));
        self.inner = Body::empty();
        self.stopped = None;
        Poll::Ready(trailers(&Status::unavailable("the server is stopping")).map(Ok))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
