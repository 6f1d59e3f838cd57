//! Rows that do not verify, until somebody reports them.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use secrets_core::Uid;

/// More rows than this are not told apart.
const MAX_ROWS: usize = 1_024;

/// The rows that did not verify since they were last taken, each once, however often it was read.
#[derive(Debug, Default)]
pub struct DamagedRows(Mutex<BTreeSet<(&'static str, Uid)>>);

impl DamagedRows {
    pub(in crate::store) fn note(&self, table: &'static str, uid: Uid) {
        let mut rows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if rows.len() < MAX_ROWS {
            rows.insert((table, uid));
        }
    }

    /// Takes what was noted: the table and the uid of each.
    pub fn take(&self) -> Vec<(&'static str, Uid)> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner)).into_iter().collect()
    }
}
