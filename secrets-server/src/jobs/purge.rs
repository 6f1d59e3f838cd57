//! Removes what is due: deleted secrets and users whose window has closed, first results that are no longer kept, sessions
//! and invitations that ended long ago, and what is [kept no longer](super::retention). In small slices, so that no call waits long for the writer.

use std::time::Duration;

use secrets_core::Timestamp;

use super::Jobs;
use crate::error::Error;
use crate::retention::ENDED_CREDENTIALS_RETENTION;
use crate::store::{self, credential, idempotency, secret, user};

/// Between two purges.
pub(super) const INTERVAL: Duration = Duration::from_secs(60);
/// Rows of each kind in one transaction.
pub(super) const SLICE_ROWS: u64 = 100;
/// Between two slices, so that calls come in between.
const SLICE_INTERVAL: Duration = Duration::from_millis(20);

impl Jobs {
    /// Purges and logs the outcome. Several replicas may purge one database.
    pub(super) async fn purge_and_log(&self) {
        match self.purge().await {
            Ok(0) => {}
            Ok(rows) => tracing::info!(rows, "purged what was due"),
            Err(error) => {
                tracing::warn!(%error, "the purge failed; it is tried again");
                error.log_cause();
            }
        }
    }

    /// Removes all that is due, slice by slice; returns how many rows.
    pub async fn purge(&self) -> Result<u64, Error> {
        let now = self.clock.now();
        let mut all = 0;
        loop {
            match self.purge_slice(now).await? + self.retention_slice(now).await? {
                0 => return Ok(all),
                rows => all += rows,
            }
            tokio::time::sleep(SLICE_INTERVAL).await;
        }
    }

    async fn purge_slice(&self, now: Timestamp) -> Result<u64, Error> {
        let transaction = self.store.begin().await?;
        let mut rows = secret::purge_due(&transaction, now, SLICE_ROWS).await?;
        // After their secrets, which go at the same time.
        rows += user::purge(&transaction, now, SLICE_ROWS).await?;
        rows += idempotency::purge_expired(&transaction, now, SLICE_ROWS).await?;
        rows +=
            credential::purge_ended(&transaction, now.saturating_sub(ENDED_CREDENTIALS_RETENTION), SLICE_ROWS).await?;
        store::commit(transaction).await?;
        Ok(rows)
    }
}
