//! A rate for each caller, which forgets those who have not called for a while.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use super::consumer::ConsumerKey;

/// How many callers are remembered before those are forgotten whose burst is whole again.
const MIN_SWEEP: usize = 4096;

/// A rate for each key.
#[derive(Debug)]
pub(super) struct Limiter {
    by_key: DefaultKeyedRateLimiter<ConsumerKey>,
    clock: DefaultClock,
    next_sweep: AtomicUsize,
}

impl Limiter {
    pub(super) fn new(quota: Quota) -> Self {
        let by_key = RateLimiter::keyed(quota);
        Self { by_key, clock: DefaultClock::default(), next_sweep: AtomicUsize::new(MIN_SWEEP) }
    }

    /// Counts a call, or says how long until there may be one.
    pub(super) fn check(&self, key: ConsumerKey) -> Result<(), Duration> {
        self.sweep();
        self.by_key.check_key(&key).map_err(|until| until.wait_time_from(self.clock.now()))
    }

    /// Forgets those who have not called for a while, each time that there are twice as many as were left the last time: so what
    /// is remembered is bounded by who called of late, and a sweep costs each call little.
    fn sweep(&self) {
        if self.by_key.len() >= self.next_sweep.load(Ordering::Relaxed) {
            self.by_key.retain_recent();
            self.by_key.shrink_to_fit();
            self.next_sweep.store((self.by_key.len() * 2).max(MIN_SWEEP), Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use secrets_core::Uid;

    use super::*;

    #[test]
    fn who_has_not_called_for_a_while_is_forgotten() {
        let limiter = Limiter::new(Quota::per_second(NonZeroU32::new(1_000_000).unwrap()));
        for n in 0..100_000 {
            limiter.check(ConsumerKey::User(Uid::from_u128(n))).unwrap();
        }
        let remembered = limiter.by_key.len();
        assert!(remembered <= 2 * MIN_SWEEP, "{remembered}");
    }
}
