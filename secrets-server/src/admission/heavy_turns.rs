//! Whose turn it is with what takes the processor or the database for long: imports, lists, explains, the opening of watches, and
//! the changes of a person who sends many at once.
//!
//! Beside whoever makes short calls there are only a few of them at a time, and what they work comes with pauses: the short calls
//! of the others take about as long as if there were none. Where nobody else calls, there is no pause, and whoever calls may have
//! all. Callers of an organization take turns, and so do organizations: each has one that waits for the next turn, so that the
//! wait is as long as there are others, and not as long as what one of them has sent.

mod short_calls;
mod turn;

use std::sync::{Arc, Mutex, PoisonError};

use secrets_core::Uid;
use tokio::sync::Semaphore;
use tokio::time::Instant;

use self::short_calls::ShortCalls;
use super::consumer::{Consumer, ConsumerKey};
use crate::process::background;
use crate::queues::Queues;

pub use self::turn::HeavyTurn;

/// When what works long pauses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pauses {
    /// Between its steps: where only its own organization waits for what it holds meanwhile.
    Within,
    /// When it is over: where all wait for one writer, SQLite's.
    After,
}

/// The turns of all callers. Clones share them.
#[derive(Clone, Debug)]
pub struct HeavyTurns(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    pauses: Pauses,
    turns: Arc<Semaphore>,
    callers: Queues<ConsumerKey>,
    organizations: Queues<Option<Uid>>,
    short_calls: Mutex<ShortCalls>,
}

impl HeavyTurns {
    /// As many at a time as there are threads for them.
    pub fn new(pauses: Pauses) -> Self {
        Self::with(pauses, background::threads())
    }

    fn with(pauses: Pauses, turns: usize) -> Self {
        Self(Arc::new(Inner {
            pauses,
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
        HeavyTurn::new(self.clone(), consumer.key, permit)
    }

    /// Whether others than `caller` have made short calls of late.
    fn others_call(&self, caller: ConsumerKey) -> bool {
        self.0.short_calls.lock().unwrap_or_else(PoisonError::into_inner).of_others(caller, Instant::now())
    }
}

#[cfg(test)]
mod tests;
