//! Counts a call among the work in flight until its response is sent, so that a server that stops waits for it and its
//! connection does not count as idle, and notes which message of its response waits to be taken.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::{Request, Response};
use http_body::{Body, Frame, SizeHint};
use tower::{Layer, Service};

use super::{BoxFuture, Bytes};
use crate::process::shutdown::{InFlightGuard, Shutdown};
use crate::server::activity::{ActiveCall, Activity, WaitingMessage};

/// As much as fits a frame of HTTP/2.
const MAX_PIECE_BYTES: usize = 16 * 1024;

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
        Box::pin(async move {
            Ok(response.await?.map(|inner| InFlightBody {
                inner,
                rest: Bytes::new(),
                waiting: None,
                guard: Some(guard),
            }))
        })
    }
}

/// A body whose call is in flight until it ends or is dropped.
///
/// It is handed out in pieces. The connection takes a piece when there is room for a byte of it, and asks for the next one at
/// once: of a message as a whole it would take all, though its caller takes nothing, and the call would be over.
pub(crate) struct InFlightBody<B> {
    // Dropped before `guard`: the call is logged first.
    inner: B,
    /// What is left of a message.
    rest: Bytes,
    /// The message, until all of it is taken.
    waiting: Option<WaitingMessage>,
    guard: Option<(InFlightGuard, Option<ActiveCall>)>,
}

impl<B> InFlightBody<B> {
    fn next_piece(&mut self) -> Frame<Bytes> {
        let length = std::cmp::min(self.rest.len(), MAX_PIECE_BYTES);
        Frame::data(self.rest.split_to(length))
    }
}

impl<B: Body<Data = Bytes> + Unpin> Body for InFlightBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        if !self.rest.is_empty() {
            return Poll::Ready(Some(Ok(self.next_piece())));
        }
        self.waiting = None;
        match ready!(Pin::new(&mut self.inner).poll_frame(cx)) {
            Some(Ok(frame)) => match frame.into_data() {
                Ok(message) => {
                    let call = self.guard.as_ref().and_then(|(_, call)| call.as_ref());
                    self.waiting = call.map(ActiveCall::begin_sending);
                    self.rest = message;
                    Poll::Ready(Some(Ok(self.next_piece())))
                }
                Err(trailers) => Poll::Ready(Some(Ok(trailers))),
            },
            Some(Err(error)) => Poll::Ready(Some(Err(error))),
            None => {
                self.guard = None;
                Poll::Ready(None)
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let (inner, rest) = (self.inner.size_hint(), u64::try_from(self.rest.len()).unwrap_or(u64::MAX));
        let mut hint = SizeHint::new();
        hint.set_lower(inner.lower().saturating_add(rest));
        if let Some(upper) = inner.upper() {
            hint.set_upper(upper.saturating_add(rest));
        }
        hint
    }
}
