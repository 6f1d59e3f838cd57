//! How often a caller may call.

use std::num::NonZeroU32;
use std::time::Duration;

use governor::Quota;

use super::call_class::CallClass;
use super::consumer::{Consumer, ConsumerClass, ConsumerKey};
use super::limiter::Limiter;
use super::limits::{AdmissionLimits, ConsumerLimits, MAX_RATE};
use crate::error::{Error, Reason};

/// How often a session renews itself at most, in a minute: a client does so a few times an hour.
const RENEWALS_PER_MINUTE: NonZeroU32 = NonZeroU32::MIN.saturating_add(5);
/// How often at once.
const RENEWAL_BURST: NonZeroU32 = NonZeroU32::MIN.saturating_add(9);

/// The rates of all callers.
#[derive(Debug)]
pub(super) struct Rates {
    persons: Limiter,
    service_accounts: Limiter,
    renewals: Limiter,
}

impl Rates {
    pub(super) fn new(limits: &AdmissionLimits) -> Self {
        Self {
            persons: Limiter::new(quota(&limits.person)),
            service_accounts: Limiter::new(quota(&limits.service_account)),
            renewals: Limiter::new(Quota::per_minute(RENEWALS_PER_MINUTE).allow_burst(RENEWAL_BURST)),
        }
    }

    /// Counts a call, or says when it may be sent again.
    pub(super) fn check(&self, consumer: &Consumer, class: CallClass) -> Result<(), Error> {
        let (limiter, key) = match (class, consumer.key) {
            (CallClass::Unrated | CallClass::Watch, _) => return Ok(()),
            (CallClass::Renewal, _) if consumer.is_session => {
                (&self.renewals, ConsumerKey::Session(consumer.credential))
            }
            (CallClass::Rated | CallClass::Renewal, key) => match key.class() {
                ConsumerClass::Person => (&self.persons, key),
                ConsumerClass::ServiceAccount => (&self.service_accounts, key),
            },
        };
        limiter.check(key).map_err(too_often)
    }
}

fn quota(limits: &ConsumerLimits) -> Quota {
    Quota::per_second(limits.rate.min(MAX_RATE)).allow_burst(limits.burst())
}

fn too_often(wait: Duration) -> Error {
    let text = "too many changes, lists and explains within a short time; send it again a little later";
    Error::new(Reason::RateLimited, text).with("limit", "rate").retry_after(wait)
}

#[cfg(test)]
mod tests {
    use secrets_core::Uid;

    use super::*;

    fn consumer(key: ConsumerKey, credential: u128) -> Consumer {
        Consumer { key, credential: Uid::from_u128(credential), is_session: false, organization: None }
    }

    fn rates(person: u32) -> Rates {
        let mut limits = AdmissionLimits::default();
        limits.person.rate = NonZeroU32::new(person).unwrap();
        Rates::new(&limits)
    }

    #[test]
    fn each_caller_has_a_burst_of_ten_seconds() {
        let rates = rates(2);
        let (ann, bob) = (ConsumerKey::User(Uid::from_u128(1)), ConsumerKey::User(Uid::from_u128(2)));
        for _ in 0..20 {
            rates.check(&consumer(ann, 1), CallClass::Rated).unwrap();
        }
        let refused = rates.check(&consumer(ann, 7), CallClass::Rated).unwrap_err();
        let wait = refused.retry_delay().unwrap();
        assert!(!wait.is_zero() && wait <= Duration::from_millis(500), "{wait:?}");
        rates.check(&consumer(bob, 2), CallClass::Rated).unwrap();
        rates.check(&consumer(ann, 1), CallClass::Unrated).unwrap();
        let program = consumer(ConsumerKey::ServiceAccount(Uid::from_u128(1)), 1);
        for _ in 0..20_000 {
            rates.check(&program, CallClass::Rated).unwrap();
        }
    }

    #[test]
    fn a_session_renews_itself_whatever_the_others_of_its_user_do() {
        let rates = rates(1);
        let ann = ConsumerKey::User(Uid::from_u128(1));
        let session = |credential| Consumer { is_session: true, ..consumer(ann, credential) };
        while rates.check(&session(1), CallClass::Rated).is_ok() {}
        while rates.check(&session(1), CallClass::Renewal).is_ok() {}
        for _ in 0..RENEWAL_BURST.get() {
            rates.check(&session(2), CallClass::Renewal).unwrap();
        }
        assert!(rates.check(&session(2), CallClass::Renewal).is_err());
    }

    #[test]
    fn a_person_renews_sessions_as_often_as_they_change_anything_else() {
        let rates = rates(2);
        let ann = consumer(ConsumerKey::User(Uid::from_u128(1)), 1);
        for _ in 0..20 {
            rates.check(&ann, CallClass::Renewal).unwrap();
        }
        assert!(rates.check(&ann, CallClass::Rated).is_err());
    }
}
