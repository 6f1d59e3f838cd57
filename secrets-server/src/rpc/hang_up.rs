//! A mutation whose caller has hung up gives back what it holds, its place in the queue above all, until it has written
//! something; from then on it runs to its end.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use tokio_util::sync::CancellationToken;

use crate::error::Error;
use crate::store::FirstWrite;

/// Runs `work` to its end, or drops it once `hung_up` and before its first write. Both are looked at whenever it waits, so that
/// no write comes in between.
pub(super) async fn unless_hung_up<T>(
    hung_up: CancellationToken,
    first_write: FirstWrite,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    let (mut work, mut notice) = (pin!(work), pin!(hung_up.cancelled()));
    poll_fn(|context| {
        if let Poll::Ready(result) = work.as_mut().poll(context) {
            return Poll::Ready(result);
        }
        let is_abandoned = hung_up.is_cancelled() || notice.as_mut().poll(context).is_ready();
        if is_abandoned && !first_write.happened() { Poll::Ready(Err(Error::abandoned())) } else { Poll::Pending }
    })
    .await
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::sync::Semaphore;
    use tokio::task::yield_now;

    use super::*;

    /// Waits, writes, and waits again; drops its place when it ends.
    async fn work(place: Arc<Semaphore>, turn: Arc<Semaphore>, first_write: FirstWrite) -> Result<u32, Error> {
        let _place = place.acquire().await.map_err(Error::internal)?;
        let _turn = turn.acquire().await.map_err(Error::internal)?;
        first_write.note();
        turn.acquire().await.map_err(Error::internal)?.forget();
        Ok(7)
    }

    #[tokio::test]
    async fn whoever_hangs_up_while_waiting_gives_the_place_back() {
        let (place, turn, first_write) =
            (Arc::new(Semaphore::new(1)), Arc::new(Semaphore::new(0)), FirstWrite::default());
        let hung_up = CancellationToken::new();
        let work = work(Arc::clone(&place), turn, first_write.clone());
        let running = tokio::spawn(unless_hung_up(hung_up.clone(), first_write, work));
        yield_now().await;
        assert_eq!(place.available_permits(), 0);
        hung_up.cancel();
        assert!(running.await.unwrap().unwrap_err().is_abandoned());
        assert_eq!(place.available_permits(), 1);
    }

    #[tokio::test]
    async fn what_has_written_runs_to_its_end() {
        let (place, turn, first_write) =
            (Arc::new(Semaphore::new(1)), Arc::new(Semaphore::new(1)), FirstWrite::default());
        let hung_up = CancellationToken::new();
        let work = work(place, Arc::clone(&turn), first_write.clone());
        let running = tokio::spawn(unless_hung_up(hung_up.clone(), first_write.clone(), work));
        yield_now().await;
        assert!(first_write.happened());
        hung_up.cancel();
        yield_now().await;
        turn.add_permits(1);
        assert_eq!(running.await.unwrap().unwrap(), 7);
    }

    #[tokio::test]
    async fn what_was_done_is_done_though_nobody_waits_for_it() {
        let hung_up = CancellationToken::new();
        hung_up.cancel();
        assert_eq!(unless_hung_up(hung_up, FirstWrite::default(), async { Ok(7) }).await.unwrap(), 7);
    }
}
