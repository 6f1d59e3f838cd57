//! How many live sessions somebody has created, as far as that is known without counting.
//!
//! Counting takes as long as there are many. Somebody with many sessions who creates many more is counted now and then, and in
//! between only what is created here is added: other servers may have created as many.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use secrets_core::{Timestamp, Uid};

/// How long a count is believed.
const LIFETIME: Duration = Duration::from_secs(5);
/// Of what is left, this part may be created here before the next count.
const RESERVE: u64 = 16;
/// Counts that are kept; then all are forgotten, and made anew.
const MAX_COUNTS: usize = 10_000;

/// The counts of all who create sessions.
#[derive(Debug, Default)]
pub struct LiveCounts(Mutex<HashMap<Uid, Count>>);

#[derive(Debug)]
struct Count {
    live: u64,
    time: Timestamp,
    /// Here, since then.
    created: u64,
}

impl LiveCounts {
    /// Adds one that `creator` is about to create, if that is known to make no more than `most`. Otherwise they have to be
    /// counted.
    pub fn add(&self, creator: Uid, most: u64, now: Timestamp) -> bool {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(count) = counts.get_mut(&creator) else { return false };
        let is_believed = now >= count.time && now < count.time.saturating_add(LIFETIME);
        let may = most.saturating_sub(count.live) / RESERVE;
        if !is_believed || count.created >= may {
            return false;
        }
        count.created += 1;
        true
    }

    /// Keeps a count.
    pub fn counted(&self, creator: Uid, live: u64, now: Timestamp) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.len() >= MAX_COUNTS {
            counts.clear();
        }
        counts.insert(creator, Count { live, time: now, created: 1 });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANN: Uid = Uid::from_u128(1);

    #[test]
    fn a_part_of_what_is_left_is_created_without_counting() {
        let counts = LiveCounts::default();
        let now = Timestamp::from_micros(0);
        assert!(!counts.add(ANN, 1_000, now));
        counts.counted(ANN, 840, now);
        let added = (0..1_000).take_while(|_| counts.add(ANN, 1_000, now)).count();
        assert_eq!(added, 9, "a sixteenth of 160, with the one that was counted for");
        counts.counted(ANN, 849, now);
        assert!(counts.add(ANN, 1_000, now));
        assert!(!counts.add(ANN, 1_000, now.saturating_add(LIFETIME)), "a count is believed for a while");
        counts.counted(ANN, 985, now);
        assert!(!counts.add(ANN, 1_000, now), "near the limit each one is counted");
    }
}
