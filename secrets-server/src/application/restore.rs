//! `secrets-server restore`: a database from its backup, as a new incarnation of the service.

use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Application;
use super::backup::{migrations, sync_directory};
use crate::clock::SystemClock;
use crate::config::{Config, Database};
use crate::crypto::{Random, SystemRandom};
use crate::error::Error;
use crate::keys::FileRootKey;
use crate::keys::keyring::{Keyring, KeyringError};
use crate::keys::provider::file::RootKeyFileError;
use crate::process::data_dir::{self, DataDirError};
use crate::process::deletions_file::{self, DeletionsFileError};
use crate::service::incarnation::{Incarnation, NewIncarnation};
use crate::service::verify::{Verified, verify_records};
use crate::store::{self, ConnectError, DatabaseConfig, SqliteLock, Store, StoreError};

/// The database until it is whole: a server does not look for it.
const DRAFT: &str = ".secrets.db.restoring";
/// What SQLite and the lock add to a database's name.
const BESIDE: [&str; 4] = ["", "-wal", "-shm", ".lock"];

/// Where the database comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// A file that `secrets-server backup` has written.
    File(PathBuf),
    /// It is where it belongs already: the database's own tools have put it there.
    InPlace,
}

/// What was restored.
#[derive(Debug)]
pub(crate) struct Restored {
    pub(crate) incarnation: Incarnation,
    pub(crate) verified: Verified,
}

/// Why nothing was restored.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RestoreError {
    #[error(
        "PostgreSQL is restored with its own tools, for instance `pg_restore`; then run `secrets-server restore --in-place`"
    )]
    Postgres,
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    #[error(transparent)]
    Deletions(#[from] DeletionsFileError),
    #[error("{0}; put the root key that belongs to the backup there first")]
    RootKeyFile(#[from] RootKeyFileError),
    #[error("`{}` has a log beside it, which a backup has not: it is a copy of a database in use, and needs both", .0.display())]
    NotABackup(PathBuf),
    #[error("cannot open the backup: {0}")]
    Backup(#[source] ConnectError),
    #[error("cannot open the database: {0}")]
    Connect(#[from] ConnectError),
    #[error("cannot read the database: {0}")]
    Store(#[from] StoreError),
    #[error("the database lacks {} of this release; run `secrets-server migrate` first", migrations(*.0))]
    NotMigrated(usize),
    #[error("cannot open the keys: {0}")]
    Keys(#[from] KeyringError),
    #[error("cannot begin a new incarnation: {0}")]
    Incarnation(#[from] Error),
    #[error("cannot write `{}`: {error}", path.display())]
    Unwritable { path: PathBuf, error: io::Error },
}

/// Restores the database. Nothing can be served from it before it is a new incarnation.
pub(crate) async fn restore(
    config: &Config,
    source: &Source,
    mut new: NewIncarnation,
    deletions: &[PathBuf],
) -> Result<Restored, RestoreError> {
    for file in deletions {
        new.deleted.extend(deletions_file::read(file)?);
    }
    data_dir::prepare(&config.data_dir)?;
    let random: Arc<dyn Random> = Arc::new(SystemRandom);
    let root_key = || FileRootKey::load(&config.root_key_file, Arc::clone(&random));
    match (source, &config.database) {
        (Source::File(backup), Database::Sqlite { path }) => {
            remove_draft(&config.data_dir);
            data_dir::require_empty(&config.data_dir, |name| is_expected(config, path, name))?;
            let _lock = SqliteLock::take(path)?;
            let root_key = root_key()?;
            let draft = draft(config, &root_key, &random, backup).await?;
            let restored = begin_anew(draft, &root_key, random, &new).await?;
            publish(&config.data_dir, path)?;
            keep_deletions(config, deletions)?;
            Ok(restored)
        }
        (Source::File(_), Database::Postgres { .. }) => Err(RestoreError::Postgres),
        (Source::InPlace, database) => {
            let store = store::connect(&database.into()).await?;
            let pending = store.pending().await?.len();
            if pending > 0 {
                return Err(RestoreError::NotMigrated(pending));
            }
            begin_anew(store, &root_key()?, random, &new).await
        }
    }
}

/// The root key, and the lock that is left from an attempt before.
fn is_expected(config: &Config, database: &Path, name: &Path) -> bool {
    let is_root_key = config.data_dir.join(name) == config.root_key_file;
    is_root_key || beside(database, ".lock").file_name().is_some_and(|lock| lock == name)
}

/// Copies the backup to where it is made ready. A backup that is none, or of another root key, is refused before.
async fn draft(
    config: &Config,
    root_key: &FileRootKey,
    random: &Arc<dyn Random>,
    backup: &Path,
) -> Result<Store, RestoreError> {
    if beside(backup, "-wal").metadata().is_ok_and(|log| log.len() > 0) {
        return Err(RestoreError::NotABackup(backup.to_owned()));
    }
    let copy = store::open_copy(backup).await.map_err(RestoreError::Backup)?;
    Keyring::load(copy.reader(), root_key, Arc::clone(random)).await?;
    copy.close().await?;
    let draft = config.data_dir.join(DRAFT);
    copy_file(backup, &draft).map_err(|error| RestoreError::Unwritable { path: draft.clone(), error })?;
    let store = store::connect(&DatabaseConfig::sqlite(&draft)).await?;
    store.migrate().await?;
    Ok(store)
}

fn copy_file(from: &Path, to: &Path) -> io::Result<()> {
    let mut target = OpenOptions::new().write(true).create_new(true).mode(0o600).open(to)?;
    io::copy(&mut fs::File::open(from)?, &mut target)?;
    target.sync_all()
}

async fn begin_anew(
    store: Store,
    root_key: &FileRootKey,
    random: Arc<dyn Random>,
    new: &NewIncarnation,
) -> Result<Restored, RestoreError> {
    let application = Application::open(store, root_key, Arc::new(SystemClock), random).await?;
    let verified = verify_records(application.store().reader(), application.keys()).await?;
    let incarnation = application.service.begin_incarnation(new).await?;
    application.close().await?;
    Ok(Restored { incarnation, verified })
}

/// Gives the database its name: from now on a server finds it.
fn publish(data_dir: &Path, database: &Path) -> Result<(), RestoreError> {
    let unwritable = |error| RestoreError::Unwritable { path: database.to_owned(), error };
    let draft = data_dir.join(DRAFT);
    // Closing has folded it into the database.
    if beside(&draft, "-wal").metadata().is_ok_and(|log| log.len() > 0) {
        return Err(unwritable(io::Error::other("its write-ahead log was not folded into it")));
    }
    fs::rename(&draft, database).and_then(|()| sync_directory(database)).map_err(unwritable)?;
    remove_draft(data_dir);
    Ok(())
}

/// What was deleted has to be deleted again from any older backup too.
fn keep_deletions(config: &Config, deletions: &[PathBuf]) -> Result<(), RestoreError> {
    let path = config.data_dir.join(deletions_file::NAME);
    for file in deletions {
        deletions_file::append_file(&path, file)
            .map_err(|error| RestoreError::Unwritable { path: path.clone(), error })?;
    }
    Ok(())
}

/// Removes what is left of the database until it was whole, also by an attempt that was cut off.
fn remove_draft(data_dir: &Path) {
    for suffix in BESIDE {
        let _ = fs::remove_file(beside(&data_dir.join(DRAFT), suffix));
    }
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
