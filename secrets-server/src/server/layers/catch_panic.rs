//! A panic in a handler ends its own call with `INTERNAL`, and nothing of its message leaves.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;

use tonic::Status;

/// The call panicked; the panic hook has logged where.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Panicked;

/// What `call` returns, if it does not panic.
pub(super) async fn caught<F: Future>(call: F) -> Result<F::Output, Panicked> {
    let mut call = pin!(call);
    std::future::poll_fn(move |cx| {
        // Nothing of the call is used after a panic: its future is dropped, and what it shares is behind locks that
        // tell a panic of their holder.
        match catch_unwind(AssertUnwindSafe(|| call.as_mut().poll(cx))) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(output)) => Poll::Ready(Ok(output)),
            Err(_) => Poll::Ready(Err(Panicked)),
        }
    })
    .await
}

pub(super) fn status() -> Status {
    Status::internal("an internal error; the server's log has it under this request id")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_is_caught_at_whichever_step() {
        let at_once = caught(async { panic!("hunter2") });
        assert_eq!(at_once.await, Err::<(), _>(Panicked));
        let later = caught(async {
            tokio::task::yield_now().await;
            panic!("hunter2")
        });
        assert_eq!(later.await, Err::<(), _>(Panicked));
        assert_eq!(caught(async { 7 }).await, Ok(7));
    }

    #[test]
    fn the_status_tells_nothing_of_the_panic() {
        assert!(!status().message().contains("hunter2"));
        assert_eq!(status().code(), tonic::Code::Internal);
    }
}
