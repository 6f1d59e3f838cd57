//! Writes what the authenticator counted in memory: failed authentications, and which credentials were used, which extends
//! sign-ins.

use std::time::Duration;

use super::Jobs;

/// How much of it a server that is killed may lose.
pub(super) const INTERVAL: Duration = Duration::from_secs(60);

impl Jobs {
    /// Writes what was counted so far.
    pub async fn flush_usage(&self) {
        if let Err(error) = self.usage.flush(&self.store, self.random.as_ref(), self.clock.now()).await {
            tracing::error!(%error, "cannot write failed authentications and last uses of credentials");
            error.log_cause();
        }
    }
}
