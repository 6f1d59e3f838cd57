//! How much of the server one caller may take: calls under way, calls a second, watches, live sessions.
//!
//! Limits bite on contention, not on size: what a program needs most, `Resolve`, has no rate, and the share of an organization
//! counts only while more than three quarters of the whole are taken. Whatever is refused here was not begun, and its error
//! says when to send it again.
//!
//! To add a method: its arm in [`CallClass::new`].

mod call_class;
mod consumer;
mod heavy_turns;
mod limiter;
mod limits;
mod live_counts;
mod rates;
mod refusals;
mod refused;
mod slots;

use secrets_proto::Method;

use self::rates::Rates;
use self::refusals::Refusals;
use crate::error::Error;

pub use self::call_class::{CallClass, is_heavy};
pub use self::consumer::{Consumer, ConsumerClass, ConsumerKey};
pub use self::heavy_turns::{HeavyTurn, HeavyTurns, Pauses};
pub use self::limits::{AdmissionLimits, BURST_SECONDS, ConsumerLimits, MAX_RATE};
pub use self::live_counts::LiveCounts;
pub use self::refusals::HeldRefusal;
pub use self::slots::{Slot, SlotLimits, Slots};

/// How many calls of a person may be under way, those of their sessions counted, before their changes take turns.
const CHANGES_AT_ONCE: u32 = 2;

/// Decides whether a call may begin.
#[derive(Debug)]
pub struct Admission {
    calls: Slots,
    rates: Rates,
    refusals: Refusals,
    heavy_turns: HeavyTurns,
}

impl Admission {
    pub fn new(limits: &AdmissionLimits, pauses: Pauses) -> Self {
        Self {
            calls: Slots::new(limits.calls()),
            rates: Rates::new(limits),
            refusals: Refusals::default(),
            heavy_turns: HeavyTurns::new(pauses),
        }
    }

    /// A slot for a call; dropping it gives it back. A call that finds none takes nothing of the rate.
    pub fn admit(&self, consumer: &Consumer, method: Method) -> Result<Slot, Error> {
        let slot = self.calls.take(consumer, 1).map_err(|refused| refused.error("calls"))?;
        self.rates.check(consumer, CallClass::new(method))?;
        Ok(slot)
    }

    /// For a call that was admitted: the turns to wait for, if it is heavy, or if it is one of many changes that a person sends at
    /// once.
    pub fn heavy_turns(&self, slot: &Slot, consumer: &Consumer, method: Method) -> Option<HeavyTurns> {
        let is_person = consumer.key.class() == ConsumerClass::Person;
        if is_heavy(method) || (is_person && method.is_mutation() && slot.place() > CHANGES_AT_ONCE) {
            return Some(self.heavy_turns.clone());
        }
        self.heavy_turns.note_short_call(consumer);
        None
    }

    /// How long a refusal is kept back: of a caller who was refused often of late, and so does not wait when told to.
    pub fn pause(&self, consumer: &Consumer) -> Option<HeldRefusal> {
        self.refusals.pause(consumer)
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use secrets_core::Uid;

    use super::*;
    use crate::error::Reason;

    fn person(uid: u128) -> Consumer {
        Consumer {
            key: ConsumerKey::User(Uid::from_u128(uid)),
            credential: Uid::from_u128(uid),
            is_session: false,
            organization: None,
        }
    }

    #[test]
    fn what_has_no_slot_takes_nothing_of_the_rate() {
        let mut limits = AdmissionLimits::default();
        limits.person.calls = NonZeroU32::MIN;
        limits.person.rate = NonZeroU32::MIN;
        let admission = Admission::new(&limits, Pauses::After);
        let only = admission.admit(&person(1), Method::Resolve).unwrap();
        for _ in 0..100 {
            assert!(admission.admit(&person(1), Method::CreateSecret).is_err());
        }
        drop(only);
        for _ in 0..BURST_SECONDS {
            drop(admission.admit(&person(1), Method::CreateSecret).unwrap());
        }
        let refused = admission.admit(&person(1), Method::CreateSecret).unwrap_err();
        assert_eq!(refused.reason(), Reason::RateLimited);
        assert!(refused.retry_delay().is_some_and(|wait| !wait.is_zero()));
        // What was refused gave its slot back, and a resolve has no rate.
        for _ in 0..100 {
            drop(admission.admit(&person(1), Method::Resolve).unwrap());
        }
    }

    #[test]
    fn what_reads_a_whole_scope_takes_turns_and_so_do_many_changes_of_a_person() {
        let admission = Admission::new(&AdmissionLimits::default(), Pauses::After);
        let program = Consumer { key: ConsumerKey::ServiceAccount(Uid::from_u128(7)), ..person(7) };
        for (consumer, most) in [(person(1), 2), (program, usize::MAX)] {
            let slots: Vec<_> = (0..6).map(|_| admission.admit(&consumer, Method::CreateSession).unwrap()).collect();
            for (place, slot) in slots.iter().enumerate() {
                let takes_turns = |method| admission.heavy_turns(slot, &consumer, method).is_some();
                assert_eq!(takes_turns(Method::CreateSession), place >= most, "{place}");
                assert!(takes_turns(Method::ListSecrets) && !takes_turns(Method::Resolve));
            }
        }
    }
}
