//! Whose turn it is with what takes the processor or the database for long: imports, lists, explains, the opening of watches.
//!
//! Beside whoever makes short calls there are only a few of them at a time, and after a long one comes a pause: the short calls of
//! the others take about as long as if there were none. Where nobody else calls, there is no pause, and whoever calls may have
//! all. Callers of an organization take turns, and so do organizations: each has one that waits for the next turn, so that the
//! wait is as long as there are others, and not as long as what one of them has sent.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use secrets_core::Uid;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use super::consumer::{Consumer, ConsumerKey};
use crate::queues::Queues;

/// A call that works no longer is over before anybody notices. That is its own time on a processor: one that only waits for a
/// database needs no pause.
const SHORT: Duration = Duration::from_millis(1);
/// How many times as long as it has worked the pause after a long one is: few calls of somebody else meet one.
const WORK_FACTOR: u32 = 30;
/// And how many times as long as all of it took, since the database works too.
const WAIT_FACTOR: u32 = 10;
const MAX_PAUSE: Duration = Duration::from_secs(1);
/// How long somebody who has called is taken to go on calling.
const RECENT: Duration = Duration::from_millis(250);

/// The turns of all callers. Clones share them.
#[derive(Clone, Debug)]
pub struct HeavyTurns(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    turns: Arc<Semaphore>,
    callers: Queues<ConsumerKey>,
    organizations: Queues<Option<Uid>>,
    short_calls: Mutex<ShortCalls>,
}

impl Default for HeavyTurns {
    /// As many at a time as half of the processors, and at least one.
    fn default() -> Self {
        Self::with(std::thread::available_parallelism().map_or(1, usize::from).div_ceil(2))
    }
}

impl HeavyTurns {
    fn with(turns: usize) -> Self {
        Self(Arc::new(Inner {
            turns: Arc::new(Semaphore::new(turns)),
            callers: Queues::new(1),
            organizations: Queues::new(1),
            short_calls: Mutex::default(),
        }))
    }

    /// Notes a call that waits for no turn.
    pub fn note_short_call(&self, consumer: &Consumer) {
        self.0.short_calls.lock().unwrap_or_else(PoisonError::into_inner).note(consumer.key, Instant::now());
    }

    /// Waits for a turn, which ends when it is dropped. Whoever hangs up drops the future, and is no longer in the queue.
    pub async fn next(&self, consumer: &Consumer) -> HeavyTurn {
        let inner = &self.0;
        let caller = inner.callers.next(consumer.key).await;
        let organization = inner.organizations.next(consumer.organization).await;
        let permit = Arc::clone(&inner.turns).acquire_owned().await.ok();
        drop((organization, caller));
        HeavyTurn { turns: self.clone(), caller: consumer.key, permit, begin: Instant::now(), worked: Duration::ZERO }
    }
}

/// A turn. Dropping it ends it.
#[derive(Debug)]
pub struct HeavyTurn {
    turns: HeavyTurns,
    caller: ConsumerKey,
    permit: Option<OwnedSemaphorePermit>,
    begin: Instant,
    /// For how long it has had a processor.
    worked: Duration,
}

impl HeavyTurn {
    /// Does the work of the turn, which ends with it.
    pub async fn work<T>(mut self, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        poll_fn(|context| self.poll(work.as_mut(), context)).await
    }

    fn poll<T>(&mut self, work: Pin<&mut impl Future<Output = T>>, context: &mut Context<'_>) -> Poll<T> {
        let begin = std::time::Instant::now();
        let polled = work.poll(context);
        self.worked += begin.elapsed();
        polled
    }
}

impl Drop for HeavyTurn {
    fn drop(&mut self) {
        let (now, worked) = (Instant::now(), self.worked);
        let pause = worked * WORK_FACTOR + now.saturating_duration_since(self.begin) * WAIT_FACTOR;
        let short_calls = self.turns.0.short_calls.lock().unwrap_or_else(PoisonError::into_inner);
        let is_noticed = worked > SHORT && short_calls.of_others(self.caller, now);
        drop(short_calls);
        // Outside of a runtime nobody waits.
        if let (true, Some(permit), Ok(runtime)) =
            (is_noticed, self.permit.take(), tokio::runtime::Handle::try_current())
        {
            runtime.spawn(async move {
                tokio::time::sleep(pause.min(MAX_PAUSE)).await;
                drop(permit);
            });
        }
    }
}

