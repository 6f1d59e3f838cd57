//! What goes by itself when its time has come: deleted secrets and users whose window has closed, first results that are no
//! longer kept, sessions and invitations that ended long ago. In small slices, so that no call waits long for the writer.

use std::sync::Arc;
use std::time::Duration;

use secrets_core::Timestamp;

use crate::application::App;
use crate::error::Error;
use crate::store::{self, credential, idempotency, secret, user};

/// How often it is looked for.
const EVERY: Duration = Duration::from_secs(60);
/// At most this many rows of each kind in one transaction.
const SLICE: u64 = 100;
/// Between two slices, so that calls come in between.
const PAUSE: Duration = Duration::from_millis(20);
/// How long sessions and invitations that ended can still be listed.
const ENDED_FOR: Duration = Duration::from_secs(30 * 24 * 60 * 60);

impl App {
    /// Sweeps now and then, for as long as the service lives. Several replicas may sweep one database.
    pub(crate) fn start_sweeping(self: &Arc<Self>) {
        let weak = Arc::downgrade(self);
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(EVERY).await;
                let Some(app) = weak.upgrade() else { return };
                match app.sweep().await {
                    Ok(0) => {}
                    Ok(rows) => tracing::info!(rows, "swept what was due"),
                    Err(failure) => tracing::warn!(%failure, "the sweep failed; it is tried again"),
                }
            }
        });
    }

    /// Removes all that is due, slice by slice; returns how many rows.
    pub async fn sweep(&self) -> Result<u64, Error> {
        let now = self.now();
        let mut all = 0;
        loop {
            match self.sweep_slice(now).await? {
                0 => return Ok(all),
                rows => all += rows,
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn sweep_slice(&self, now: Timestamp) -> Result<u64, Error> {
        let transaction = self.store().begin().await?;
        let mut rows = secret::purge_due(&transaction, now, SLICE).await?;
        // After their secrets, which go at the same time.
        rows += user::purge(&transaction, now, SLICE).await?;
        rows += idempotency::purge_expired(&transaction, now, SLICE).await?;
        rows += credential::purge_ended(&transaction, now.saturating_sub(ENDED_FOR), SLICE).await?;
        store::commit(transaction).await?;
        Ok(rows)
    }
}
