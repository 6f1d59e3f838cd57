//! For how long what nobody asks for any more is kept.

use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// How long sessions and invitations that ended can still be listed.
pub const ENDED_CREDENTIALS_RETENTION: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// The `retention` section. Where there is no time, it is for ever.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Audit events of what was changed.
    pub audit_changes: Option<Duration>,
    /// Audit events of what was delivered, with the sets that only they name.
    pub audit_deliveries: Option<Duration>,
    /// Audit events of what was only looked at.
    pub audit_reads: Duration,
    /// Audit events of what was denied or failed.
    pub audit_refusals: Duration,
    /// What is known of organizations that were deleted.
    pub deleted_organizations: Duration,
    /// The first result of a request id.
    pub request_ids: Duration,
    /// How many first results a principal has in one organization, about; the oldest of more are forgotten earlier.
    pub request_ids_per_principal: u64,
}

impl Default for Retention {
    fn default() -> Self {
        Self {
            audit_changes: None,
            audit_deliveries: None,
            audit_reads: DAY * 90,
            audit_refusals: DAY * 90,
            deleted_organizations: DAY * 30,
            request_ids: DAY,
            request_ids_per_principal: 100_000,
        }
    }
}

impl Retention {
    /// Audit events of what was changed and delivered at once: they are wanted as long as either.
    pub fn audit_delivering_changes(&self) -> Option<Duration> {
        Some(self.audit_changes?.max(self.audit_deliveries?))
    }
}
