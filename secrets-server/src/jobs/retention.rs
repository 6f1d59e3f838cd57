//! Removes what is kept no longer: audit events by their age and kind, and what is known of organizations that were deleted.

use secrets_core::Timestamp;

use super::Jobs;
use super::purge::SLICE_ROWS;
use crate::error::Error;
use crate::store::audit::{self, AuditKind};
use crate::store::{self, organization};

/// Events of deliveries in one transaction: each may be the last of a set of some thousand rows.
const SLICE_DELIVERIES: u64 = 10;

impl Jobs {
    /// Removes some of it; returns how many rows, and none when there is no more.
    pub(super) async fn retention_slice(&self, now: Timestamp) -> Result<u64, Error> {
        let kept = &self.retention;
        let transaction = self.store.begin().await?;
        let mut rows = 0;
        for (kind, time, limit) in [
            (AuditKind::Change, kept.audit_changes, SLICE_ROWS),
            (AuditKind::Delivery, kept.audit_deliveries, SLICE_DELIVERIES),
            (AuditKind::DeliveringChange, kept.audit_delivering_changes(), SLICE_DELIVERIES),
            (AuditKind::Read, Some(kept.audit_reads), SLICE_ROWS),
            (AuditKind::Refusal, Some(kept.audit_refusals), SLICE_ROWS),
        ] {
            if let Some(time) = time {
                rows += audit::purge(&transaction, kind, now.saturating_sub(time), limit).await?;
            }
        }
        let before = now.saturating_sub(kept.deleted_organizations);
        rows += organization::purge_deleted(&transaction, before, now, SLICE_ROWS).await?;
        store::commit(transaction).await?;
        Ok(rows)
    }
}
