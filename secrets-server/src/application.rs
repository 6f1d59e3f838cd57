//! The composition root: what the server consists of, opened once and handed to whoever needs it.

pub(crate) mod backup;
pub mod open;
pub mod readiness;
pub(crate) mod restore;
pub(crate) mod root_key;

use std::sync::Arc;

use crate::auth::Authenticator;
use crate::auth::usage::UsageBuffer;
use crate::changes::ChangeFeed;
use crate::clock::Clock;
use crate::crypto::Random;
use crate::jobs::Jobs;
use crate::keys::RootKeyProvider;
use crate::keys::keyring::{Keyring, KeyringError};
use crate::service::{Service, Settings};
use crate::store::{Store, StoreError};

/// The open server, apart from its listeners.
pub struct Application {
    pub service: Arc<Service>,
    pub authenticator: Arc<Authenticator>,
    /// What runs in the background until this is dropped.
    pub jobs: Arc<Jobs>,
    store: Store,
    keys: Arc<Keyring>,
}

impl Application {
    /// The same as [`open_with`](Self::open_with), with what is not configured.
    pub async fn open(
        store: Store,
        provider: &dyn RootKeyProvider,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Result<Self, KeyringError> {
        Self::open_with(store, provider, clock, random, Settings::default()).await
    }

    /// Puts the server together over a migrated database. Creates the keys when the database is empty; refuses a wrong root
    /// key. Must be called within a tokio runtime, whose tasks write the audit log and run the jobs.
    pub async fn open_with(
        store: Store,
        provider: &dyn RootKeyProvider,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
        settings: Settings,
    ) -> Result<Self, KeyringError> {
        let keys = Arc::new(Keyring::open(&store, provider, Arc::clone(&random), clock.now()).await?);
        // From here on rows that decide can be written and read.
        let store = store.with_row_key(keys.rows());
        let changes = Arc::<ChangeFeed>::default();
        let usage = Arc::<UsageBuffer>::default();
        let retention = settings.retention.clone();
        let service = Service::new(
            store.clone(),
            Arc::clone(&keys),
            Arc::clone(&clock),
            Arc::clone(&random),
            Arc::clone(&changes),
            settings,
        );
        let authenticator =
            Authenticator::new(store.clone(), Arc::clone(&keys), Arc::clone(&clock), Arc::clone(&usage));
        let jobs = Jobs::start(store.clone(), clock, random, usage, changes, retention);
        Ok(Self { service: Arc::new(service), authenticator: Arc::new(authenticator), jobs, store, keys })
    }

    /// The database.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The keys.
    pub fn keys(&self) -> &Keyring {
        &self.keys
    }

    /// Writes what is only in memory, and ends all connections to the database: at the end, after the last call.
    pub async fn close(&self) -> Result<(), StoreError> {
        self.jobs.flush_usage().await;
        self.store.close().await
    }
}
