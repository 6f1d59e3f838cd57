//! The limits of callers, which are configured.

use std::num::NonZeroU32;

use super::consumer::ConsumerClass;
use super::slots::SlotLimits;

/// How many seconds of its rate a caller may use at once. Work comes in bursts: a script that sets up a project, a
/// demonstration, a list of many pages. Ten seconds let a person make 200 calls without a pause, which none of these needs, and
/// are soon over for whoever does not stop.
pub const BURST_SECONDS: u32 = 10;
/// The highest rate, a call a microsecond: more is none.
pub const MAX_RATE: NonZeroU32 = positive(1_000_000);

/// How much one caller and all together may take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdmissionLimits {
    /// Calls under way in all.
    pub calls: NonZeroU32,
    /// Open watches in all.
    pub watches: NonZeroU32,
    /// Live sessions that a session created, with those that these created.
    pub sessions_per_session: NonZeroU32,
    /// Of a person with their sessions, or of a session that serves nobody.
    pub person: ConsumerLimits,
    pub service_account: ConsumerLimits,
}

/// How much one caller may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConsumerLimits {
    /// Calls under way.
    pub calls: NonZeroU32,
    /// Changes, lists and explains a second.
    pub rate: NonZeroU32,
    /// Open watches.
    pub watches: NonZeroU32,
    /// Live sessions that it created.
    pub sessions: NonZeroU32,
}

impl Default for AdmissionLimits {
    fn default() -> Self {
        Self {
            calls: positive(8_192),
            watches: positive(20_000),
            sessions_per_session: positive(100),
            // A watch for each session that it may have.
            person: ConsumerLimits {
                calls: positive(64),
                rate: positive(20),
                watches: positive(1_024),
                sessions: positive(1_000),
            },
            service_account: ConsumerLimits {
                calls: positive(1_024),
                rate: positive(2_000),
                watches: positive(8_192),
                sessions: positive(200_000),
            },
        }
    }
}

impl ConsumerLimits {
    /// How many calls of the rate may be made at once.
    pub fn burst(&self) -> NonZeroU32 {
        self.rate.saturating_mul(positive(BURST_SECONDS))
    }
}

impl AdmissionLimits {
    pub fn of(&self, class: ConsumerClass) -> &ConsumerLimits {
        match class {
            ConsumerClass::Person => &self.person,
            ConsumerClass::ServiceAccount => &self.service_account,
        }
    }

    pub(super) fn calls(&self) -> SlotLimits {
        let (person, service_account) = (self.person.calls.get(), self.service_account.calls.get());
        SlotLimits { all: self.calls.get(), person, service_account, evicts: false }
    }

    /// The limits of watches, which are open without end.
    pub fn watches(&self) -> SlotLimits {
        let (person, service_account) = (self.person.watches.get(), self.service_account.watches.get());
        SlotLimits { all: self.watches.get(), person, service_account, evicts: true }
    }
}

const fn positive(number: u32) -> NonZeroU32 {
    match NonZeroU32::new(number) {
        Some(number) => number,
        None => NonZeroU32::MIN,
    }
}
