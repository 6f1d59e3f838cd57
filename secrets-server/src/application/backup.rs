//! `secrets-server backup`: a copy of the SQLite database, made while a server uses it, and the proof that all of it opens.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::config::{Config, Database};
use crate::crypto::{Random, SystemRandom};
use crate::error::Error;
use crate::keys::FileRootKey;
use crate::keys::keyring::{Keyring, KeyringError};
use crate::keys::provider::file::RootKeyFileError;
use crate::service::verify::{Verified, verify_records};
use crate::store::{self, ConnectError, StoreError};

/// Why there is no backup, or none that is known to be good.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BackupError {
    #[error("PostgreSQL is backed up with its own tools: `pg_dump`, or a base backup with its write-ahead log")]
    Postgres,
    #[error("`{}` exists already; name a file that does not", .0.display())]
    Exists(PathBuf),
    #[error("cannot write `{}`: {error}", path.display())]
    Unwritable { path: PathBuf, error: io::Error },
    #[error("cannot copy the database: {0}")]
    Copy(#[source] ConnectError),
    #[error("`{}` was written, but it can't be checked: {cause}", path.display())]
    Unchecked { path: PathBuf, cause: CheckError },
    #[error("`{}` was written, but {} in it does not open: {}", path.display(), records(verified.damaged), verified.named.join("; "))]
    Damaged { path: PathBuf, verified: Verified },
}

/// Why a copy can't be checked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CheckError {
    #[error(transparent)]
    Open(#[from] ConnectError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the database lacks {} of this release; use the program that serves it", migrations(*.0))]
    NotMigrated(usize),
    #[error(transparent)]
    RootKeyFile(#[from] RootKeyFileError),
    #[error("cannot open the keys: {0}")]
    Keys(#[from] KeyringError),
    #[error(transparent)]
    Read(#[from] Error),
}

/// Writes the database into `file`, which must not exist, and opens every record of it.
pub(crate) async fn backup(config: &Config, file: &Path) -> Result<Verified, BackupError> {
    let Database::Sqlite { path: database } = &config.database else { return Err(BackupError::Postgres) };
    if file.symlink_metadata().is_ok() {
        return Err(BackupError::Exists(file.to_owned()));
    }
    let draft = draft_of(file);
    let written = write(database, &draft, file).await;
    if written.is_err() {
        let _ = fs::remove_file(&draft);
    }
    written?;
    let checked = check(config, file).await;
    let verified = checked.map_err(|cause| BackupError::Unchecked { path: file.to_owned(), cause })?;
    if verified.damaged > 0 {
        return Err(BackupError::Damaged { path: file.to_owned(), verified });
    }
    Ok(verified)
}

async fn write(database: &Path, draft: &Path, file: &Path) -> Result<(), BackupError> {
    let unwritable = |error| BackupError::Unwritable { path: file.to_owned(), error };
    // Made first: SQLite would let others read it.
    let made =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(draft).map_err(unwritable)?;
    store::copy_sqlite(database, draft).await.map_err(BackupError::Copy)?;
    made.sync_all().map_err(unwritable)?;
    fs::rename(draft, file).map_err(unwritable)?;
    sync_directory(file).map_err(unwritable)
}

/// Opens every record of a copy.
pub(crate) async fn check(config: &Config, copy: &Path) -> Result<Verified, CheckError> {
    let random: Arc<dyn Random> = Arc::new(SystemRandom);
    let root_key = FileRootKey::load(&config.root_key_file, Arc::clone(&random))?;
    let store = store::open_copy(copy).await?;
    let pending = store.pending().await?.len();
    if pending > 0 {
        return Err(CheckError::NotMigrated(pending));
    }
    let keyring = Keyring::load(store.reader(), &root_key, random).await?;
    let verified = verify_records(store.reader(), &keyring).await?;
    store.close().await?;
    Ok(verified)
}

/// Without it, a crash of the machine could forget the file's name.
pub(super) fn sync_directory(file: &Path) -> io::Result<()> {
    let directory = file.parent().filter(|parent| *parent != Path::new("")).unwrap_or_else(|| Path::new("."));
    File::open(directory)?.sync_all()
}

fn draft_of(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".partial");
    name.into()
}

/// `1 migration`, `2 migrations`.
pub(crate) fn migrations(number: usize) -> String {
    if number == 1 { "1 migration".to_owned() } else { format!("{number} migrations") }
}

/// `1 record`, `2 records`.
pub(crate) fn records(number: u64) -> String {
    if number == 1 { "1 record".to_owned() } else { format!("{number} records") }
}
