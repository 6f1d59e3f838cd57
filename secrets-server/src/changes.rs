//! Who waits for changes: the open watches, what each of them depends on, and how many there may be.
//!
//! A watch subscribes to scopes: those of its context, its caller's own, the organization as a whole and the platform. Every
//! change that could matter to it counts as one of at least one of these: of the scope where a secret lives or a role is
//! held, of the organization when a credential ends, of the platform when something of it changes. Who commits a change here
//! tells at once ([`ChangeFeed::committed`]); changes of other servers on the same database are polled.
//!
//! What is told is only "look again": told twice it is the same, nothing piles up, and nothing about the change is kept.

pub(crate) mod poll;

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use secrets_core::Uid;
use tokio::sync::{Notify, Semaphore, SemaphorePermit};

use crate::store::PLATFORM;
use crate::store::revision::Revision;

/// Watches of one credential at a time.
pub const MOST_PER_CREDENTIAL: usize = 128;
/// Watches in all: each takes memory and a share of every change.
pub const MOST: usize = 20_000;
/// How many watches look again at the same time. A change that concerns thousands must leave connections for calls.
const TURNS: usize = 4;

/// All open watches of this process.
#[derive(Debug)]
pub struct ChangeFeed {
    state: Mutex<State>,
    turns: Semaphore,
}

#[derive(Debug, Default)]
struct State {
    next: u64,
    /// By scope: whom to tell.
    waiting: HashMap<Uid, HashMap<u64, Arc<Notify>>>,
    /// By organization, and [`PLATFORM`].
    histories: HashMap<Uid, History>,
    /// By credential: how many.
    seats: HashMap<Uid, usize>,
    seated: usize,
}

/// The history of an organization that is watched.
#[derive(Debug, Default)]
struct History {
    watches: usize,
    /// Up to where everybody was told; none before the first poll.
    told: Option<Revision>,
}

impl Default for ChangeFeed {
    fn default() -> Self {
        Self { state: Mutex::default(), turns: Semaphore::new(TURNS) }
    }
}

impl ChangeFeed {
    /// A place for one more watch of a credential, if there is one; it is given back when it is dropped.
    pub fn seat(self: &Arc<Self>, credential: Uid) -> Option<WatchPermit> {
        let mut state = self.state();
        let own = state.seats.get(&credential).copied().unwrap_or_default();
        if own >= MOST_PER_CREDENTIAL || state.seated >= MOST {
            return None;
        }
        state.seated += 1;
        state.seats.insert(credential, own + 1);
        Some(WatchPermit { watchers: Arc::clone(self), credential })
    }

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
        Subscription { watchers: Arc::clone(self), number, organization, scopes, changed }
    }

    /// Tells of a change that was committed here: it moved the history from `before` to `after`.
    pub fn committed(&self, organization: Uid, before: Revision, after: Revision, scopes: &[Uid]) {
        let mut state = self.state();
        if let Some(history) = state.histories.get_mut(&organization)
            && history.told == Some(before)
        {
            history.told = Some(after);
        }
        state.tell(scopes);
    }

    /// Waits until few enough others look.
    pub async fn turn(&self) -> Option<SemaphorePermit<'_>> {
        self.turns.acquire().await.ok()
    }

    /// Every watched history, and up to where its watches were told.
    fn histories(&self) -> Vec<(Uid, Option<Revision>)> {
        self.state().histories.iter().map(|(organization, history)| (*organization, history.told)).collect()
    }

    /// UsageBuffer that a history stands at `now`, and tells of what changed in it.
    fn seen(&self, organization: Uid, now: Revision, scopes: &[Uid]) {
        let mut state = self.state();
        if let Some(history) = state.histories.get_mut(&organization) {
            history.told = Some(now);
        }
        state.tell(scopes);
    }

    /// Tells everybody.
    fn tell_all(&self) {
        self.state().tell(&[PLATFORM]);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn tell(&self, scopes: &[Uid]) {
        let concerned = scopes.iter().filter_map(|scope| self.waiting.get(scope));
        // Told before it waits, a watch finds it; told twice, it is told once.
        concerned.flat_map(HashMap::values).for_each(|changed| changed.notify_one());
    }
}

