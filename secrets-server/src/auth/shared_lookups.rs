//! Many calls at once with the same token have one look-up at a time between them: a caller with as many calls as there can be
//! takes no more of the database than one with two.
//!
//! # Invariant
//!
//! What a call gets was read after the call had come: a credential that has ended before it is never found. So nobody shares a
//! look-up that had begun already; those who come during one share the next.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The look-ups under way, by what is looked up.
pub(super) struct SharedLookups<K: Eq + Hash + Copy, T> {
    by_key: Mutex<HashMap<K, Waited<T>>>,
}

struct Waited<T> {
    callers: usize,
    lookups: Arc<Lookups<T>>,
}

/// The look-ups of one thing, one after the other.
struct Lookups<T> {
    turn: tokio::sync::Mutex<()>,
    state: Mutex<State<T>>,
}

struct State<T> {
    /// How many have begun.
    begun: u64,
    /// What the last one that found something has found, and how many had begun with it.
    found: Option<(u64, Arc<T>)>,
}

impl<T> Default for Lookups<T> {
    fn default() -> Self {
        Self { turn: tokio::sync::Mutex::default(), state: Mutex::new(State { begun: 0, found: None }) }
    }
}

impl<K: Eq + Hash + Copy, T> SharedLookups<K, T> {
    pub(super) fn new() -> Self {
        Self { by_key: Mutex::default() }
    }

    /// What `look_up` finds of `key`, or what another call's look-up found that began after this call had come. An error is
    /// nobody else's.
    pub(super) async fn find<E>(&self, key: K, look_up: impl Future<Output = Result<T, E>>) -> Result<Arc<T>, E> {
        let waiting = self.wait(key);
        let begun_before = waiting.lookups.state().begun;
        let _turn = waiting.lookups.turn.lock().await;
        if let Some((begun, found)) = &waiting.lookups.state().found
            && *begun > begun_before
        {
            return Ok(Arc::clone(found));
        }
        let begun = waiting.lookups.begin();
        let found = Arc::new(look_up.await?);
        waiting.lookups.state().found = Some((begun, Arc::clone(&found)));
        Ok(found)
    }

    fn wait(&self, key: K) -> Waiting<'_, K, T> {
        let mut by_key = self.by_key();
        let waited = by_key.entry(key).or_insert_with(|| Waited { callers: 0, lookups: Arc::default() });
        waited.callers += 1;
        Waiting { shared: self, key, lookups: Arc::clone(&waited.lookups) }
    }

    fn by_key(&self) -> MutexGuard<'_, HashMap<K, Waited<T>>> {
        self.by_key.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Lookups<T> {
    fn begin(&self) -> u64 {
        let mut state = self.state();
        state.begun += 1;
        state.begun
    }

    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A call that waits; the last one forgets what was found.
struct Waiting<'a, K: Eq + Hash + Copy, T> {
    shared: &'a SharedLookups<K, T>,
    key: K,
    lookups: Arc<Lookups<T>>,
}

impl<K: Eq + Hash + Copy, T> Drop for Waiting<'_, K, T> {
    fn drop(&mut self) {
        let mut by_key = self.shared.by_key();
        if let Some(waited) = by_key.get_mut(&self.key) {
            waited.callers -= 1;
            if waited.callers == 0 {
                by_key.remove(&self.key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures_util::FutureExt as _;
    use futures_util::future::join_all;
    use tokio::sync::oneshot;

    use super::*;

    type Shared = SharedLookups<u8, usize>;

    /// A look-up that ends when it is told to, and finds how many there were.
    async fn held(shared: &Shared, count: &AtomicUsize, end: oneshot::Receiver<()>) -> usize {
        let found = shared.find(1, async {
            let number = count.fetch_add(1, Ordering::Relaxed) + 1;
            end.await.unwrap();
            Ok::<_, Infallible>(number)
        });
        *found.await.unwrap()
    }

    async fn at_once(shared: &Shared, count: &AtomicUsize) -> usize {
        *shared.find(1, async { Ok::<_, Infallible>(count.fetch_add(1, Ordering::Relaxed) + 1) }).await.unwrap()
    }

    #[tokio::test]
    async fn those_who_come_during_a_look_up_share_the_next() {
        let (shared, count) = (Shared::new(), AtomicUsize::new(0));
        let (end, ended) = oneshot::channel();
        let mut first = Box::pin(held(&shared, &count, ended));
        assert!(first.as_mut().now_or_never().is_none());
        let mut others = Box::pin(join_all((0..100).map(|_| at_once(&shared, &count))));
        assert!(others.as_mut().now_or_never().is_none());
        end.send(()).unwrap();
        assert_eq!(first.await, 1);
        assert!(others.await.into_iter().all(|found| found == 2), "what was read before they came is not theirs");
        assert_eq!(count.load(Ordering::Relaxed), 2);
        assert!(shared.by_key().is_empty(), "nothing is kept");
    }

    #[tokio::test]
    async fn whoever_comes_later_looks_again() {
        let (shared, count) = (Shared::new(), AtomicUsize::new(0));
        assert_eq!(at_once(&shared, &count).await, 1);
        assert_eq!(at_once(&shared, &count).await, 2);
    }

    #[tokio::test]
    async fn the_look_up_of_a_caller_who_hung_up_is_made_by_the_next() {
        let (shared, count) = (Shared::new(), AtomicUsize::new(0));
        let (_end, ended) = oneshot::channel();
        let mut first = Box::pin(held(&shared, &count, ended));
        assert!(first.as_mut().now_or_never().is_none());
        let mut second = Box::pin(at_once(&shared, &count));
        assert!(second.as_mut().now_or_never().is_none());
        drop(first);
        assert_eq!(second.await, 2);
        assert!(shared.by_key().is_empty());
    }

    #[tokio::test]
    async fn an_error_is_nobody_elses() {
        let (shared, count) = (Shared::new(), AtomicUsize::new(0));
        assert_eq!(shared.find(1, async { Err("gone") }).await, Err("gone"));
        assert_eq!(at_once(&shared, &count).await, 1);
    }
}
