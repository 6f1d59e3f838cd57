//! Calls that a limit refused are counted per caller, limit and minute, not stored one by one: nobody can fill the log with
//! them.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use secrets_core::Uid;

use crate::admission::{Consumer, ConsumerKey};

/// More callers and limits than this within a minute are counted as one.
const MAX_ENTRIES: usize = 1024;
/// The longest name of a limit that is kept: longer than any that there is.
const MAX_LIMIT_BYTES: usize = 64;

/// Counts of the running minute.
#[derive(Debug, Default)]
pub struct RefusedCalls(Mutex<HashMap<Option<Refused>, u64>>);

/// Whose calls were refused by which limit.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Refused {
    pub caller: ConsumerKey,
    /// None for the platform's.
    pub organization: Option<Uid>,
    /// As in the error's metadata.
    pub limit: String,
}

impl RefusedCalls {
    /// Counts a call of `consumer`.
    pub fn count(&self, consumer: &Consumer, limit: &str) {
        let limit = limit.chars().take(MAX_LIMIT_BYTES).collect();
        let refused = Some(Refused { caller: consumer.key, organization: consumer.organization, limit });
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = counts.len() < MAX_ENTRIES || counts.contains_key(&refused);
        *counts.entry(if known { refused } else { None }).or_default() += 1;
    }

    /// Takes what was counted; whose calls nobody knows are those beyond the bound.
    pub fn take(&self) -> Vec<(Option<Refused>, u64)> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner)).into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn consumer(user: u128) -> Consumer {
        Consumer {
            key: ConsumerKey::User(Uid::from_u128(user)),
            credential: Uid::from_u128(user),
            is_session: false,
            organization: None,
        }
    }

    #[test]
    fn calls_of_one_caller_are_one_entry_for_each_limit() {
        let counts = RefusedCalls::default();
        for limit in ["calls", "rate", "calls"] {
            counts.count(&consumer(1), limit);
        }
        let mut seen: Vec<_> =
            counts.take().into_iter().map(|(refused, count)| (refused.unwrap().limit, count)).collect();
        seen.sort();
        assert_eq!(seen, [("calls".to_owned(), 2), ("rate".to_owned(), 1)]);
        assert!(counts.take().is_empty());
    }

    #[test]
    fn callers_beyond_the_bound_are_counted_together() {
        let counts = RefusedCalls::default();
        for user in 0..MAX_ENTRIES + 10 {
            counts.count(&consumer(user.try_into().unwrap()), "calls");
        }
        let taken = counts.take();
        assert_eq!(taken.len(), MAX_ENTRIES + 1);
        assert!(taken.contains(&(None, 10)));
    }
}
