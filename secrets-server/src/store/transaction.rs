//! What services begin and commit.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use sea_orm::prelude::async_trait;
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, ExecResult, QueryResult, Statement};
use secrets_core::Uid;

use super::connect::Feedback;
use super::first_write::FirstWrite;
use super::group_commit::{Confirmation, Turn};
use super::row_key::{RowKey, Rows};
use super::write_ahead_log::Erasure;
use super::{DriverError, KeyedConnection, StoreError};
use crate::queues::Head;

/// A transaction of [`Store::begin`](super::Store::begin). Dropping it undoes what it did; [`commit`] makes it durable.
///
/// After a statement that failed or was cut off, only dropping is left: more statements are refused, and so is the
/// commit. PostgreSQL has this rule too, but takes the commit and silently undoes everything.
pub struct WriteTransaction {
    scope: Scope,
    rows: Rows,
    broken: AtomicBool,
    /// It destroys values, which SQLite's log may still hold.
    destroys: AtomicBool,
    /// Its commit waits for the log.
    waits_for_log: AtomicBool,
    first_write: FirstWrite,
}

enum Scope {
    /// PostgreSQL: a transaction of its own.
    Whole(DatabaseTransaction, Feedback, Option<Head<Uid>>),
    /// SQLite: a savepoint in a transaction that is shared with others.
    Shared(Turn),
}

impl WriteTransaction {
    /// `place` in the queue of its organization is kept until it ends.
    pub(super) fn whole(
        transaction: DatabaseTransaction,
        feedback: Feedback,
        rows: Rows,
        place: Option<Head<Uid>>,
    ) -> Self {
        Self::new(Scope::Whole(transaction, feedback, place), rows)
    }

    pub(super) fn shared(turn: Turn, rows: Rows) -> Self {
        Self::new(Scope::Shared(turn), rows)
    }

    fn new(scope: Scope, rows: Rows) -> Self {
        let unset = || AtomicBool::new(false);
        let first_write = FirstWrite::default();
        Self { scope, rows, broken: unset(), destroys: unset(), waits_for_log: unset(), first_write }
    }

    /// Notes that `rows` values were destroyed because somebody asked for it: its commit does not return before it was
    /// tried to remove them from SQLite's log too.
    pub(super) fn destroyed(&self, rows: u64) {
        self.outdated(rows);
        self.waits_for_log.fetch_or(rows > 0, Ordering::Relaxed);
    }

    /// Notes that `rows` values were destroyed because their time had come: they leave SQLite's log soon.
    pub(super) fn outdated(&self, rows: u64) {
        self.destroys.fetch_or(rows > 0, Ordering::Relaxed);
    }

    /// The same transaction, which notes its first write there.
    #[must_use]
    pub fn with_first_write(self, first_write: FirstWrite) -> Self {
        Self { first_write, ..self }
    }

    /// The same transaction, whose rows are written and read with their key.
    #[must_use]
    pub fn with_row_key(self, key: Arc<dyn RowKey>) -> Self {
        Self { rows: self.rows.with_key(key), ..self }
    }

    /// Tells whether what this transaction has seen is durable. Whoever gives an answer without committing waits for it.
    pub fn confirmation(&self) -> Confirmation {
        match &self.scope {
            Scope::Whole(..) => Confirmation::given(),
            Scope::Shared(turn) => turn.confirmation(),
        }
    }

    fn connection(&self) -> &DatabaseTransaction {
        match &self.scope {
            Scope::Whole(transaction, ..) => transaction,
            Scope::Shared(turn) => turn.connection(),
        }
    }

    /// Runs a statement. One that fails, or is not waited for, breaks the transaction.
    async fn run<T>(&self, statement: impl Future<Output = Result<T, DbErr>>) -> Result<T, DbErr> {
        if self.broken.load(Ordering::Acquire) {
            return Err(DbErr::Custom("a statement of the transaction failed before".to_owned()));
        }
        let mut running = Running { broken: &self.broken, done: false };
        let result = statement.await;
        running.done = result.is_ok();
        if let (Err(error), Scope::Whole(_, feedback, _)) = (&result, &self.scope) {
            feedback.failed(error);
        }
        result
    }
}

struct Running<'a> {
    broken: &'a AtomicBool,
    done: bool,
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        if !self.done {
            self.broken.store(true, Ordering::Release);
        }
    }
}

/// Ends a transaction of [`Store::begin`](super::Store::begin): after `Ok`, what it did is durable.
pub async fn commit(transaction: WriteTransaction) -> Result<(), StoreError> {
    if transaction.broken.into_inner() {
        let message = "a statement of the transaction failed, so that it can't be committed".to_owned();
        return Err(StoreError::Refused(DriverError { code: None, message }));
    }
    match transaction.scope {
        Scope::Whole(transaction, feedback, place) => {
            transaction.commit().await?;
            drop(place);
            feedback.committed();
            Ok(())
        }
        Scope::Shared(turn) if transaction.waits_for_log.into_inner() => turn.commit_and_erase().await,
        Scope::Shared(turn) if transaction.destroys.into_inner() => turn.commit(Erasure::Soon).await,
        Scope::Shared(turn) => turn.commit(Erasure::None).await,
    }
}

impl KeyedConnection for WriteTransaction {
    fn rows(&self) -> &Rows {
        &self.rows
    }
}

#[async_trait::async_trait]
impl ConnectionTrait for WriteTransaction {
    fn get_database_backend(&self) -> DbBackend {
        self.connection().get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.first_write.note();
        self.run(self.connection().execute_raw(statement)).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.first_write.note();
        self.run(self.connection().execute_unprepared(sql)).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        self.run(self.connection().query_one_raw(statement)).await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.run(self.connection().query_all_raw(statement)).await
    }
}
