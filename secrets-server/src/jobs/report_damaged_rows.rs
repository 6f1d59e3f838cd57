//! Reports rows of the database that do not verify: one line in the log and one event of the platform, however many there are
//! and however often they are read.

use std::time::Duration;

use super::Jobs;
use crate::audit::Outcome;
use crate::crypto::random_uid;
use crate::error::Error;
use crate::store;
use crate::store::audit::{self, AuditRecord};

pub(super) const INTERVAL: Duration = Duration::from_secs(60);

/// The action of the event.
const ACTION: &str = "verify_rows";

impl Jobs {
    /// Reports what did not verify since the last time.
    pub async fn report_damaged_rows(&self) {
        let rows = self.store.damaged_rows().take();
        let Some((table, uid)) = rows.first() else { return };
        let first = format!("{table}/{uid}");
        tracing::error!(count = rows.len(), first, "rows were changed in the database itself; they count as absent");
        if let Err(error) = self.record_damage(first, rows.len()).await {
            tracing::error!(%error, "cannot record that rows were changed in the database itself");
            error.log_cause();
        }
    }

    async fn record_damage(&self, first: String, count: usize) -> Result<(), Error> {
        let uid = random_uid(self.random.as_ref())?;
        let event = AuditRecord {
            resource_name: first,
            detail: format!("{{\"count\":{count}}}"),
            ..AuditRecord::without_call(uid, self.clock.now(), ACTION, Outcome::Failed.as_str())
        };
        let transaction = self.store.begin().await?;
        audit::insert_many(&transaction, &[event]).await?;
        Ok(store::commit(transaction).await?)
    }
}
