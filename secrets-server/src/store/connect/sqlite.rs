//! One SQLite file: a single connection that writes, a pool that reads, and a lock file against a second server.
//!
//! SQLite's own locks would let two servers share the file. Each would then serve from caches that the other's writes
//! leave stale, so the second one is refused.

use std::fs::{DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use sea_orm::sqlx::pool::PoolOptions;
use sea_orm::sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use sea_orm::sqlx::{Connection, Sqlite};
use sea_orm::{ConnectOptions, ConnectionTrait, DatabaseConnection, DbBackend, SqlxError, Statement};

use super::feedback::Feedback;
use super::{ConnectError, Connections, StoreError, pool, quiet};
use crate::queues::Queues;
use crate::store::WRITERS_PER_ORGANIZATION;
use crate::store::write_ahead_log::{BUSY_TIMEOUT, Interrupt};

/// Instructions of SQLite's machine between two looks at whether a statement is to be interrupted: some milliseconds.
const INTERRUPT_INTERVAL: i32 = 100_000;

/// Opens the file. Statements of the readers end when the interrupt is requested.
pub(super) async fn open(path: &Path, readers: u32) -> Result<(Connections, Interrupt), ConnectError> {
    if let Some(directory) = path.parent().filter(|directory| !directory.as_os_str().is_empty()) {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(directory);
        made.map_err(|source| ConnectError::File { path: directory.to_owned(), source })?;
    }
    let lock = lock(path)?;
    // SQLite gives the files beside it the mode of the database file, so it is set before anything is written.
    private_file(path).map_err(|source| ConnectError::File { path: path.to_owned(), source })?;
    let writer = open_writer(path).await?;
    let interrupt = Interrupt::default();
    let reader = open_readers(path, readers, &interrupt).await?;
    Ok((
        Connections {
            reader,
            audit: writer.clone(),
            writer,
            group: None,
            organizations: Queues::new(WRITERS_PER_ORGANIZATION),
            limits: None,
            feedback: Feedback::default(),
            _lock: Some(lock),
        },
        interrupt,
    ))
}

/// The lock against a second server on a SQLite file, for what is done instead of serving it.
#[derive(Debug)]
pub struct SqliteLock {
    _file: File,
}

impl SqliteLock {
    /// Takes the lock of the file `path`, which need not exist.
    pub fn take(path: &Path) -> Result<Self, ConnectError> {
        Ok(Self { _file: lock(path)? })
    }
}

/// Writes what the SQLite file `source` holds at this moment into the file `target`, which is empty, without what is free
/// in it. A server may be using the source; its write-ahead log grows meanwhile.
pub async fn copy_sqlite(source: &Path, target: &Path) -> Result<(), ConnectError> {
    let unreadable = |source_error| ConnectError::File { path: source.to_owned(), source: source_error };
    File::open(source).map_err(unreadable)?;
    let name = target.to_str().ok_or_else(|| ConnectError::File {
        path: target.to_owned(),
        source: io::Error::new(io::ErrorKind::InvalidFilename, "the path is not UTF-8"),
    })?;
    let mut options = options(source, |options| options.read_only(true));
    options.max_connections(1);
    let connection = pool(options).await?;
    let statement = Statement::from_sql_and_values(DbBackend::Sqlite, "VACUUM INTO ?", [name.into()]);
    let copied = connection.execute_raw(statement).await.map_err(StoreError::from);
    connection.close().await.map_err(StoreError::from)?;
    copied?;
    Ok(())
}

/// Opens a file that nobody uses and nobody will change, to read it. Nothing is written, not even beside it.
pub(super) async fn open_copy(path: &Path) -> Result<Connections, ConnectError> {
    File::open(path).map_err(|source| ConnectError::File { path: path.to_owned(), source })?;
    let mut options = options(path, |options| options.read_only(true).immutable(true));
    options.max_connections(1);
    let reader = pool(options).await?;
    Ok(Connections {
        writer: reader.clone(),
        audit: reader.clone(),
        reader,
        group: None,
        organizations: Queues::new(WRITERS_PER_ORGANIZATION),
        limits: None,
        feedback: Feedback::default(),
        _lock: None,
    })
}

fn lock(path: &Path) -> Result<File, ConnectError> {
    let lock_path = beside(path, ".lock");
    let file = private_file(&lock_path).map_err(|source| ConnectError::File { path: lock_path.clone(), source })?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(ConnectError::InUse { path: path.to_owned() }),
        Err(TryLockError::Error(source)) => Err(ConnectError::File { path: lock_path, source }),
    }
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Opens or makes a file that only its owner may read.
fn private_file(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)?;
    if file.metadata()?.permissions().mode() & 0o077 != 0 {
        file.set_permissions(Permissions::from_mode(0o600))?;
    }
    Ok(file)
}

async fn open_writer(path: &Path) -> Result<DatabaseConnection, StoreError> {
    let mut options = options(path, |options| {
        options.journal_mode(SqliteJournalMode::Wal).synchronous(SqliteSynchronous::Full).pragma("secure_delete", "ON")
    });
    options.max_connections(1).min_connections(1);
    pool(options).await
}

/// Whether a connection that comes back may be used again. When SQLite undoes a transaction by itself (the disk is full,
/// or fails), sqlx goes on counting it as open, and would take the next one for a savepoint in it: what is committed then
/// would not be, and what is read would stay as it is. Such a connection is closed, and another one opened.
async fn is_free(connection: &mut SqliteConnection) -> Result<bool, SqlxError> {
    if connection.is_in_transaction() {
        // A rollback may still be on its way.
        connection.ping().await?;
    }
    Ok(!connection.is_in_transaction())
}

async fn open_readers(path: &Path, readers: u32, interrupt: &Interrupt) -> Result<DatabaseConnection, StoreError> {
    let mut options = options(path, |options| options.read_only(true));
    let interrupt = interrupt.clone();
    options.max_connections(readers.max(1)).min_connections(1).map_sqlx_sqlite_pool_opts(move |pool| {
        let interrupt = interrupt.clone();
        free_again(pool).after_connect(move |connection, _| {
            let interrupt = interrupt.clone();
            Box::pin(async move {
                let mut handle = connection.lock_handle().await?;
                handle.set_progress_handler(INTERRUPT_INTERVAL, move || !interrupt.is_requested());
                Ok(())
            })
        })
    });
    pool(options).await
}

fn free_again(pool: PoolOptions<Sqlite>) -> PoolOptions<Sqlite> {
    pool.after_release(|connection, _| Box::pin(is_free(connection)))
}

fn options(path: &Path, with: fn(SqliteConnectOptions) -> SqliteConnectOptions) -> ConnectOptions {
    // The path does not go through a URL, in which some characters would mean something.
    let path = path.to_owned();
    let mut options = quiet("sqlite://database");
    options.map_sqlx_sqlite_pool_opts(free_again);
    options.idle_timeout(None).max_lifetime(None).test_before_acquire(false).map_sqlx_sqlite_opts(move |sqlite| {
        with(
            sqlite
                .filename(&path)
                .foreign_keys(true)
                .busy_timeout(BUSY_TIMEOUT)
                .pragma("temp_store", "MEMORY")
                .pragma("trusted_schema", "OFF"),
        )
    });
    options
}
