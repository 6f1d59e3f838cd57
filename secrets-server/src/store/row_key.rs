//! The key under which rows that decide have their MACs ([`row_mac`](super::row_mac)), as a connection carries it.

mod damaged_rows;

use std::sync::Arc;

use crate::crypto::Transcript;

pub use damaged_rows::DamagedRows;

/// The key of the rows.
pub trait RowKey: Send + Sync {
    /// The MAC of a row.
    fn mac(&self, row: &Transcript) -> Vec<u8>;
    /// Whether it is that of this row.
    fn verify(&self, row: &Transcript, mac: &[u8]) -> bool;
}

/// What is needed to write rows, and to read them.
#[derive(Clone)]
pub struct Rows {
    pub(super) key: Arc<dyn RowKey>,
    pub(super) damaged: Arc<DamagedRows>,
}

impl Rows {
    /// Before the keys are open: nothing verifies.
    pub(super) fn without_key() -> Self {
        Self { key: Arc::new(NoRowKey), damaged: Arc::default() }
    }

    pub(super) fn with_key(&self, key: Arc<dyn RowKey>) -> Self {
        Self { key, damaged: Arc::clone(&self.damaged) }
    }
}

struct NoRowKey;

impl RowKey for NoRowKey {
    fn mac(&self, _: &Transcript) -> Vec<u8> {
        Vec::new()
    }

    fn verify(&self, _: &Transcript, _: &[u8]) -> bool {
        false
    }
}
