//! Time as a parameter.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use secrets_core::Timestamp;

/// Tells the time. A request reads it once and hands the answer on.
pub trait Clock: Send + Sync {
    /// The time now.
    fn now(&self) -> Timestamp;
}

/// The clock of the operating system.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        #[expect(clippy::disallowed_methods, reason = "this is the `Clock` that everybody else takes")]
        let now = SystemTime::now();
        match now.duration_since(UNIX_EPOCH) {
            Ok(since) => Timestamp::from_micros(0).saturating_add(since),
            Err(before) => Timestamp::from_micros(0).saturating_sub(before.duration()),
        }
    }
}

/// A clock that stands still until it is set: for tests of whatever depends on time.
#[derive(Debug, Default)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    /// A clock that shows `now`.
    #[must_use]
    pub const fn at(now: Timestamp) -> Self {
        Self(AtomicI64::new(now.as_micros()))
    }

    /// Shows `now` from here on; backwards too, as real clocks do.
    pub fn set(&self, now: Timestamp) {
        self.0.store(now.as_micros(), Ordering::SeqCst);
    }

    /// Moves on by `duration` and returns the new time.
    pub fn advance(&self, duration: Duration) -> Timestamp {
        let later = |micros| Timestamp::from_micros(micros).saturating_add(duration);
        let before = self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |micros| Some(later(micros).as_micros()));
        later(before.unwrap_or_else(|unchanged| unchanged))
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::SeqCst))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_clock_is_of_this_century_and_moves_on() {
        let first = SystemClock.now();
        assert!(first > Timestamp::from_micros(1_735_689_600_000_000), "after 2025 began: {first}");
        std::thread::sleep(Duration::from_millis(2));
        assert!(SystemClock.now() > first);
    }

    #[test]
    fn a_manual_clock_moves_only_when_told() {
        let clock = ManualClock::at(Timestamp::from_micros(5));
        assert_eq!(clock.now().as_micros(), 5);
        assert_eq!(clock.advance(Duration::from_secs(1)).as_micros(), 1_000_005);
        assert_eq!(clock.now().as_micros(), 1_000_005);
        clock.set(Timestamp::from_micros(-1));
        assert_eq!(clock.now().as_micros(), -1);
        clock.set(Timestamp::from_micros(1));
        assert_eq!(clock.advance(Duration::MAX), Timestamp::MAX);
    }
}
