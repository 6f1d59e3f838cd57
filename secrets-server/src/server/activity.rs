//! What a connection is busy with; in the extensions of each of its requests.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Duration, Instant};

use super::limits::MAX_ANONYMOUS_STREAMS_PER_CONNECTION;

/// The calls and the anonymous streams of one connection. Clones share them.
#[derive(Clone, Debug)]
pub(crate) struct Activity {
    calls: Arc<Mutex<Calls>>,
    anonymous_streams: Arc<Semaphore>,
}

#[derive(Debug)]
struct Calls {
    in_flight: usize,
    /// When the last one ended.
    ended: Instant,
    /// Since when messages of responses wait to be taken.
    waiting: BTreeSet<(Instant, u64)>,
    /// Tells those of the same time apart.
    next: u64,
}

impl Default for Activity {
    fn default() -> Self {
        Self {
            calls: Arc::new(Mutex::new(Calls {
                in_flight: 0,
                ended: Instant::now(),
                waiting: BTreeSet::new(),
                next: 0,
            })),
            anonymous_streams: Arc::new(Semaphore::new(MAX_ANONYMOUS_STREAMS_PER_CONNECTION)),
        }
    }
}

impl Activity {
    /// Counts a call until what is returned is dropped.
    pub(crate) fn begin_call(&self) -> ActiveCall {
        self.calls().in_flight += 1;
        ActiveCall(self.clone())
    }

    /// How long there has been no call; none while there is one.
    pub(crate) fn idle_time(&self) -> Option<Duration> {
        let calls = self.calls();
        (calls.in_flight == 0).then(|| calls.ended.elapsed())
    }

    /// For how long a message of a response has waited to be taken; none while none waits.
    pub(crate) fn waiting_time(&self) -> Option<Duration> {
        self.calls().waiting.first().map(|(since, _)| since.elapsed())
    }

    /// A permit for one more stream without a credential, unless there are as many as there may be.
    pub(crate) fn anonymous_stream(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.anonymous_streams).try_acquire_owned().ok()
    }

    fn calls(&self) -> MutexGuard<'_, Calls> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A call of a connection.
#[derive(Debug)]
pub(crate) struct ActiveCall(Activity);

impl Drop for ActiveCall {
    fn drop(&mut self) {
        let mut calls = self.0.calls();
        calls.in_flight -= 1;
        calls.ended = Instant::now();
    }
}

impl ActiveCall {
    /// Counts a message of its response as waiting to be taken until what is returned is dropped.
    pub(crate) fn begin_sending(&self) -> WaitingMessage {
        let mut calls = self.0.calls();
        let message = (Instant::now(), calls.next);
        calls.next += 1;
        calls.waiting.insert(message);
        WaitingMessage { activity: self.0.clone(), message }
    }
}

/// A message of a response that its caller has not taken yet.
#[derive(Debug)]
pub(crate) struct WaitingMessage {
    activity: Activity,
    message: (Instant, u64),
}

impl Drop for WaitingMessage {
    fn drop(&mut self) {
        self.activity.calls().waiting.remove(&self.message);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_connection_is_idle_while_it_has_no_call() {
        let activity = Activity::default();
        assert!(activity.idle_time().is_some());
        let calls = (activity.begin_call(), activity.begin_call());
        assert_eq!(activity.idle_time(), None);
        drop(calls.0);
        assert_eq!(activity.idle_time(), None);
        drop(calls.1);
        assert!(activity.idle_time().is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn the_message_that_has_waited_the_longest_counts() {
        let activity = Activity::default();
        let call = activity.begin_call();
        assert_eq!(activity.waiting_time(), None);
        let first = call.begin_sending();
        tokio::time::advance(Duration::from_secs(2)).await;
        let (second, third) = (call.begin_sending(), call.begin_sending());
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(activity.waiting_time(), Some(Duration::from_secs(3)));
        drop(first);
        assert_eq!(activity.waiting_time(), Some(Duration::from_secs(1)));
        drop((second, third));
        assert_eq!(activity.waiting_time(), None);
    }
}
