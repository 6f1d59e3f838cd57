//! Failed authentications are counted per address and minute, not stored one by one: a stranger can't fill the log.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use secrets_core::Timestamp;

use crate::crypto::{Random, RandomError, random_uid};
use crate::store::audit::{AuditKind, AuditRecord};

/// More addresses than this within a minute are counted as one.
const MAX_ADDRESSES: usize = 1024;
/// Stands for the addresses beyond.
const OTHERS: &str = "others";

/// Counts of the running minute.
#[derive(Debug, Default)]
pub struct FailedLogins(Mutex<HashMap<String, u64>>);

impl FailedLogins {
    /// Counts a failure from `peer`, an address with or without a port.
    pub fn count(&self, peer: &str) {
        let address = peer.rsplit_once(':').map_or(peer, |(address, _)| address);
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let address = if counts.len() < MAX_ADDRESSES || counts.contains_key(address) { address } else { OTHERS };
        *counts.entry(address.to_owned()).or_default() += 1;
    }

    /// Takes what was counted, as events of the platform.
    pub fn take(&self, random: &dyn Random, now: Timestamp) -> Result<Vec<AuditRecord>, RandomError> {
        let counts = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        counts
            .into_iter()
            .map(|(address, count)| {
                let outcome = super::Outcome::Denied.as_str();
                Ok(AuditRecord {
                    kind: AuditKind::Refusal,
                    peer: address,
                    reason: "UNAUTHENTICATED".to_owned(),
                    detail: format!("{{\"count\":{count}}}"),
                    ..AuditRecord::without_call(random_uid(random)?, now, "authenticate", outcome)
                })
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::SystemRandom;

    #[test]
    fn failures_of_one_address_are_one_event() {
        let counts = FailedLogins::default();
        counts.count("10.0.0.1:4711");
        counts.count("10.0.0.1:4712");
        counts.count("[::1]:4712");
        let mut rows = counts.take(&SystemRandom, Timestamp::from_micros(0)).unwrap();
        rows.sort_by(|a, b| a.peer.cmp(&b.peer));
        let seen: Vec<_> = rows.iter().map(|row| (row.peer.as_str(), row.detail.as_str())).collect();
        assert_eq!(seen, [("10.0.0.1", "{\"count\":2}"), ("[::1]", "{\"count\":1}")]);
        assert!(counts.take(&SystemRandom, Timestamp::from_micros(0)).unwrap().is_empty());
    }

    #[test]
    fn addresses_beyond_the_bound_are_counted_together() {
        let counts = FailedLogins::default();
        for n in 0..MAX_ADDRESSES + 10 {
            counts.count(&format!("10.0.{}.{}:1", n / 256, n % 256));
        }
        let rows = counts.take(&SystemRandom, Timestamp::from_micros(0)).unwrap();
        assert_eq!(rows.len(), MAX_ADDRESSES + 1);
        assert!(rows.iter().any(|row| row.peer == OTHERS && row.detail == "{\"count\":10}"));
    }
}
