//! Who waits for changes: the open watches, and what each of them depends on.
//!
//! A watch subscribes to scopes: those of its context, its caller's own, the organization as a whole and the platform. Every
//! change that could matter to it counts as one of at least one of these: of the scope where a secret lives or a role is
//! held, of the organization when a credential ends, of the platform when something of it changes. Who commits a change here
//! notifies at once ([`ChangeFeed::committed`]); changes of other servers on the same database are polled.
//!
//! A notification says only "look again": two are as good as one, nothing piles up, and nothing about the change is kept.

pub(crate) mod poll;

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use secrets_core::Uid;
use tokio::sync::{Notify, Semaphore, SemaphorePermit};

use crate::store::PLATFORM;
use crate::store::revision::Revision;

/// Watches that refresh at the same time. A change that concerns thousands must leave connections for calls.
const MAX_CONCURRENT_REFRESHES: usize = 4;

/// All open watches of this process.
#[derive(Debug)]
pub struct ChangeFeed {
    state: Mutex<State>,
    refreshes: Semaphore,
}

#[derive(Debug, Default)]
struct State {
    next: u64,
    /// By scope: whom to notify.
    waiting: HashMap<Uid, HashMap<u64, Arc<Notify>>>,
    /// By organization, and [`PLATFORM`].
    histories: HashMap<Uid, History>,
}

/// The history of an organization that is watched.
#[derive(Debug, Default)]
struct History {
    watches: usize,
    /// Up to where everybody was notified; none before the first poll.
    notified_up_to: Option<Revision>,
}

impl Default for ChangeFeed {
    fn default() -> Self {
        Self { state: Mutex::default(), refreshes: Semaphore::new(MAX_CONCURRENT_REFRESHES) }
    }
}

impl ChangeFeed {
    /// Waits for changes of any of these scopes of an organization, and of the organization and the platform as a whole.
    pub fn subscribe(self: &Arc<Self>, organization: Uid, scopes: impl IntoIterator<Item = Uid>) -> Subscription {
        let scopes: BTreeSet<Uid> = scopes.into_iter().chain([organization, PLATFORM]).collect();
        let changed = Arc::new(Notify::new());
        let mut state = self.state();
        let number = state.next;
        state.next += 1;
        for scope in &scopes {
            state.waiting.entry(*scope).or_default().insert(number, Arc::clone(&changed));
        }
        for history in [organization, PLATFORM] {
            state.histories.entry(history).or_default().watches += 1;
        }
        Subscription { feed: Arc::clone(self), number, organization, scopes, changed }
    }

    /// Notifies of a change that was committed here: it moved the history from `before` to `after`.
    pub fn committed(&self, organization: Uid, before: Revision, after: Revision, scopes: &[Uid]) {
        let mut state = self.state();
        if let Some(history) = state.histories.get_mut(&organization)
            && history.notified_up_to == Some(before)
        {
            history.notified_up_to = Some(after);
        }
        state.notify(scopes);
    }

    /// Waits until few enough other watches refresh.
    pub async fn refresh_permit(&self) -> Option<SemaphorePermit<'_>> {
        self.refreshes.acquire().await.ok()
    }

    /// Every watched history, and up to where its watches were notified.
    fn histories(&self) -> Vec<(Uid, Option<Revision>)> {
        self.state().histories.iter().map(|(organization, history)| (*organization, history.notified_up_to)).collect()
    }

    /// Advances a history to `now`, and notifies of what changed in it.
    fn advance(&self, organization: Uid, now: Revision, scopes: &[Uid]) {
        let mut state = self.state();
        if let Some(history) = state.histories.get_mut(&organization) {
            history.notified_up_to = Some(now);
        }
        state.notify(scopes);
    }

    /// Notifies everybody.
    fn notify_all(&self) {
        self.state().notify(&[PLATFORM]);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn notify(&self, scopes: &[Uid]) {
        let concerned = scopes.iter().filter_map(|scope| self.waiting.get(scope));
        // Notified before it waits, a watch finds it; notified twice, it wakes once.
        concerned.flat_map(HashMap::values).for_each(|changed| changed.notify_one());
    }
}

/// What one watch waits for. It ends when it is dropped.
#[derive(Debug)]
pub struct Subscription {
    feed: Arc<ChangeFeed>,
    number: u64,
    organization: Uid,
    scopes: BTreeSet<Uid>,
    changed: Arc<Notify>,
}

impl Subscription {
    /// Returns when one of the scopes has changed since it last returned.
    pub async fn changed(&self) {
        self.changed.notified().await;
    }

    /// Notifies this one alone.
    pub fn notify(&self) {
        self.changed.notify_one();
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let mut state = self.feed.state();
        for scope in &self.scopes {
            if let Some(waiting) = state.waiting.get_mut(scope) {
                waiting.remove(&self.number);
                if waiting.is_empty() {
                    state.waiting.remove(scope);
                }
            }
        }
        for organization in [self.organization, PLATFORM] {
            if let Some(history) = state.histories.get_mut(&organization) {
                history.watches -= 1;
                if history.watches == 0 {
                    state.histories.remove(&organization);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    const ORGANIZATION: Uid = Uid::from_u128(1);
    const PROJECT: Uid = Uid::from_u128(2);
    const OTHER: Uid = Uid::from_u128(3);

    fn at(revision: u64) -> Revision {
        Revision { revision, change_id: Uid::from_u128(revision.into()) }
    }

    async fn is_notified(subscription: &Subscription) -> bool {
        timeout(Duration::from_millis(20), subscription.changed()).await.is_ok()
    }

    #[tokio::test]
    async fn a_watch_is_notified_of_what_it_depends_on_and_of_nothing_else() {
        let feed = Arc::new(ChangeFeed::default());
        let subscription = feed.subscribe(ORGANIZATION, [PROJECT]);
        assert!(!is_notified(&subscription).await);
        for (scope, is_concerned) in [(PROJECT, true), (OTHER, false), (ORGANIZATION, true), (PLATFORM, true)] {
            feed.committed(ORGANIZATION, at(1), at(2), &[scope]);
            feed.committed(ORGANIZATION, at(2), at(3), &[scope]);
            assert_eq!(is_notified(&subscription).await, is_concerned, "{scope}");
            assert!(!is_notified(&subscription).await, "once");
        }
    }

    #[test]
    fn what_was_notified_here_is_not_notified_again_by_the_poll() {
        let feed = Arc::new(ChangeFeed::default());
        let _subscription = feed.subscribe(ORGANIZATION, []);
        feed.committed(ORGANIZATION, at(1), at(2), &[]);
        assert!(feed.histories().contains(&(ORGANIZATION, None)), "where it stood before is not known");
        feed.advance(ORGANIZATION, at(2), &[]);
        feed.committed(ORGANIZATION, at(2), at(3), &[]);
        assert!(feed.histories().contains(&(ORGANIZATION, Some(at(3)))));
        // Another server was faster with 4: the poll has to notify of it.
        feed.committed(ORGANIZATION, at(4), at(5), &[]);
        assert!(feed.histories().contains(&(ORGANIZATION, Some(at(3)))));
    }

    #[test]
    fn nothing_is_left_of_a_watch_that_ended() {
        let feed = Arc::new(ChangeFeed::default());
        let first = feed.subscribe(ORGANIZATION, [PROJECT]);
        let second = feed.subscribe(ORGANIZATION, [PROJECT]);
        drop(first);
        assert_eq!(feed.histories().len(), 2);
        drop(second);
        let state = feed.state();
        assert!(state.waiting.is_empty() && state.histories.is_empty(), "{state:?}");
    }
}
