//! The body of an answer: it carries its call to the end, and sees its status go by.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http_body::{Body as _, Frame, SizeHint};
use tonic::Status;
use tonic::body::Body;

use super::access_log::Call;
use super::{catch_panic, trailers_of};
use crate::process::shutdown::Signal;

/// An answer's body, with its call. The call ends when the body does, or when it is dropped.
pub(crate) struct CallBody {
    inner: Body,
    call: Option<Call>,
    /// For the streams of the standard services, which know of no stop: given, it ends them.
    stopped: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

impl CallBody {
    pub(super) fn new(inner: Body, call: Call, signal: &Signal) -> Self {
        let stopped = call.is_standard().then(|| Box::pin(signal.requested()) as Pin<Box<_>>);
        Self { inner, call: Some(call), stopped }
    }

    fn poll_inner(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let inner = &mut self.inner;
        let polled = catch_unwind(AssertUnwindSafe(|| Pin::new(inner).poll_frame(cx)));
        polled.unwrap_or_else(|_| Poll::Ready(self.end(&catch_panic::status())))
    }

    /// Ends the stream with `status` instead of what else it would have sent.
    fn end(&mut self, status: &Status) -> Option<Result<Frame<Bytes>, Status>> {
        self.inner = Body::empty();
        self.stopped = None;
        trailers_of(status).map(|trailers| Ok(Frame::trailers(trailers)))
    }
}

type Bytes = <Body as http_body::Body>::Data;

impl http_body::Body for CallBody {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let this = &mut *self;
        let span = this.call.as_ref().map(|call| call.span().clone());
        let _entered = span.as_ref().map(tracing::Span::enter);
        let frame = match this.poll_inner(cx) {
            Poll::Ready(frame) => frame,
            Poll::Pending => {
                // What was still to be sent went first: a health watcher hears of NOT_SERVING before its stream ends.
                let Some(stopped) = &mut this.stopped else { return Poll::Pending };
                ready!(stopped.as_mut().poll(cx));
                this.end(&Status::unavailable("the server is stopping"))
            }
        };
        if let (Some(call), Some(Ok(frame))) = (&mut this.call, &frame)
            && let Some(trailers) = frame.trailers_ref()
        {
            call.answered(trailers);
        }
        if frame.is_none() {
            this.call = None;
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
