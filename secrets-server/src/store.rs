//! The store: entities, migrations and queries over SQLite and PostgreSQL. It knows no cryptography; what is secret
//! arrives and leaves sealed, and of a row's MAC it knows what goes into it (`row_mac`).
//!
//! # Invariants
//!
//! - Every query starts from a function that fixes the organization. `Entity::find()` is not called outside this
//!   directory. The exceptions are the look-ups of the credential that is presented, the sweeps that purge what is due, and
//!   what concerns the service as a whole: a backup's check, and a restore.
//! - Functions take `&impl ConnectionTrait`, or `&impl KeyedConnection` where a row has a MAC, and never begin or commit; only
//!   services do ([`Store::begin`], [`commit`]).
//! - A mutation calls [`revision::lock`] first. Counting and then inserting is free of races after it, and
//!   [`revision::RevisionLock::bump`] demands the lock as evidence.
//! - A driver that fails, a row that cannot be, and a row that is not there are three different things:
//!   [`StoreError::Unavailable`], [`StoreError::Corrupt`], and `None`.
//! - Entities stay inside. What leaves are plain structs of core's types.
//! - What destroys values takes a [`WriteTransaction`], whose [`commit`] removes them from SQLite's log as well.
//! - No statement is logged, and no error quotes a row.
//!
//! # Why there are no traits
//!
//! Services call these functions as they are. A trait for the store, or one for each noun, was rejected: there is one
//! implementation, SeaORM, which already speaks to both databases, and a second one would be a mock, whose answers to
//! conflicting writes, failing statements and lost connections are what its author imagined. Tests run on real databases
//! instead, both of them from one suite. A trait would also hide the transaction, which a service begins and hands
//! to each function, and it would box every future.
//!
//! To add a noun: an entity, a migration, and a module here with its queries and its struct.

mod connect;
mod connection;
mod entity;
mod error;
mod first_write;
mod group_commit;
mod migration;
mod row;
mod row_key;
mod row_mac;
mod statement_log;
mod transaction;
mod unmigrated;
mod write_ahead_log;

pub mod audit;
pub mod binding;
pub mod caller;
pub mod context;
pub mod credential;
pub mod idempotency;
pub mod key;
pub mod organization;
pub mod project;
pub mod revision;
pub mod sealed_value;
pub mod secret;
pub mod service_account;
pub mod user;
pub mod version;
pub mod workspace;

use std::fs::File;
use std::sync::Arc;
use std::time::Duration;

use sea_orm::{
    AccessMode, ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, IsolationLevel,
    SqliteTransactionMode, TransactionOptions, TransactionTrait,
};
use secrets_core::Uid;
use tokio::time::timeout;

pub use connect::{
    ConnectError, DatabaseConfig, DatabaseUrl, InvalidDatabaseUrl, SqliteLock, connect, connect_logged, copy_sqlite,
    open_copy,
};
pub use connection::{KeyedConnection, ReadTransaction, Reader};
pub use error::{DriverError, StoreError, UniqueIndex};
pub use first_write::FirstWrite;
pub use group_commit::Confirmation;
pub use row_key::{DamagedRows, RowKey, Rows};
pub use row_mac::fill_row_macs;
pub use statement_log::StatementLog;
pub use transaction::{WriteTransaction, commit};
pub use unmigrated::KeyState;

use crate::queues::{Head, Queues};
use connect::Feedback;
use group_commit::GroupCommit;

/// Stands for the platform where an organization's uid is expected: platform service accounts and bindings, operator
/// credentials, and the revision that mutations of the platform lock. In public structs that is `None` instead.
pub const PLATFORM: Uid = Uid::nil();

/// How long a call waits for a connection before it gets the error that the database is unavailable.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);

/// How many changes of an organization have a connection of PostgreSQL at a time: one that has the organization's lock, and one
/// that takes it next.
const WRITERS_PER_ORGANIZATION: usize = 2;

/// A connected database. Cheap to clone; the last clone releases the lock of a SQLite file.
#[derive(Clone)]
pub struct Store {
    connections: Arc<Connections>,
    reader: Reader,
}

/// Who writes. Nobody's writing keeps the others waiting for long: on SQLite they take turns, on PostgreSQL the audit has
/// connections of its own, and an organization two at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Writer {
    /// The audit of reads, which many answers wait for.
    Audit,
    /// An organization's changes; [`PLATFORM`] stands for the platform and this program itself.
    Organization(Uid),
}

struct Connections {
    reader: DatabaseConnection,
    writer: DatabaseConnection,
    /// Where the audit of reads is written; SQLite has one connection for all that writes.
    audit: DatabaseConnection,
    /// On SQLite, the queue of those who write.
    group: Option<GroupCommit>,
    /// On PostgreSQL, those of each organization.
    organizations: Queues<Uid>,
    /// On PostgreSQL behind a pooler that gives connections to others in between, what each transaction that writes begins with.
    limits: Option<Box<str>>,
    /// On PostgreSQL, what transactions have learnt of it.
    feedback: Feedback,
    /// Holds the lock against a second server on the same SQLite file.
    _lock: Option<File>,
}

impl Store {
    fn new(connections: Connections) -> Self {
        let reader = Reader { connection: connections.reader.clone(), rows: Rows::without_key() };
        Self { connections: Arc::new(connections), reader }
    }

    /// The same database, whose rows are written and read with their key.
    #[must_use]
    pub fn with_row_key(&self, key: Arc<dyn RowKey>) -> Self {
        let reader = Reader { rows: self.reader.rows.with_key(key), ..self.reader.clone() };
        Self { connections: Arc::clone(&self.connections), reader }
    }

