//! The tokens that were found lately: whoever presents one of them does not wait for those who present what nobody ever made.
//!
//! This decides about the order only. Whether a credential is alive is read at every call.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::{Semaphore, SemaphorePermit};

/// How many tokens each of the two halves remembers: together at most about 6 MiB.
const MAX_TOKENS: usize = 50_000;
/// How many others are looked up at once: the rest of the database's connections is for those who are known.
const OTHER_LOOKUPS: usize = 2;

/// What the store knows of a token.
pub(super) type TokenMac = [u8; 32];

pub(super) struct FamiliarTokens {
    recent: Mutex<Recent>,
    others: Semaphore,
}

/// What was found since the last half was full, and the half before it: of what is used all the time, nothing is forgotten.
#[derive(Default)]
struct Recent {
    newer: HashSet<TokenMac>,
    older: HashSet<TokenMac>,
}

impl FamiliarTokens {
    pub(super) fn new() -> Self {
        Self { recent: Mutex::default(), others: Semaphore::new(OTHER_LOOKUPS) }
    }

    pub(super) fn contains(&self, token: &TokenMac) -> bool {
        let recent = self.recent();
        recent.newer.contains(token) || recent.older.contains(token)
    }

    /// Remembers a token that was found.
    pub(super) fn insert(&self, token: TokenMac) {
        let mut recent = self.recent();
        if recent.newer.len() >= MAX_TOKENS && !recent.newer.contains(&token) {
            recent.older = std::mem::take(&mut recent.newer);
        }
        recent.newer.insert(token);
    }

    /// Waits until another token may be looked up.
    pub(super) async fn other_lookup(&self) -> Option<SemaphorePermit<'_>> {
        // Never closed.
        self.others.acquire().await.ok()
    }

    fn recent(&self) -> MutexGuard<'_, Recent> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(number: usize) -> TokenMac {
        let mut token = [0; 32];
        token[..8].copy_from_slice(&number.to_be_bytes());
        token
    }

    #[test]
    fn what_is_remembered_is_bounded_and_what_is_used_stays() {
        let tokens = FamiliarTokens::new();
        for number in 1..=5 * MAX_TOKENS {
            tokens.insert(token(number));
            if number.is_multiple_of(1000) {
                tokens.insert(token(0));
            }
        }
        let recent = tokens.recent();
        assert!(recent.newer.len() <= MAX_TOKENS && recent.older.len() <= MAX_TOKENS);
        drop(recent);
        assert!(tokens.contains(&token(0)) && tokens.contains(&token(5 * MAX_TOKENS)));
        assert!(!tokens.contains(&token(1)));
    }

    #[tokio::test]
    async fn few_others_are_looked_up_at_once() {
        let tokens = FamiliarTokens::new();
        let mut permits = Vec::new();
        for _ in 0..OTHER_LOOKUPS {
            permits.push(tokens.other_lookup().await);
        }
        assert!(tokens.others.try_acquire().is_err());
        permits.pop();
        assert!(tokens.others.try_acquire().is_ok());
    }
}
