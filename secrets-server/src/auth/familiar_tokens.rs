//! The tokens that were found lately: whoever presents one of them does not wait for those who present what nobody ever made.
//!
//! This decides about the order only. Whether a credential is alive is read at every call.

use std::collections::HashSet;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::{Semaphore, SemaphorePermit};

use crate::queues::{Head, Queues};

/// How many tokens each of the two halves remembers: together at most about 6 MiB.
const MAX_TOKENS: usize = 50_000;
/// How many others are looked up at once: the rest of the database's connections is for those who are known.
const OTHER_LOOKUPS: usize = 2;

/// What the store knows of a token.
pub(super) type TokenMac = [u8; 32];

pub(super) struct FamiliarTokens {
    recent: Mutex<Recent>,
    others: Semaphore,
    sites: Queues<Option<IpAddr>>,
}

/// The turn to look up another token; it ends with this value.
pub(super) struct OtherLookup<'a> {
    _permit: Option<SemaphorePermit<'a>>,
    _place: Head<Option<IpAddr>>,
}

/// What was found since the last half was full, and the half before it: of what is used all the time, nothing is forgotten.
#[derive(Default)]
struct Recent {
    newer: HashSet<TokenMac>,
    older: HashSet<TokenMac>,
}

impl FamiliarTokens {
    pub(super) fn new() -> Self {
        Self { recent: Mutex::default(), others: Semaphore::new(OTHER_LOOKUPS), sites: Queues::new(OTHER_LOOKUPS) }
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

    /// Waits until another token may be looked up. Of each site few wait for the few that are: whoever comes from another one is
    /// not behind all that it sends.
    pub(super) async fn other_lookup(&self, site: Option<IpAddr>) -> OtherLookup<'_> {
        let place = self.sites.next(site).await;
        // Never closed.
        OtherLookup { _permit: self.others.acquire().await.ok(), _place: place }
    }

    fn recent(&self) -> MutexGuard<'_, Recent> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

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
            permits.push(tokens.other_lookup(None).await);
        }
        assert!(tokens.others.try_acquire().is_err());
        permits.pop();
        assert!(tokens.others.try_acquire().is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_comes_from_another_site_is_not_behind_all_of_a_flood() {
        let tokens = Arc::new(FamiliarTokens::new());
        let site = |last| Some(IpAddr::from([192, 0, 2, last]));
        let looked_up = Arc::new(Mutex::new(Vec::new()));
        let mut lookups = tokio::task::JoinSet::new();
        for from in [[1; 20].as_slice(), &[2]].concat() {
            let (tokens, looked_up) = (Arc::clone(&tokens), Arc::clone(&looked_up));
            lookups.spawn(async move {
                let _turn = tokens.other_lookup(site(from)).await;
                looked_up.lock().unwrap().push(from);
                tokio::time::sleep(std::time::Duration::from_millis(1)).await;
            });
        }
        lookups.join_all().await;
        let place = looked_up.lock().unwrap().iter().position(|from| *from == 2);
        assert!(place.is_some_and(|place| place <= 2 * OTHER_LOOKUPS), "{place:?}");
        assert!(tokens.sites.is_empty());
    }
}