    /// The rows that did not verify.
    pub fn damaged_rows(&self) -> &DamagedRows {
        &self.reader.rows.damaged
    }

    /// For reads outside of a transaction. On SQLite these connections cannot write.
    pub fn reader(&self) -> &Reader {
        &self.reader
    }

    /// Starts a transaction of the platform or of this program itself; see [`begin_for`](Self::begin_for).
    pub async fn begin(&self) -> Result<WriteTransaction, StoreError> {
        self.begin_for(Writer::Organization(PLATFORM)).await
    }

    /// Starts a transaction that may write. On SQLite there is one at a time, and what others do until it is committed is
    /// committed with it: wait for nothing but the database meanwhile. Dropping it undoes it; [`commit`] ends it.
    pub async fn begin_for(&self, writer: Writer) -> Result<WriteTransaction, StoreError> {
        let (connections, rows) = (&self.connections, self.reader.rows.clone());
        match &connections.group {
            Some(group) => Ok(WriteTransaction::shared(group.begin(writer).await?, rows)),
            None => {
                let (pool, place) = match writer {
                    Writer::Audit => (&connections.audit, None),
                    Writer::Organization(PLATFORM) => (&connections.writer, None),
                    Writer::Organization(uid) => (&connections.writer, Some(self.place(uid).await?)),
                };
                let transaction = connections.feedback.beginning(pool.begin()).await?;
                if let Some(limits) = &connections.limits {
                    transaction.execute_unprepared(limits).await?;
                }
                Ok(WriteTransaction::whole(transaction, connections.feedback.clone(), rows, place))
            }
        }
    }

    /// Waits, without a connection, until few of an organization's changes have one: they wait for its lock, one after the other.
    async fn place(&self, organization: Uid) -> Result<Head<Uid>, StoreError> {
        timeout(ACQUIRE_TIMEOUT, self.connections.organizations.next(organization)).await.map_err(|_| {
            let message = "it was nobody's turn to write in the organization within five seconds".to_owned();
            StoreError::Unavailable(DriverError { code: None, message })
        })
    }

    /// How often SQLite committed, and so to sync the disk: less often than there were transactions when some of
    /// them shared it. PostgreSQL counts by itself; here it is always 0.
    pub fn group_commits(&self) -> u64 {
        self.connections.group.as_ref().map_or(0, GroupCommit::commits)
    }

    /// How often anything was committed: as long as it grows, the database takes writes.
    pub fn commits(&self) -> u64 {
        self.group_commits() + self.connections.feedback.commits()
    }

    /// Starts reading what belongs together: every query through it sees the same state of the database. Dropping it
    /// ends it; do so before anything else is waited for, since it holds a connection.
    pub async fn snapshot(&self) -> Result<ReadTransaction, StoreError> {
        // A transaction of SQLite's write-ahead log is a snapshot as it is, and its readers cannot write.
        let options = match self.reader.get_database_backend() {
            DbBackend::Postgres => TransactionOptions {
                isolation_level: Some(IsolationLevel::RepeatableRead),
                access_mode: Some(AccessMode::ReadOnly),
                ..TransactionOptions::default()
            },
            _ => TransactionOptions::default(),
        };
        let begin = self.reader.connection.begin_with_options(options);
        let connection = self.connections.feedback.beginning(begin).await?;
        Ok(ReadTransaction { connection, rows: self.reader.rows.clone() })
    }

    /// Answers when both kinds of connection do.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.connections.writer.ping().await?;
        Ok(self.reader.connection.ping().await?)
    }

    /// The migrations that are not applied yet, oldest first.
    pub async fn pending(&self) -> Result<Vec<String>, StoreError> {
        Ok(migration::state(&self.connections.writer).await?.pending)
    }

    /// Applies the migrations that are not applied yet, all or none, and returns their names. Servers that start
    /// together on one PostgreSQL may all call it.
    pub async fn migrate(&self) -> Result<Vec<String>, StoreError> {
        migration::apply(self).await
    }

    /// Ends all connections; what is called afterwards is unavailable. On SQLite this also folds the write-ahead log
    /// into the database file.
    pub async fn close(&self) -> Result<(), StoreError> {
        self.reader.connection.close_by_ref().await?;
        self.connections.audit.close_by_ref().await?;
        Ok(self.connections.writer.close_by_ref().await?)
    }

    /// Whether other servers may change what is stored: not on SQLite, whose file is locked against them.
    pub fn is_shared(&self) -> bool {
        self.reader.get_database_backend() == DbBackend::Postgres
    }

    /// `SQLite` or `PostgreSQL`, for a log or a report.
    pub fn backend(&self) -> &'static str {
        match self.reader.get_database_backend() {
            DbBackend::Postgres => "PostgreSQL",
            _ => "SQLite",
        }
    }
}

/// Starts a transaction of its own on a writing connection. SQLite takes its write lock from the start, so that it never
/// has to give up what it has read.
async fn begin_immediate(writer: &DatabaseConnection) -> Result<DatabaseTransaction, StoreError> {
    let options = TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..TransactionOptions::default()
    };
    Ok(writer.begin_with_options(options).await?)
}

/// The organization column of what may belong to the platform.
fn organization_or_platform(organization: Option<Uid>) -> Uid {
    organization.unwrap_or(PLATFORM)
}

/// The reverse of [`organization_or_platform`].
fn unless_platform(organization: Uid) -> Option<Uid> {
    (organization != PLATFORM).then_some(organization)
}