/// Who has made short calls of late: the last caller, and the last who was another one.
#[derive(Debug, Default)]
struct ShortCalls {
    last: Option<(ConsumerKey, Instant)>,
    before: Option<(ConsumerKey, Instant)>,
}

impl ShortCalls {
    fn note(&mut self, caller: ConsumerKey, now: Instant) {
        if self.last.is_some_and(|(last, _)| last != caller) {
            self.before = self.last;
        }
        self.last = Some((caller, now));
    }

    /// Whether somebody else than `caller` has.
    fn of_others(&self, caller: ConsumerKey, now: Instant) -> bool {
        [self.last, self.before].into_iter().flatten().any(|(other, time)| other != caller && now < time + RECENT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_millis(20);

    fn consumer(caller: u128, organization: u128) -> Consumer {
        Consumer {
            key: ConsumerKey::User(Uid::from_u128(caller)),
            credential: Uid::from_u128(caller),
            is_session: false,
            organization: Some(Uid::from_u128(organization)),
        }
    }

    /// Ten callers each of an organization, of whom the first sends ten calls and another organization one: in which order.
    #[tokio::test(start_paused = true)]
    async fn callers_and_organizations_take_turns() {
        let turns = HeavyTurns::with(1);
        let first = turns.next(&consumer(0, 0)).await;
        let order = Arc::new(Mutex::new(Vec::new()));
        let mut waiting = tokio::task::JoinSet::new();
        let calls = [(1, 1), (1, 1), (1, 1), (1, 1), (2, 1), (3, 2)];
        for (caller, organization) in calls {
            let (turns, order) = (turns.clone(), Arc::clone(&order));
            waiting.spawn(async move {
                let turn = turns.next(&consumer(caller, organization)).await;
                order.lock().unwrap().push(caller);
                tokio::time::sleep(LONG).await;
                drop(turn);
            });
            tokio::task::yield_now().await;
        }
        drop(first);
        waiting.join_all().await;
        assert_eq!(*order.lock().unwrap(), [1, 3, 2, 1, 1, 1]);
        assert!(turns.0.callers.is_empty() && turns.0.organizations.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn there_is_a_pause_where_others_call_and_none_where_nobody_does() {
        for (noted, worked, pause) in [
            (None, LONG, Duration::ZERO),
            (Some(1), LONG, Duration::ZERO),
            (Some(2), SHORT * 3, SHORT * 3 * WORK_FACTOR + LONG * WAIT_FACTOR),
            (Some(2), SHORT / 2, Duration::ZERO),
            (Some(2), Duration::from_millis(200), MAX_PAUSE),
        ] {
            let turns = HeavyTurns::with(1);
            let mut turn = turns.next(&consumer(1, 1)).await;
            turn.worked = worked;
            tokio::time::sleep(LONG).await;
            if let Some(caller) = noted {
                turns.note_short_call(&consumer(caller, 1));
                turns.note_short_call(&consumer(1, 1));
            }
            drop(turn);
            let begin = Instant::now();
            drop(turns.next(&consumer(1, 1)).await);
            assert!(begin.elapsed().abs_diff(pause) <= Duration::from_millis(2), "{:?} {pause:?}", begin.elapsed());
        }
    }

    #[tokio::test]
    async fn what_counts_is_the_time_on_a_processor() {
        let turns = HeavyTurns::with(1);
        turns.note_short_call(&consumer(2, 2));
        let waits = tokio::time::sleep(LONG * 20);
        let busy = async {
            waits.await;
            let end = std::time::Instant::now() + LONG;
            while std::time::Instant::now() < end {}
        };
        let mut turn = turns.next(&consumer(1, 1)).await;
        let mut work = pin!(busy);
        poll_fn(|context| turn.poll(work.as_mut(), context)).await;
        assert!(turn.worked >= LONG && turn.worked < LONG * 20, "{:?}", turn.worked);
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_hangs_up_is_no_longer_in_a_queue() {
        let turns = HeavyTurns::with(1);
        let first = turns.next(&consumer(1, 1)).await;
        for _ in 0..100 {
            assert!(tokio::time::timeout(LONG, turns.next(&consumer(1, 1))).await.is_err());
        }
        drop(first);
        drop(turns.next(&consumer(2, 1)).await);
        assert!(turns.0.callers.is_empty() && turns.0.organizations.is_empty());
    }
}
