//! Who has made short calls of late.

use std::time::Duration;

use tokio::time::Instant;

use crate::admission::consumer::ConsumerKey;

/// How long somebody who has called is taken to go on calling.
const RECENT: Duration = Duration::from_millis(250);

/// The last caller, and the last who was another one.
#[derive(Debug, Default)]
pub(super) struct ShortCalls {
    last: Option<(ConsumerKey, Instant)>,
    before: Option<(ConsumerKey, Instant)>,
}

impl ShortCalls {
    pub(super) fn note(&mut self, caller: ConsumerKey, now: Instant) {
        if self.last.is_some_and(|(last, _)| last != caller) {
            self.before = self.last;
        }
        self.last = Some((caller, now));
    }

    /// Whether somebody else than `caller` has.
    pub(super) fn of_others(&self, caller: ConsumerKey, now: Instant) -> bool {
        [self.last, self.before].into_iter().flatten().any(|(other, time)| other != caller && now < time + RECENT)
    }
}
