//! Whose turn it is, on one connection, to have a token looked up that was not found lately.
//!
//! A stranger can make up tokens as fast as they can send them, and each costs a statement of the database. So a connection has
//! one look-up of such a token at a time, and after some that found nothing it waits before the next. Whoever presents what
//! was found lately waits for nothing, on whatever connection.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio::time::Instant;

/// How many look-ups in a row may find nothing before the connection is slowed down: whoever has copied the wrong token
/// does not notice.
const FREE_FAILURES: u32 = 8;
/// How long the next look-up waits after that.
const PAUSE: Duration = Duration::from_millis(100);

/// The look-ups of one connection; in each request's extensions. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct LookupTurns(Arc<Mutex<Failures>>);

#[derive(Debug, Default)]
struct Failures {
    /// How many look-ups in a row have found nothing, or were given up.
    in_a_row: u32,
    /// When the next may begin.
    pause_end: Option<Instant>,
}

impl LookupTurns {
    /// Waits for the look-ups before this one, and for the end of the pause.
    pub async fn next(&self) -> LookupTurn {
        let mut failures = Arc::clone(&self.0).lock_owned().await;
        if let Some(end) = failures.pause_end {
            tokio::time::sleep_until(end).await;
        }
        // Until something is found, also when the caller hangs up.
        failures.in_a_row = failures.in_a_row.saturating_add(1);
        failures.pause_end = (failures.in_a_row > FREE_FAILURES).then(|| Instant::now() + PAUSE);
        LookupTurn(failures)
    }
}

/// The turn; it ends with this value.
#[derive(Debug)]
pub struct LookupTurn(OwnedMutexGuard<Failures>);

impl LookupTurn {
    /// The look-up has found a credential that is alive.
    pub fn found(mut self) {
        *self.0 = Failures::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_look_up_waits_for_the_other() {
        let turns = LookupTurns::default();
        let first = turns.next().await;
        let second = tokio::spawn({
            let turns = turns.clone();
            async move { turns.next().await.found() }
        });
        tokio::task::yield_now().await;
        assert!(!second.is_finished());
        first.found();
        second.await.unwrap();
    }

    #[tokio::test]
    async fn those_who_find_nothing_are_slowed_down_until_they_find_something() {
        let turns = LookupTurns::default();
        for _ in 0..=FREE_FAILURES {
            drop(turns.next().await);
        }
        let start = Instant::now();
        // Whoever hangs up while they wait does not shorten it for the next.
        for _ in 0..20 {
            assert!(tokio::time::timeout(PAUSE / 100, turns.next()).await.is_err() || start.elapsed() >= PAUSE);
        }
        turns.next().await.found();
        assert!(start.elapsed() >= PAUSE);
        assert!(turns.0.lock().await.pause_end.is_none());
    }
}
