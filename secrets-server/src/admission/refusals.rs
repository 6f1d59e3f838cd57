//! How a caller who does not wait is made to.

use std::num::NonZeroU32;
use std::sync::Arc;
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
/// And longer by this for each that is kept back already: however many there are, about a hundred a second come back.
const SPREAD_EACH: Duration = Duration::from_millis(20);

/// The refusals that callers got of late.
#[derive(Debug)]
pub(super) struct Refusals {
    at_once: Limiter,
    /// Counts what was kept back.
    kept: AtomicU32,
    /// How many are kept back now.
    held: Arc<()>,
}

/// A refusal that is kept back, while it is.
#[derive(Debug)]
pub struct HeldRefusal {
    /// For how long.
    pub pause: Duration,
    _counted: Arc<()>,
}

impl Default for Refusals {
    fn default() -> Self {
        Self {
            at_once: Limiter::new(Quota::per_second(AT_ONCE_PER_SECOND)),
            kept: AtomicU32::new(0),
            held: Arc::default(),
        }
    }
}

impl Refusals {
    /// Counts a refusal; returns how long it is kept back, if it is.
    pub(super) fn pause(&self, consumer: &Consumer) -> Option<HeldRefusal> {
        // A session in a loop is no reason to let its user wait.
        let key = if consumer.is_session { ConsumerKey::Session(consumer.credential) } else { consumer.key };
        self.at_once.check(key).err()?;
        // By the golden ratio, so that any number of them in a row are spread evenly (Weyl's sequence).
        let part = self.kept.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9e37_79b9);
        let counted = Arc::clone(&self.held);
        let held = u32::try_from(Arc::strong_count(&counted)).unwrap_or(u32::MAX);
        let spread = SPREAD.max(SPREAD_EACH.saturating_mul(held));
        Some(HeldRefusal { pause: PAUSE + spread.mul_f64(f64::from(part) / f64::from(u32::MAX)), _counted: counted })
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
        let kept: Vec<_> = (0..100).filter_map(|_| refusals.pause(&consumer(1))).map(|held| held.pause).collect();
        // The others were answered at once, or came a while later.
        assert!((50..=80).contains(&kept.len()), "{}", kept.len());
        for part in 0..4 {
            let begin = PAUSE + SPREAD * part / 4;
            let within = kept.iter().filter(|pause| (begin..begin + SPREAD / 4).contains(*pause)).count();
            assert!(within.abs_diff(kept.len() / 4) <= 3, "{kept:?}");
        }
        assert!(refusals.pause(&consumer(2)).is_none());
        let session = Consumer { is_session: true, credential: Uid::from_u128(7), ..consumer(1) };
        assert!(refusals.pause(&session).is_none());
    }

    #[test]
    fn the_more_are_kept_back_the_longer_each_is() {
        let refusals = Refusals::default();
        let consumer =
            Consumer { key: ConsumerKey::Operator, credential: Uid::nil(), is_session: false, organization: None };
        let held: Vec<_> = (0..2_000).filter_map(|_| refusals.pause(&consumer)).collect();
        let longest = |held: &[HeldRefusal]| held.iter().map(|held| held.pause).max().unwrap();
        assert!(longest(&held[..100]) <= PAUSE + SPREAD);
        assert!(longest(&held) > PAUSE + SPREAD_EACH * 1_500);
        drop(held);
        let after = [refusals.pause(&consumer).unwrap()];
        assert!(longest(&after) <= PAUSE + SPREAD);
    }
}
