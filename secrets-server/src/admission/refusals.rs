//! How a caller who does not wait is made to.

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use governor::Quota;

use super::consumer::{Consumer, ConsumerKey};
use super::limiter::Limiter;

/// How many refusals a second a caller gets at once. Whoever waits as each of them says gets few.
const AT_ONCE_PER_SECOND: NonZeroU32 = NonZeroU32::MIN.saturating_add(19);
/// For how long each more is kept back at least, and for how much longer at most: spread, so that those who were refused together
/// do not come back together. It holds a stream of its connection, and nothing else.
const PAUSE: Duration = Duration::from_secs(2);
const SPREAD: Duration = Duration::from_secs(4);

/// The refusals that callers got of late.
#[derive(Debug)]
pub(super) struct Refusals {
    at_once: Limiter,
    /// Counts what was kept back.
    kept: AtomicU32,
}

impl Default for Refusals {
    fn default() -> Self {
        Self { at_once: Limiter::new(Quota::per_second(AT_ONCE_PER_SECOND)), kept: AtomicU32::new(0) }
    }
}

impl Refusals {
    /// Counts a refusal; returns how long it is kept back, if it is.
    pub(super) fn pause(&self, consumer: &Consumer) -> Option<Duration> {
        // A session in a loop is no reason to let its user wait.
        let key = if consumer.is_session { ConsumerKey::Session(consumer.credential) } else { consumer.key };
        self.at_once.check(key).err()?;
        // By the golden ratio, so that any number of them in a row are spread evenly (Weyl's sequence).
        let part = self.kept.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9e37_79b9);
        Some(PAUSE + SPREAD.mul_f64(f64::from(part) / f64::from(u32::MAX)))
    }
}

#[cfg(test)]
mod tests {
    use secrets_core::Uid;

    use super::*;

    #[test]
    fn keeps_back_what_a_caller_who_does_not_wait_is_answered() {
        let refusals = Refusals::default();
        let consumer = |uid| Consumer {
            key: ConsumerKey::User(Uid::from_u128(uid)),
            credential: Uid::nil(),
            is_session: false,
            organization: None,
        };
        let kept: Vec<_> = (0..100).filter_map(|_| refusals.pause(&consumer(1))).collect();
        // The others were answered at once, or came a while later.
        assert!((50..=80).contains(&kept.len()), "{}", kept.len());
        for part in 0..4 {
            let begin = PAUSE + SPREAD * part / 4;
            let within = kept.iter().filter(|pause| (begin..begin + SPREAD / 4).contains(*pause)).count();
            assert!(within.abs_diff(kept.len() / 4) <= 3, "{kept:?}");
        }
        assert_eq!(refusals.pause(&consumer(2)), None);
        let session = Consumer { is_session: true, credential: Uid::from_u128(7), ..consumer(1) };
        assert_eq!(refusals.pause(&session), None);
    }
}
