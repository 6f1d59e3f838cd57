//! From a configuration to the open service: data directory, database, schema, root key, keys.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use zeroize::Zeroizing;

use super::backup::migrations;
use super::{Application, root_key};
use crate::clock::SystemClock;
use crate::config::{Config, Database};
use crate::crypto::{Random, SystemRandom};
use crate::error::Error;
use crate::keys::FileRootKey;
use crate::keys::keyring::KeyringError;
use crate::keys::provider::file::RootKeyFileError;
use crate::process::data_dir::{self, DataDirError};
use crate::process::deletions_file::{self, DeletionsFile, DeletionsFileError};
use crate::process::operator_token_file;
use crate::service::Settings;
use crate::store::{self, ConnectError, StoreError};

/// Why the service can't be opened. Nothing that was there is changed, save by migrations.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OpenError {
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    #[error("cannot open the database: {0}")]
    Connect(#[from] ConnectError),
    #[error("cannot read the database: {0}")]
    Store(#[from] StoreError),
    #[error("the database lacks {} of this release; run `secrets-server migrate` first", migrations(*count))]
    NotMigrated { count: usize },
    #[error(transparent)]
    RootKeyFile(#[from] RootKeyFileError),
    #[error("root key file `{}` does not exist, and the database was set up with one; restore it from its backup", path.display())]
    RootKeyLost { path: PathBuf },
    #[error("cannot open the keys: {0}")]
    Keys(#[from] KeyringError),
    #[error("cannot read or rename `{}`: {error}", path.display())]
    OperatorToken { path: PathBuf, error: io::Error },
    #[error(
        "`{}` is not known to the database `{}`, which may be a copy without its `-wal` file; copy both from a stopped server, \
         use `secrets-server restore` with a backup, or begin anew with `--new-database`",
        path.display(), database.display()
    )]
    UnknownOperatorToken { path: PathBuf, database: PathBuf },
    #[error("cannot read the database: {0}")]
    Lookup(Error),
    #[error(transparent)]
    Deletions(#[from] DeletionsFileError),
}

/// What becomes of an `operator-token` in SQLite's data directory that the database does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UnknownToken {
    /// The database is not the one that belongs to it: nothing is served.
    Refuse,
    /// The other database was given up: the file gets another name.
    SetAside,
}

/// Opens the service. SQLite is brought up to date on the way; PostgreSQL, which other replicas may be using, is not.
pub(crate) async fn open(config: &Config, unknown: UnknownToken) -> Result<Application, OpenError> {
    data_dir::prepare(&config.data_dir)?;
    let random: Arc<dyn Random> = Arc::new(SystemRandom);
    // Before anything is migrated: whoever starts an older release instead still can.
    let root_key = root_key::read(config, &random)?;
    let deletions = DeletionsFile::open(&config.data_dir.join(deletions_file::NAME))?;
    let store = store::connect(&(&config.database).into()).await?;
    let root_key = root_key::check(config, &store, &random, root_key).await?;
    match &config.database {
        Database::Sqlite { path } => {
            // Before anything is made in a database that was never used.
            if operator_token(config)?.is_some() && store.key_state().await?.wrapped_seeds.is_empty() {
                unknown.apply(config, path)?;
            }
            let migrations = store.migrate().await?;
            if let Some(last) = migrations.last() {
                tracing::info!(migrations = migrations.len(), last, "brought the database's schema up to date");
            }
        }
        Database::Postgres { .. } => {
            let count = store.pending().await?.len();
            if count > 0 {
                return Err(OpenError::NotMigrated { count });
            }
        }
    }
    FileRootKey::remove_drafts(&config.root_key_file);
    let root_key = match root_key {
        Some(root_key) => root_key,
        None => root_key::make_missing(config, &store, &random).await?,
    };
    let clock = Arc::new(SystemClock);
    let settings = Settings {
        session_period: config.session_period,
        admission: config.limits.admission.clone(),
        retention: config.retention.clone(),
    };
    let application = Application::open_with(store, &root_key, clock, random, settings).await?;
    if let Database::Sqlite { path } = &config.database
        && let Some(token) = operator_token(config)?
        && application.service.find_operator_token(&token).await.map_err(OpenError::Lookup)?.is_none()
    {
        unknown.apply(config, path)?;
    }
    application.service.list_deletions_in(deletions).await.map_err(OpenError::Lookup)?;
    Ok(application)
}

fn operator_token(config: &Config) -> Result<Option<Zeroizing<String>>, OpenError> {
    operator_token_file::read(&config.data_dir).map_err(|error| token_file_error(config, error))
}

fn token_file_error(config: &Config, error: io::Error) -> OpenError {
    OpenError::OperatorToken { path: operator_token_file::path(&config.data_dir), error }
}

impl UnknownToken {
    fn apply(self, config: &Config, database: &Path) -> Result<(), OpenError> {
        let path = operator_token_file::path(&config.data_dir);
        match self {
            Self::Refuse => Err(OpenError::UnknownOperatorToken { path, database: database.to_owned() }),
            Self::SetAside => {
                let set_aside = operator_token_file::set_aside(&config.data_dir);
                let old = set_aside.map_err(|error| token_file_error(config, error))?;
                tracing::warn!(path = %old.display(), "renamed the operator's token of another database");
                Ok(())
            }
        }
    }
}
