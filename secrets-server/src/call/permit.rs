//! A call's slot among those that are under way.

use std::sync::Arc;

use crate::admission::Slot;

/// The slot of a call, which is given back when its last clone is dropped. In the extensions of each request whose caller is
/// known.
#[derive(Clone, Debug)]
pub struct CallPermit {
    _slot: Arc<Slot>,
}

impl CallPermit {
    pub fn new(slot: Slot) -> Self {
        Self { _slot: Arc::new(slot) }
    }
}
