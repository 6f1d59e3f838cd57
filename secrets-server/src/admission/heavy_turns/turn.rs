//! A turn, and its pauses.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, Sleep, sleep};

use super::{HeavyTurns, Pauses};
use crate::admission::consumer::ConsumerKey;

/// A call that works no longer is over before anybody notices. That is its own time on a processor: one that only waits for a
/// database needs no pause afterwards.
pub(super) const SHORT: Duration = Duration::from_millis(1);
/// How many times as long as it has worked the pause after a long one is: few calls of somebody else meet one.
pub(super) const WORK_FACTOR: u32 = 30;
/// And how many times as long as all of it took, since the database works too.
pub(super) const WAIT_FACTOR: u32 = 10;
/// A pause at the end; and all those of a call between its steps, since its organization's changes wait for it.
pub(super) const MAX_PAUSE: Duration = Duration::from_secs(1);
/// How many times as long as a step the pause after it is.
pub(super) const STEP_FACTOR: u32 = 15;
/// How much of a wait counts as a step of the database: a longer one was for somebody else.
pub(super) const MAX_STEP: Duration = Duration::from_millis(10);

/// A turn. Dropping it ends it.
#[derive(Debug)]
pub struct HeavyTurn {
    turns: HeavyTurns,
    caller: ConsumerKey,
    permit: Option<OwnedSemaphorePermit>,
    begin: Instant,
    /// For how long it has had a processor.
    pub(super) worked: Duration,
    /// For how long it, and the database for it, has worked since its last pause.
    step: Duration,
    /// For how long the database has worked for it, and nobody else.
    waited: Duration,
    /// Since when it waits.
    waiting: Option<Instant>,
    pause: Option<Pin<Box<Sleep>>>,
    /// How long its pauses may still be.
    pauses_left: Duration,
}

impl HeavyTurn {
    pub(super) fn new(turns: HeavyTurns, caller: ConsumerKey, permit: Option<OwnedSemaphorePermit>) -> Self {
        Self {
            turns,
            caller,
            permit,
            begin: Instant::now(),
            worked: Duration::ZERO,
            step: Duration::ZERO,
            waited: Duration::ZERO,
            waiting: None,
            pause: None,
            pauses_left: MAX_PAUSE,
        }
    }

    /// Does the work of the turn, which ends with it.
    pub async fn work<T>(mut self, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        poll_fn(|context| self.poll(work.as_mut(), context)).await
    }

    pub(super) fn poll<T>(&mut self, work: Pin<&mut impl Future<Output = T>>, context: &mut Context<'_>) -> Poll<T> {
        ready!(self.poll_pause(context));
        let begin = processor_time();
        let polled = work.poll(context);
        let worked = processor_time().saturating_sub(begin);
        self.worked += worked;
        self.step += worked;
        self.waiting = Some(Instant::now());
        polled
    }

    /// Ready when the next step may come.
    fn poll_pause(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if let Some(waiting) = self.waiting.take() {
            let waited = waiting.elapsed().min(MAX_STEP);
            self.waited += waited;
            self.step += waited;
            if self.turns.0.pauses == Pauses::Within && self.step >= SHORT {
                let pause = (std::mem::take(&mut self.step) * STEP_FACTOR).min(self.pauses_left);
                if !pause.is_zero() && self.turns.others_call(self.caller) {
                    self.pauses_left -= pause;
                    self.pause = Some(Box::pin(sleep(pause)));
                }
            }
        }
        if let Some(pause) = &mut self.pause {
            ready!(pause.as_mut().poll(context));
            self.pause = None;
        }
        Poll::Ready(())
    }

    /// The pause after all of it.
    fn last_pause(&self) -> Duration {
        let whole = match self.turns.0.pauses {
            Pauses::Within => (self.worked + self.waited) * WORK_FACTOR,
            Pauses::After => self.worked * WORK_FACTOR + self.begin.elapsed() * WAIT_FACTOR,
        };
        whole.min(MAX_PAUSE)
    }
}

/// For how long this thread has had a processor.
pub(super) fn processor_time() -> Duration {
    rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime).try_into().unwrap_or_default()
}

impl Drop for HeavyTurn {
    fn drop(&mut self) {
        let is_noticed = self.worked > SHORT && self.turns.others_call(self.caller);
        let pause = self.last_pause();
        // Outside of a runtime nobody waits.
        if let (true, Some(permit), Ok(runtime)) =
            (is_noticed, self.permit.take(), tokio::runtime::Handle::try_current())
        {
            runtime.spawn(async move {
                sleep(pause).await;
                drop(permit);
            });
        }
    }
}
