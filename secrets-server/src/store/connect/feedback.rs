//! What transactions learn of PostgreSQL, for the pool that their connections come from, and for whoever asks whether it works.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use sea_orm::{DbErr, RuntimeErr, SqlxError};

/// read_only_sql_transaction
const READ_ONLY: &str = "25006";

/// Shared by all transactions of a pool.
#[derive(Clone, Debug, Default)]
pub(in crate::store) struct Feedback {
    commits: Arc<AtomicU64>,
    refused: Arc<Mutex<Option<Instant>>>,
}

impl Feedback {
    /// Counts a commit.
    pub(in crate::store) fn committed(&self) {
        self.commits.fetch_add(1, Ordering::Relaxed);
    }

    /// How many commits there were.
    pub(in crate::store) fn commits(&self) -> u64 {
        self.commits.load(Ordering::Relaxed)
    }

    /// Learns of a statement that failed. When the database is read-only, as a standby is, and as one can be set to be, some
    /// connections stay so after it has changed: those that were made by then are of no more use.
    pub(in crate::store) fn failed(&self, error: &DbErr) {
        if is_read_only(error) {
            *self.refused.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        }
    }

    /// Whether a connection of this age may still be read-only.
    pub(super) fn may_be_read_only(&self, age: Duration) -> bool {
        let refused = *self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        refused.is_some_and(|refused| age >= refused.elapsed())
    }
}

fn is_read_only(error: &DbErr) -> bool {
    let (DbErr::Exec(RuntimeErr::SqlxError(cause)) | DbErr::Query(RuntimeErr::SqlxError(cause))) = error else {
        return false;
    };
    match cause.as_ref() {
        SqlxError::Database(error) => error.code().as_deref() == Some(READ_ONLY),
        _ => false,
    }
}
