//! Pools of connections to PostgreSQL: one for reading and writing, and a small one for the audit of reads, so that no
//! answer waits for connections that changes hold.
//!
//! The driver sets no limit on how long it waits for an answer, and a machine that is lost closes no connection: its
//! connections would be waited for, and kept from the pool, for ever. So each of them is tried with a time limit before it
//! goes back to the pool, where the one of a call that was given up would come from, and after it was idle.

use std::io;
use std::time::Duration;

use sea_orm::ConnectOptions;
use sea_orm::sqlx::pool::PoolOptions;
use sea_orm::sqlx::{self, AssertSqlSafe, Connection, Executor, PgConnection, Postgres, Row as _};
use tokio::time::timeout;

use super::feedback::Feedback;
use super::pooler::{self, Pooling};
use super::{ConnectError, Connections, DatabaseUrl, pool, quiet};
use crate::queues::Queues;
use crate::store::WRITERS_PER_ORGANIZATION;

/// A connection that was idle for longer is tried before it is handed out, so that a restart of the database costs no
/// call that comes after it.
const MAX_UNCHECKED_IDLE: Duration = Duration::from_secs(1);

/// A connection that takes longer to say that it is there is closed. Well within the time that a call waits for one, so
/// that it gets a new one.
const PING_TIMEOUT: Duration = Duration::from_secs(2);

/// No statement of this program takes nearly as long; a lock that is held longer is given up.
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(10);

/// Who waits longer for an organization's lock gives its connection back: others need it. The caller may retry.
const LOCK_TIMEOUT: Duration = Duration::from_secs(2);

/// One for what was allowed, one for denials: each is written by one task.
const AUDIT_CONNECTIONS: u32 = 2;

pub(super) async fn open(url: &DatabaseUrl, connections: u32) -> Result<Connections, ConnectError> {
    let pooling = pooler::inspect(url).await?;
    if pooling == Pooling::Transaction {
        tracing::info!("the database is reached through a pooler in transaction mode");
    }
    let feedback = Feedback::default();
    let all = pool(options(url, connections.max(1), &feedback, pooling)).await?;
    let audit = pool(options(url, AUDIT_CONNECTIONS, &feedback, pooling)).await?;
    let limits = (pooling == Pooling::Transaction).then(|| set_limits("SET LOCAL").into());
    let organizations = Queues::new(WRITERS_PER_ORGANIZATION);
    Ok(Connections {
        reader: all.clone(),
        writer: all,
        audit,
        group: None,
        organizations,
        limits,
        feedback,
        _lock: None,
    })
}

fn options(url: &DatabaseUrl, connections: u32, feedback: &Feedback, pooling: Pooling) -> ConnectOptions {
    let mut options = quiet(url.expose());
    let noticed = feedback.clone();
    options
        .max_connections(connections)
        .set_application_name("secrets-server")
        .map_sqlx_postgres_opts(pooler::connecting)
        .map_sqlx_postgres_pool_opts(move |pool| limiting(trying(pool, &noticed), pooling));
    options
}

/// Bounds how long a statement takes. Not as a parameter of the connection, which poolers refuse; and not on a connection
/// that the next transaction of somebody else gets: there each transaction that writes sets it for itself.
fn limiting(pool: PoolOptions<Postgres>, pooling: Pooling) -> PoolOptions<Postgres> {
    if pooling == Pooling::Transaction {
        return pool;
    }
    pool.after_connect(|connection, _| {
        Box::pin(async move { connection.execute(sqlx::raw_sql(AssertSqlSafe(set_limits("SET")))).await.map(drop) })
    })
}

fn set_limits(set: &str) -> String {
    let (statement, lock) = (STATEMENT_TIMEOUT.as_millis(), LOCK_TIMEOUT.as_millis());
    format!("{set} statement_timeout = {statement}; {set} lock_timeout = {lock}")
}

fn trying(pool: PoolOptions<Postgres>, feedback: &Feedback) -> PoolOptions<Postgres> {
    let (before, after) = (feedback.clone(), feedback.clone());
    pool.test_before_acquire(false)
        .before_acquire(move |connection, meta| {
            let is_usable = !before.may_be_read_only(meta.age);
            Box::pin(async move {
                if is_usable && meta.idle_for >= MAX_UNCHECKED_IDLE {
                    answers(connection).await?;
                }
                Ok(is_usable)
            })
        })
        .after_release(move |connection, meta| {
            let (is_usable, may_have_begun) = (!after.may_be_read_only(meta.age), after.may_have_begun());
            Box::pin(async move {
                if is_usable && may_have_begun {
                    return has_no_transaction(connection).await;
                }
                if is_usable {
                    answers(connection).await?;
                }
                Ok(is_usable)
            })
        })
}

async fn answers(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    in_time(connection.ping()).await
}

/// Whether no transaction is under way. The driver does not say what the database told it; a `ROLLBACK` would be in the database's
/// log where there is nothing to roll back.
async fn has_no_transaction(connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    // A single statement begins its own transaction, at the same time.
    let row = in_time(connection.fetch_one(sqlx::raw_sql("SELECT now() = statement_timestamp()"))).await?;
    row.try_get(0)
}

async fn in_time<T>(answer: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, sqlx::Error> {
    timeout(PING_TIMEOUT, answer).await.unwrap_or_else(|_| Err(io::Error::from(io::ErrorKind::TimedOut).into()))
}
