//! Whether calls could be answered now: the database reads and writes, it has the keys that are open here, and an audit event
//! could be written.

use std::time::Duration;

use tokio::time::timeout;

use super::Service;
use crate::audit::Outcome;
use crate::crypto::RandomError;
use crate::keys::keyring::KeyringError;
use crate::store::audit::{self, AuditRecord};
use crate::store::{self, StoreError};

/// What takes longer has failed, unless others get through meanwhile.
const CHECK_TIMEOUT: Duration = Duration::from_secs(4);

/// Why calls can't be answered.
#[derive(Debug, thiserror::Error)]
pub enum NotReady {
    #[error("the database does not answer: {0}")]
    Reading(KeyringError),
    #[error("audit events can't be written: {0}")]
    Writing(StoreError),
    #[error(transparent)]
    Random(#[from] RandomError),
    #[error("the task that writes audit events has ended")]
    AuditEnded,
    #[error("the database did not answer within {} s", CHECK_TIMEOUT.as_secs())]
    Late,
}

impl NotReady {
    /// Whether it had to wait for too long, and nothing worse is known.
    fn is_wait(&self) -> bool {
        match self {
            Self::Late => true,
            Self::Writing(error) | Self::Reading(KeyringError::Store(error)) => {
                matches!(error, StoreError::Unavailable(driver) if driver.code.is_none())
            }
            _ => false,
        }
    }
}

impl Service {
    /// Checks reading, and writing unless others have shown that it works. What only waits because there is much to do is
    /// ready: then others get through.
    pub async fn check_readiness(&self, writes: bool) -> Result<(), NotReady> {
        let before = self.store.commits();
        let checked = timeout(CHECK_TIMEOUT, self.try_all(writes)).await.unwrap_or(Err(NotReady::Late));
        match checked {
            Err(failed) if failed.is_wait() && self.store.commits() != before => Ok(()),
            checked => checked,
        }
    }

    /// How often anything was committed.
    pub fn commits(&self) -> u64 {
        self.store.commits()
    }

    async fn try_all(&self, writes: bool) -> Result<(), NotReady> {
        if !self.audit.is_running() {
            return Err(NotReady::AuditEnded);
        }
        self.keys.verify(self.store.reader()).await.map_err(NotReady::Reading)?;
        if writes {
            let event = self.rehearsed()?;
            self.rehearse(event).await.map_err(NotReady::Writing)?;
        }
        Ok(())
    }

    /// Writes an event and removes it again: nobody called, so that nothing stays.
    async fn rehearse(&self, event: AuditRecord) -> Result<(), StoreError> {
        let transaction = self.store.begin().await?;
        audit::rehearse(&transaction, &event).await?;
        store::commit(transaction).await
    }

    fn rehearsed(&self) -> Result<AuditRecord, RandomError> {
        let uid = crate::crypto::random_uid(self.random.as_ref())?;
        Ok(AuditRecord::without_call(uid, self.clock.now(), "check", Outcome::Allowed.as_str()))
    }
}
