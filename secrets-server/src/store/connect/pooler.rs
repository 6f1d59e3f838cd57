//! Finds out through what PostgreSQL is reached before anything is served: an encoding that can't hold every text, or a
//! pooler that forgets what this program relies on.
//!
//! A pooler in transaction mode (PgBouncer) gives each transaction another connection to the server. What was prepared on
//! one is not there on the next, unless the pooler prepares it again, as PgBouncer does from 1.21. Two connections tell: if
//! the second one's transaction is on the server connection that the first one used, there is a pooler in that mode, and the
//! first one has to go on on another.

use std::time::Duration;

use sea_orm::sqlx::pool::PoolOptions;
use sea_orm::sqlx::postgres::{PgConnectOptions, PgConnection};
use sea_orm::sqlx::{self, Connection, Postgres};
use sea_orm::{DbErr, RuntimeErr};
use tokio::time::timeout;

use super::{ConnectError, DatabaseUrl, InvalidDatabaseUrl, reach};
use crate::store::{ACQUIRE_TIMEOUT, DriverError, StoreError};

/// A pooler that has one connection to the server alone lets the first statement wait for ever.
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(5);

/// invalid_sql_statement_name, duplicate_prepared_statement: what a pooler that forgets them answers.
const LOST_STATEMENT: [&str; 2] = ["26000", "42P05"];

/// For how long a connection is one to the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pooling {
    /// For as long as it lives: there is no pooler, or one in session mode.
    Session,
    /// For a transaction at a time.
    Transaction,
}

/// How this program connects. Nothing goes along that a pooler does not know.
pub(super) fn connecting(options: PgConnectOptions) -> PgConnectOptions {
    options.extra_float_digits(None)
}

/// Looks at the database at `url`. Refuses one that can't be served.
pub(super) async fn inspect(url: &DatabaseUrl) -> Result<Pooling, ConnectError> {
    let options: PgConnectOptions = url.expose().parse().map_err(|_| refused(InvalidDatabaseUrl.to_string()))?;
    reach::once(&connecting(options.clone())).await?;
    let pool = PoolOptions::<Postgres>::new().max_connections(2).acquire_timeout(ACQUIRE_TIMEOUT);
    let pool = pool.connect_with(connecting(options)).await.map_err(failed)?;
    let mut first = pool.acquire().await.map_err(failed)?;
    let encoding: String =
        sqlx::query_scalar("SHOW server_encoding").fetch_one(&mut *first).await.map_err(lost_or_failed)?;
    if encoding != "UTF8" {
        return Err(ConnectError::Encoding { encoding });
    }
    // One connection is all that some users may have; no pooler is that small.
    let pooling = match pool.acquire().await {
        Ok(mut second) => pooling(&mut first, &mut second).await.map_err(lost_or_failed)?,
        Err(_) => Pooling::Session,
    };
    drop(first);
    pool.close().await;
    Ok(pooling)
}

async fn pooling(first: &mut PgConnection, second: &mut PgConnection) -> Result<Pooling, sqlx::Error> {
    let backend = backend(first).await?;
    let mut transaction = second.begin().await?;
    if self::backend(&mut transaction).await? != backend {
        return Ok(Pooling::Session);
    }
    if let Ok(found) = timeout(STATEMENT_TIMEOUT, self::backend(first)).await {
        found?;
    }
    Ok(Pooling::Transaction)
}

/// The process that serves a connection.
async fn backend(connection: &mut PgConnection) -> Result<i32, sqlx::Error> {
    sqlx::query_scalar("SELECT pg_backend_pid()").fetch_one(connection).await
}

fn lost_or_failed(error: sqlx::Error) -> ConnectError {
    let code = error.as_database_error().and_then(|error| error.code());
    match code.as_deref() {
        Some(code) if LOST_STATEMENT.contains(&code) => ConnectError::Pooler,
        _ => failed(error),
    }
}

pub(super) fn failed(error: sqlx::Error) -> ConnectError {
    StoreError::from(DbErr::Conn(RuntimeErr::SqlxError(error.into()))).into()
}

fn refused(message: String) -> ConnectError {
    StoreError::Refused(DriverError { code: None, message }).into()
}