/// What one watch waits for. It ends when it is dropped.
#[derive(Debug)]
pub struct Subscription {
    watchers: Arc<ChangeFeed>,
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

    /// Tells this one alone.
    pub fn tell(&self) {
        self.changed.notify_one();
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let mut state = self.watchers.state();
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

/// The place of one watch.
#[derive(Debug)]
pub struct WatchPermit {
    watchers: Arc<ChangeFeed>,
    credential: Uid,
}

impl Drop for WatchPermit {
    fn drop(&mut self) {
        let mut state = self.watchers.state();
        state.seated -= 1;
        if let Some(own) = state.seats.get_mut(&self.credential) {
            *own -= 1;
            if *own == 0 {
                state.seats.remove(&self.credential);
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

    async fn is_told(subscription: &Subscription) -> bool {
        timeout(Duration::from_millis(20), subscription.changed()).await.is_ok()
    }

    #[tokio::test]
    async fn a_watch_is_told_of_what_it_depends_on_and_of_nothing_else() {
        let watchers = Arc::new(ChangeFeed::default());
        let subscription = watchers.subscribe(ORGANIZATION, [PROJECT]);
        assert!(!is_told(&subscription).await);
        for (scope, told) in [(PROJECT, true), (OTHER, false), (ORGANIZATION, true), (PLATFORM, true)] {
            watchers.committed(ORGANIZATION, at(1), at(2), &[scope]);
            watchers.committed(ORGANIZATION, at(2), at(3), &[scope]);
            assert_eq!(is_told(&subscription).await, told, "{scope}");
            assert!(!is_told(&subscription).await, "once");
        }
    }

    #[test]
    fn what_was_told_here_is_not_told_again_by_the_poll() {
        let watchers = Arc::new(ChangeFeed::default());
        let _subscription = watchers.subscribe(ORGANIZATION, []);
        watchers.committed(ORGANIZATION, at(1), at(2), &[]);
        assert!(watchers.histories().contains(&(ORGANIZATION, None)), "where it stood before is not known");
        watchers.seen(ORGANIZATION, at(2), &[]);
        watchers.committed(ORGANIZATION, at(2), at(3), &[]);
        assert!(watchers.histories().contains(&(ORGANIZATION, Some(at(3)))));
        // Another server was faster with 4: the poll has to tell of it.
        watchers.committed(ORGANIZATION, at(4), at(5), &[]);
        assert!(watchers.histories().contains(&(ORGANIZATION, Some(at(3)))));
    }

    #[test]
    fn nothing_is_left_of_a_watch_that_ended() {
        let watchers = Arc::new(ChangeFeed::default());
        let first = watchers.subscribe(ORGANIZATION, [PROJECT]);
        let second = watchers.subscribe(ORGANIZATION, [PROJECT]);
        drop(first);
        assert_eq!(watchers.histories().len(), 2);
        drop(second);
        let state = watchers.state();
        assert!(state.waiting.is_empty() && state.histories.is_empty(), "{state:?}");
    }

    #[test]
    fn a_credential_has_so_many_watches_and_no_more() {
        let watchers = Arc::new(ChangeFeed::default());
        let mut seats: Vec<_> = (0..MOST_PER_CREDENTIAL).map(|_| watchers.seat(PROJECT).unwrap()).collect();
        assert!(watchers.seat(PROJECT).is_none());
        let other = watchers.seat(OTHER).unwrap();
        seats.pop();
        seats.push(watchers.seat(PROJECT).unwrap());
        drop((seats, other));
        assert!(watchers.state().seats.is_empty() && watchers.state().seated == 0);
    }
}
