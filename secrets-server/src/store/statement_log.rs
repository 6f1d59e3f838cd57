//! A log of the statements that were sent, so that a test can assert how many a use case needs.

use std::sync::{Arc, Mutex, PoisonError};

use sea_orm::DatabaseConnection;

/// Collects the text of each statement, with placeholders in the place of values. Beginning and ending a transaction
/// is not counted. Cheap to clone; the clones share one log.
#[derive(Clone, Debug, Default)]
pub struct StatementLog(Arc<Mutex<Vec<String>>>);

impl StatementLog {
    /// What was sent since the last call, oldest first.
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn attach(&self, connection: &mut DatabaseConnection) {
        let log = Arc::clone(&self.0);
        connection.set_metric_callback(move |info| {
            log.lock().unwrap_or_else(PoisonError::into_inner).push(info.statement.sql.clone());
        });
    }
}
