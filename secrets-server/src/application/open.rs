//! From a configuration to the open service: data directory, database, schema, root key, keys.

use std::path::PathBuf;
use std::sync::Arc;

use super::Application;
use crate::clock::SystemClock;
use crate::config::{Config, Database};
use crate::crypto::{Random, SystemRandom};
use crate::keys::FileRootKey;
use crate::keys::keyring::KeyringError;
use crate::keys::provider::file::{RootKeyFileError, RootKeyFileProblem};
use crate::process::data_dir::{self, DataDirError};
use crate::store::{self, ConnectError, Store, StoreError, key};

/// Why the service can't be opened. Nothing that was there is changed, save by migrations.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OpenError {
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    #[error("cannot open the database: {0}")]
    Connect(#[from] ConnectError),
    #[error("cannot read the database: {0}")]
    Store(#[from] StoreError),
    #[error("the database lacks {count} migrations of this release; run `secrets-server migrate` first")]
    NotMigrated { count: usize },
    #[error(transparent)]
    RootKeyFile(#[from] RootKeyFileError),
    #[error("root key file `{}` does not exist, and the database was set up with one; restore it from its backup", path.display())]
    RootKeyLost { path: PathBuf },
    #[error("cannot open the keys: {0}")]
    Keys(#[from] KeyringError),
}

/// Opens the service. SQLite is brought up to date on the way; PostgreSQL, which other replicas may be using, is not.
pub(crate) async fn open(config: &Config) -> Result<Application, OpenError> {
    data_dir::prepare(&config.data_dir)?;
    let store = store::connect(&(&config.database).into()).await?;
    match config.database {
        Database::Sqlite { .. } => {
            for migration in store.migrate().await? {
                tracing::info!(migration, "migrated");
            }
        }
        Database::Postgres { .. } => {
            let count = store.pending().await?.len();
            if count > 0 {
                return Err(OpenError::NotMigrated { count });
            }
        }
    }
    let random: Arc<dyn Random> = Arc::new(SystemRandom);
    let root_key = root_key(config, &store, &random).await?;
    Ok(Application::open(store, &root_key, Arc::new(SystemClock), random).await?)
}

/// Reads the root key. A new one is made only for a database that was never set up with one: another would open nothing
/// of what is stored.
async fn root_key(config: &Config, store: &Store, random: &Arc<dyn Random>) -> Result<FileRootKey, OpenError> {
    let path = &config.root_key_file;
    match FileRootKey::load(path, Arc::clone(random)) {
        Err(RootKeyFileError { problem: RootKeyFileProblem::Missing, .. }) => {
            if !key::root_keys(store.reader()).await?.is_empty() {
                return Err(OpenError::RootKeyLost { path: path.clone() });
            }
            let made = FileRootKey::create(path, Arc::clone(random))?;
            tracing::info!(path = %path.display(), "created the root key; keep a copy apart from the database's backups");
            Ok(made)
        }
        loaded => Ok(loaded?),
    }
}
