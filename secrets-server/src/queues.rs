//! A queue for each key: so many at a time of what has the same key, in the order in which they came.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The queues, each of which is there as long as somebody is in it. Clones share them.
#[derive(Debug)]
pub(crate) struct Queues<K> {
    /// How many of a key are at its head at a time.
    at_once: usize,
    by_key: Arc<Mutex<HashMap<K, Arc<Semaphore>>>>,
}

impl<K: Copy + Eq + Hash> Queues<K> {
    pub(crate) fn new(at_once: usize) -> Self {
        Self { at_once, by_key: Arc::default() }
    }

    /// Waits until it is at the head of its queue, and stays there until what it returns is dropped. Whoever drops the future is no
    /// longer in the queue.
    pub(crate) async fn next(&self, key: K) -> Head<K> {
        let queue = self.queue(key);
        // Made before the wait, so that whoever gives up takes the queue along too.
        let mut head = Head { by_key: Arc::clone(&self.by_key), key, queue: Some(Arc::clone(&queue)), permit: None };
        // It fails when the queue is closed, which none is.
        head.permit = queue.acquire_owned().await.ok();
        head
    }

    fn queue(&self, key: K) -> Arc<Semaphore> {
        let mut by_key = self.by_key.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(by_key.entry(key).or_insert_with(|| Arc::new(Semaphore::new(self.at_once))))
    }

    #[cfg(test)]
    pub(crate) fn is_empty(&self) -> bool {
        self.by_key.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }
}

/// A place at the head of a queue. Dropping it ends it.
#[derive(Debug)]
pub(crate) struct Head<K: Copy + Eq + Hash> {
    by_key: Arc<Mutex<HashMap<K, Arc<Semaphore>>>>,
    key: K,
    queue: Option<Arc<Semaphore>>,
    permit: Option<OwnedSemaphorePermit>,
}

impl<K: Copy + Eq + Hash> Drop for Head<K> {
    fn drop(&mut self) {
        self.permit = None;
        self.queue = None;
        let mut by_key = self.by_key.lock().unwrap_or_else(PoisonError::into_inner);
        if by_key.get(&self.key).is_some_and(|queue| Arc::strong_count(queue) == 1) {
            by_key.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    const A_WHILE: Duration = Duration::from_millis(20);

    #[tokio::test(start_paused = true)]
    async fn so_many_of_a_key_are_at_its_head() {
        let queues = Queues::new(2);
        let (first, second) = (queues.next("acme").await, queues.next("acme").await);
        assert!(timeout(A_WHILE, queues.next("acme")).await.is_err());
        drop(queues.next("rival").await);
        drop(first);
        let third = queues.next("acme").await;
        drop((second, third));
        assert!(queues.is_empty());
    }
}
