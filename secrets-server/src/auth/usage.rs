//! What is counted in memory and written now and then, so that no call waits for it: failed authentications by address, calls
//! that a limit refused by caller, and which credentials were used, which extends sign-ins.

mod refused_calls;

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use secrets_core::{Timestamp, Uid};

use crate::audit::{FailedLogins, RefusedCalls};
use crate::crypto::Random;
use crate::error::Error;
use crate::store::{self, Store, audit, credential};

/// The counts since the last flush. A server that is killed loses them: a sign-in, which lives by use, is extended at its next
/// use.
#[derive(Debug, Default)]
pub struct UsageBuffer {
    /// Failed authentications, by address.
    pub failed_logins: FailedLogins,
    /// Calls that a limit refused, by caller.
    pub refused_calls: RefusedCalls,
    used: Mutex<HashSet<Uid>>,
}

impl UsageBuffer {
    /// Counts one use of a credential.
    pub fn record_use(&self, credential: Uid) {
        self.used.lock().unwrap_or_else(PoisonError::into_inner).insert(credential);
    }

    /// Writes the counts, and starts anew.
    pub async fn flush(&self, store: &Store, random: &dyn Random, now: Timestamp) -> Result<(), Error> {
        let mut events = self.failed_logins.take(random, now)?;
        for (refused, count) in self.refused_calls.take() {
            events.push(refused_calls::event(store, random, now, refused, count).await?);
        }
        let used = std::mem::take(&mut *self.used.lock().unwrap_or_else(PoisonError::into_inner));
        if events.is_empty() && used.is_empty() {
            return Ok(());
        }
        let transaction = store.begin().await?;
        if !events.is_empty() {
            audit::insert_many(&transaction, &events).await?;
        }
        credential::touch(&transaction, used.iter().copied(), now).await?;
        credential::extend_used(&transaction, used, now).await?;
        Ok(store::commit(transaction).await?)
    }
}
