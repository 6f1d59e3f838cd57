use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether a transaction has written anything yet. Clones look at the same transaction.
#[derive(Clone, Debug, Default)]
pub struct FirstWrite(Arc<AtomicBool>);

impl FirstWrite {
    /// Whether it has.
    pub fn happened(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }

    /// Notes that it has, or is about to.
    pub fn note(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// Begins anew: what was written was undone, and nothing is held any more.
    pub fn reset(&self) {
        self.0.store(false, Ordering::Release);
    }
}
