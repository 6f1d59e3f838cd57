//! Bounds a reflection stream, which needs no credential: small messages, few streams, and an end when nobody asks anything.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use http::{Request, Response};
use http_body::Frame;
use tokio::time::{Instant, Sleep, sleep};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use tonic::Status;
use tonic::body::Body;
use tower::{Layer, Service};

use super::request_message::PrefixReader;
use super::{BoxFuture, Bytes, trailers};
use crate::error::{Error, Reason};
use crate::server::anonymous_streams::{AnonymousStreamPermit, AnonymousStreams};
use crate::server::limits::MAX_ANONYMOUS_REQUEST_BYTES;

#[derive(Clone, Debug)]
pub(crate) struct LimitReflectionLayer {
    streams: AnonymousStreams,
    silence: Duration,
}

impl LimitReflectionLayer {
    /// A stream ends after a `silence`.
    pub(crate) fn new(streams: AnonymousStreams, silence: Duration) -> Self {
        Self { streams, silence }
    }
}

impl<S> Layer<S> for LimitReflectionLayer {
    type Service = LimitReflection<S>;

    fn layer(&self, inner: S) -> LimitReflection<S> {
        LimitReflection { inner, limits: self.clone() }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct LimitReflection<S> {
    inner: S,
    limits: LimitReflectionLayer,
}

impl<S> Service<Request<Body>> for LimitReflection<S>
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

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let permit = match self.limits.streams.permit(request.extensions()) {
            Ok(permit) => permit,
            Err(error) => return Box::pin(std::future::ready(Ok(Status::from(error).into_http()))),
        };
        let (ending, silence) = (Ending::default(), self.limits.silence);
        let questions = ending.clone();
        let response = self.inner.call(request.map(|body| Body::new(Questions::new(body, questions))));
        Box::pin(async move {
            let answers = |body| Body::new(Answers::new(body, ending, silence, permit));
            Ok(response.await?.map(answers))
        })
    }
}

/// The end of a stream, which its two directions share.
#[derive(Clone, Debug, Default)]
struct Ending {
    token: CancellationToken,
    error: Arc<Mutex<Option<Error>>>,
}

impl Ending {
    fn end(&self, error: Error) {
        *self.error.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
        self.token.cancel();
    }

    fn trailers(&self) -> Option<Frame<Bytes>> {
        trailers(&self.error.lock().unwrap_or_else(PoisonError::into_inner).take()?.into())
    }
}

/// The request's body, until the stream ends.
struct Questions {
    inner: Body,
    prefixes: PrefixReader,
    ending: Ending,
    ended: Pin<Box<WaitForCancellationFutureOwned>>,
}

impl Questions {
    fn new(inner: Body, ending: Ending) -> Self {
        let ended = Box::pin(ending.token.clone().cancelled_owned());
        Self { inner, prefixes: PrefixReader::new(MAX_ANONYMOUS_REQUEST_BYTES), ending, ended }
    }
}

impl http_body::Body for Questions {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        if self.ended.as_mut().poll(cx).is_ready() {
            return Poll::Ready(None);
        }
        let polled = Pin::new(&mut self.inner).poll_frame(cx);
        if let Poll::Ready(Some(Ok(frame))) = &polled
            && let Some(data) = frame.data_ref()
            && let Err(error) = self.prefixes.read(data)
        {
            self.ending.end(error);
            return Poll::Ready(None);
        }
        polled
    }
}

/// The response's body. When it ends, so does the request's: the service waits for it.
struct Answers {
    inner: Body,
    ending: Ending,
    ended: Pin<Box<WaitForCancellationFutureOwned>>,
    silence: Duration,
    timer: Pin<Box<Sleep>>,
    _permit: AnonymousStreamPermit,
}

impl Answers {
    fn new(inner: Body, ending: Ending, silence: Duration, permit: AnonymousStreamPermit) -> Self {
        let ended = Box::pin(ending.token.clone().cancelled_owned());
        Self { inner, ending, ended, silence, timer: Box::pin(sleep(silence)), _permit: permit }
    }

    fn too_silent(&self) -> Error {
        let most = self.silence.as_secs();
        let text = format!("the stream ended, since nothing was asked for {most} s");
        Error::new(Reason::LimitExceeded, text).with("limit", "reflection_seconds").with("most", most.to_string())
    }
}

impl http_body::Body for Answers {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        // An error of the questions comes before the end of the answers, which it brings about.
        if self.ended.as_mut().poll(cx).is_pending() {
            if let Poll::Ready(frame) = Pin::new(&mut self.inner).poll_frame(cx) {
                let next = Instant::now() + self.silence;
                self.timer.as_mut().reset(next);
                return Poll::Ready(frame);
            }
            if self.timer.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            let error = self.too_silent();
            self.ending.end(error);
        }
        self.inner = Body::empty();
        Poll::Ready(self.ending.trailers().map(Ok))
    }
}

impl Drop for Answers {
    fn drop(&mut self) {
        self.ending.token.cancel();
    }
}
