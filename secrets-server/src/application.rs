//! The service, whole: what its use cases share. Opened once, shared by every handler.

pub mod open;

use std::sync::Arc;
use std::time::Duration;

use secrets_core::limits::Limits;
use secrets_core::{Timestamp, Uid};

use crate::audit::{AuditWriter, Event};
use crate::auth::usage::UsageBuffer;
use crate::call::Call;
use crate::changes::{self, ChangeFeed};
use crate::clock::Clock;
use crate::crypto::Random;
use crate::error::{Error, Reason};
use crate::keys::RootKeyProvider;
use crate::keys::keyring::{Keyring, KeyringError};
use crate::store::Store;

/// How often they are written.
const NOTES_EVERY: Duration = Duration::from_secs(60);

/// The service. Its use cases are in [`crate::service`], one file each.
pub struct App {
    store: Store,
    keys: Keyring,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    audit: AuditWriter,
    notes: UsageBuffer,
    limits: Limits,
    watchers: Arc<ChangeFeed>,
}

impl App {
    /// Opens the service over a migrated database. Makes the keys when the database is empty; refuses a wrong root key.
    /// Must be called within a tokio runtime, whose tasks write the audit log and
    /// sweep out what is due.
    pub async fn open(
        store: Store,
        provider: &dyn RootKeyProvider,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Result<Arc<Self>, KeyringError> {
        let keys = Keyring::open(&store, provider, Arc::clone(&random), clock.now()).await?;
        let app = Arc::new(Self {
            audit: AuditWriter::start(&store),
            store,
            keys,
            clock,
            random,
            notes: UsageBuffer::default(),
            limits: Limits::default(),
            watchers: Arc::default(),
        });
        let noting = Arc::downgrade(&app);
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(NOTES_EVERY).await;
                let Some(app) = noting.upgrade() else { return };
                app.write_notes().await;
            }
        });
        app.start_sweeping();
        if app.store.is_shared() {
            tokio::spawn(changes::poll::run(Arc::downgrade(&app)));
        }
        Ok(app)
    }

    /// The database.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The keys.
    pub fn keys(&self) -> &Keyring {
        &self.keys
    }

    /// Randomness.
    pub fn random(&self) -> &dyn Random {
        self.random.as_ref()
    }

    /// The time. A call reads it once, into [`Call::now`].
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// A random uid.
    pub fn uid(&self) -> Result<Uid, Error> {
        Ok(crate::crypto::random_uid(self.random())?)
    }

    /// The service's own limits; an organization may lower them.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The audit log.
    pub fn audit(&self) -> &AuditWriter {
        &self.audit
    }

    /// What is noted in memory and written now and then.
    pub fn notes(&self) -> &UsageBuffer {
        &self.notes
    }

    /// The open watches.
    pub fn watchers(&self) -> &Arc<ChangeFeed> {
        &self.watchers
    }

    /// Ends a call: writes its audit event, unless a transaction of its own already did, and only then hands on the result.
    pub async fn close_call<T>(&self, call: &Call, result: Result<T, Error>) -> Result<T, Error> {
        // What was audited is durable. Anything else may come from what others wrote and still wait to commit.
        let result = if call.is_audited() { result } else { call.confirmed().await.and(result) };
        let event = match &result {
            _ if call.is_audited() => return result,
            Ok(_) => Event::allowed(call, self.random()),
            // The record was tried; its caller has waited for it long enough.
            Err(failure) if failure.reason() == Reason::AuditUnavailable => return result,
            Err(failure) => Event::refused(call, self.random(), failure),
        };
        self.audit.record(event?).await?;
        call.set_audited();
        result
    }

    /// Writes what is only in memory: at the end, after the last call.
    pub async fn close(&self) {
        self.write_notes().await;
    }

    async fn write_notes(&self) {
        if let Err(failure) = self.notes.write(&self.store, self.random(), self.now()).await {
            tracing::error!(%failure, "the notes of failed authentications and last uses can't be written");
        }
    }
}
