//! Opening a database, and refusing one that cannot be served.

mod feedback;
mod pooler;
mod postgres;
mod reach;
mod sqlite;

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use sea_orm::sqlx::postgres::PgConnectOptions;
use sea_orm::{ConnectOptions, DatabaseConnection};

use super::group_commit::GroupCommit;
use super::write_ahead_log::WriteAheadLog;
use super::{ACQUIRE_TIMEOUT, Connections, StatementLog, Store, StoreError, migration};

pub(super) use feedback::Feedback;
pub use sqlite::{SqliteLock, copy_sqlite};

/// Which database to open.
#[derive(Clone, Debug)]
pub enum DatabaseConfig {
    /// The embedded default: one file and what SQLite keeps next to it. Its directory is made if it is missing.
    Sqlite {
        /// The database file.
        path: PathBuf,
        /// How many connections read; one more writes.
        readers: u32,
    },
    /// PostgreSQL 14 or newer, or what speaks its protocol with unique constraints and row locks.
    Postgres {
        /// Where it is, and how to get in.
        url: DatabaseUrl,
        /// How many connections are held at most.
        connections: u32,
    },
}

impl DatabaseConfig {
    /// The readers of a SQLite database by default.
    pub const DEFAULT_READERS: u32 = 4;
    /// The connections to PostgreSQL by default.
    pub const DEFAULT_CONNECTIONS: u32 = 16;

    /// A SQLite database in the file `path`, with the default number of readers.
    pub fn sqlite(path: impl Into<PathBuf>) -> Self {
        Self::Sqlite { path: path.into(), readers: Self::DEFAULT_READERS }
    }

    /// The PostgreSQL database at `url`, with the default number of connections.
    pub fn postgres(url: DatabaseUrl) -> Self {
        Self::Postgres { url, connections: Self::DEFAULT_CONNECTIONS }
    }
}

/// `postgres://user:password@host:port/database?sslmode=verify-full&sslrootcert=FILE`. Another schema than the default
/// one is named by `options[search_path]=NAME`. It holds a password, so that its `Debug` prints nothing.
#[derive(Clone)]
pub struct DatabaseUrl(Box<str>);

impl DatabaseUrl {
    /// The whole text: for whoever connects, not for a log.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl FromStr for DatabaseUrl {
    type Err = InvalidDatabaseUrl;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let scheme = text.split_once("://").map(|(scheme, _)| scheme);
        if !matches!(scheme, Some("postgres" | "postgresql")) || text.parse::<PgConnectOptions>().is_err() {
            return Err(InvalidDatabaseUrl);
        }
        Ok(Self(text.into()))
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DatabaseUrl(…)")
    }
}

/// Text that is no PostgreSQL connection string. It is not quoted: it may hold a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a connection string; try `postgres://user:password@host:port/database`")]
pub struct InvalidDatabaseUrl;

/// Why a database is not opened.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// Another server has the SQLite file open.
    #[error("`{}` is in use by another server", path.display())]
    InUse {
        /// The database file.
        path: PathBuf,
    },
    /// The database file, its directory or its lock file can't be made or opened.
    #[error("`{}` can't be opened: {source}", path.display())]
    File {
        /// The file or directory.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// A newer program has migrated the database.
    #[error("the database has the migration `{migration}` of a newer release; run that release or a later one")]
    SchemaNewer {
        /// The first migration that this program does not know.
        migration: String,
    },
    /// PostgreSQL keeps this database in an encoding that can't hold every text.
    #[error(
        "the database has the encoding {encoding}, and must have UTF8; create it with `ENCODING 'UTF8' TEMPLATE template0`"
    )]
    Encoding {
        /// As PostgreSQL names it.
        encoding: String,
    },
    /// A pooler loses prepared statements.
    #[error(
        "the database is reached through a pooler in transaction mode that loses prepared statements; use PgBouncer 1.21 or \
         newer with `max_prepared_statements` above 0, or its session mode"
    )]
    Pooler,
    /// PostgreSQL can't be reached.
    #[error("cannot connect to PostgreSQL at `{address}`: {reason}")]
    Unreachable {
        /// Host and port, or the path of the socket.
        address: String,
        /// In the operating system's words.
        reason: String,
    },
    /// The database answered with an error, or not at all.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Opens the database, without migrating it. A schema newer than this program is refused.
pub async fn connect(config: &DatabaseConfig) -> Result<Store, ConnectError> {
    open(config, None).await
}

/// The same, and writes down each statement: for tests that count them.
pub async fn connect_logged(config: &DatabaseConfig, log: &StatementLog) -> Result<Store, ConnectError> {
    open(config, Some(log)).await
}

/// Opens a SQLite file that [`copy_sqlite`] has written, to read it and nothing else.
pub async fn open_copy(path: &Path) -> Result<Store, ConnectError> {
    let connections = sqlite::open_copy(path).await?;
    refuse_newer_schema(&connections).await?;
    Ok(Store::new(connections))
}

async fn refuse_newer_schema(connections: &Connections) -> Result<(), ConnectError> {
    match migration::state(&connections.writer).await.map_err(StoreError::from)?.unknown.pop() {
        Some(migration) => Err(ConnectError::SchemaNewer { migration }),
        None => Ok(()),
    }
}

async fn open(config: &DatabaseConfig, log: Option<&StatementLog>) -> Result<Store, ConnectError> {
    let (mut connections, interrupt) = match config {
        DatabaseConfig::Sqlite { path, readers } => {
            let (connections, interrupt) = sqlite::open(path, *readers).await?;
            (connections, Some(interrupt))
        }
        DatabaseConfig::Postgres { url, connections } => (postgres::open(url, *connections).await?, None),
    };
    refuse_newer_schema(&connections).await?;
    // Its statements are no caller's, and are not counted.
    let write_ahead_log = interrupt.map(|interrupt| WriteAheadLog::new(connections.writer.clone(), interrupt));
    if let Some(log) = log {
        log.attach(&mut connections.reader);
        log.attach(&mut connections.writer);
        log.attach(&mut connections.audit);
    }
    connections.group = write_ahead_log.map(|log| GroupCommit::start(connections.writer.clone(), log));
    Ok(Store::new(connections))
}

/// Statements are logged nowhere: not by sqlx, not in spans.
fn quiet(url: &str) -> ConnectOptions {
    let mut options = ConnectOptions::new(url);
    options.sqlx_logging(false).record_stmt_in_spans(false).acquire_timeout(ACQUIRE_TIMEOUT);
    options
}

async fn pool(options: ConnectOptions) -> Result<DatabaseConnection, StoreError> {
    Ok(sea_orm::Database::connect(options).await?)
}
