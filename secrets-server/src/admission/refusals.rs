//! How a caller who does not wait is made to.

use std::num::NonZeroU32;
use std::time::Duration;

use governor::Quota;

use super::consumer::{Consumer, ConsumerKey};
use super::limiter::Limiter;

/// How many refusals a second a caller gets at once. Whoever waits as each of them says gets few.
const AT_ONCE_PER_SECOND: NonZeroU32 = NonZeroU32::MIN.saturating_add(19);
/// How long each more is kept back. It holds a stream of its connection, and nothing else.
const PAUSE: Duration = Duration::from_secs(1);

/// The refusals that callers got of late.
#[derive(Debug)]
pub(super) struct Refusals(Limiter);

impl Default for Refusals {
    fn default() -> Self {
        Self(Limiter::new(Quota::per_second(AT_ONCE_PER_SECOND)))
    }
}

impl Refusals {
    /// Counts a refusal; returns how long it is kept back, if it is.
    pub(super) fn pause(&self, consumer: &Consumer) -> Option<Duration> {
        // A session in a loop is no reason to let its user wait.
        let key = if consumer.is_session { ConsumerKey::Session(consumer.credential) } else { consumer.key };
        self.0.check(key).err().map(|_| PAUSE)
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
        let kept = (0..100).filter(|_| refusals.pause(&consumer(1)).is_some()).count();
        // The others were answered at once, or came a while later.
        assert!((50..=80).contains(&kept), "{kept}");
        assert_eq!(refusals.pause(&consumer(2)), None);
        let session = Consumer { is_session: true, credential: Uid::from_u128(7), ..consumer(1) };
        assert_eq!(refusals.pause(&session), None);
    }
}
