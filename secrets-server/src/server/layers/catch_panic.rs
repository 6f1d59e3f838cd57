//! A panic in a handler ends its own call with `INTERNAL`, and nothing of its message leaves.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use http::{Request, Response};
use http_body::{Frame, SizeHint};
use tonic::Status;
use tonic::body::Body;
use tower::{Layer, Service};

use super::{BoxFuture, Bytes, trailers};

#[derive(Clone, Copy, Debug)]
pub(crate) struct CatchPanicLayer;

impl<S> Layer<S> for CatchPanicLayer {
    type Service = CatchPanic<S>;

    fn layer(&self, inner: S) -> CatchPanic<S> {
        CatchPanic { inner }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct CatchPanic<S> {
    inner: S,
}

impl<S> Service<Request<Body>> for CatchPanic<S>
where
    S: Service<Request<Body>, Response = Response<Body>>,
    S::Future: Send + 'static,
{
    type Response = Response<CatchPanicBody>;
    type Error = S::Error;
    type Future = BoxFuture<Result<Self::Response, S::Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let response = caught(|| self.inner.call(request));
        Box::pin(async move {
            let response = match response {
                Ok(response) => caught_while_polled(response).await,
                Err(Panicked) => Err(Panicked),
            };
            let response = response.unwrap_or_else(|Panicked| Ok(status().into_http()))?;
            Ok(response.map(|inner| CatchPanicBody { inner }))
        })
    }
}

/// A body whose panics end it.
#[derive(Default)]
pub(crate) struct CatchPanicBody {
    inner: Body,
}

impl http_body::Body for CatchPanicBody {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let inner = &mut self.inner;
        caught(|| Pin::new(inner).poll_frame(cx)).unwrap_or_else(|Panicked| {
            self.inner = Body::empty();
            Poll::Ready(trailers(&status()).map(Ok))
        })
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// The call panicked; the panic hook has logged where.
#[derive(Debug, PartialEq, Eq)]
struct Panicked;

/// Nothing of the call is used after a panic: its future or body is dropped, and what it shares is behind locks that a panic
/// of their holder poisons.
fn caught<T>(step: impl FnOnce() -> T) -> Result<T, Panicked> {
    catch_unwind(AssertUnwindSafe(step)).map_err(|_| Panicked)
}

async fn caught_while_polled<F: Future>(future: F) -> Result<F::Output, Panicked> {
    let mut future = pin!(future);
    std::future::poll_fn(move |cx| match caught(|| future.as_mut().poll(cx)) {
        Ok(polled) => polled.map(Ok),
        Err(Panicked) => Poll::Ready(Err(Panicked)),
    })
    .await
}

fn status() -> Status {
    Status::internal("an internal error; the server's log has it under this request id")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_is_caught_at_whichever_step() {
        assert_eq!(caught(|| panic!("hunter2")), Err::<(), _>(Panicked));
        let at_once = caught_while_polled(async { panic!("hunter2") });
        assert_eq!(at_once.await, Err::<(), _>(Panicked));
        let later = caught_while_polled(async {
            tokio::task::yield_now().await;
            panic!("hunter2")
        });
        assert_eq!(later.await, Err::<(), _>(Panicked));
        assert_eq!(caught_while_polled(async { 7 }).await, Ok(7));
    }

    #[test]
    fn the_status_has_nothing_of_the_panic() {
        assert!(!status().message().contains("hunter2"));
        assert_eq!(status().code(), tonic::Code::Internal);
    }
}
