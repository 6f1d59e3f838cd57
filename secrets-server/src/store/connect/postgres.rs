//! One pool of connections to PostgreSQL, for reading and for writing.
//!
//! The driver sets no limit on how long it waits for an answer, and a machine that is lost closes no connection: its
//! connections would be waited for, and kept from the pool, for ever. So each of them is tried with a time limit before it
//! goes back to the pool, where the one of a call that was given up would come from, and after it was idle.

use std::io;
use std::time::Duration;

use sea_orm::sqlx::pool::PoolOptions;
use sea_orm::sqlx::{self, Connection, PgConnection, Postgres};
use tokio::time::timeout;

use super::{ConnectError, Connections, DatabaseUrl, pool, quiet};

/// A connection that was idle for longer is tried before it is handed out, so that a restart of the database costs no
/// call that comes after it.
const MAX_UNCHECKED_IDLE: Duration = Duration::from_secs(1);

/// A connection that takes longer to say that it is there is closed. Well within the time that a call waits for one, so
/// that it gets a new one.
const PING_TIMEOUT: Duration = Duration::from_secs(2);

/// No statement of this program takes nearly as long; a lock that is held longer is given up.
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(10);

pub(super) async fn open(url: &DatabaseUrl, connections: u32) -> Result<Connections, ConnectError> {
    let mut options = quiet(url.expose());
    options
        .max_connections(connections.max(1))
        .set_application_name("secrets-server")
        .statement_timeout(STATEMENT_TIMEOUT)
        .map_sqlx_postgres_pool_opts(trying);
    let pool = pool(options).await?;
    Ok(Connections { reader: pool.clone(), writer: pool, group: None, _lock: None })
}

fn trying(pool: PoolOptions<Postgres>) -> PoolOptions<Postgres> {
    pool.test_before_acquire(false)
        .before_acquire(|connection, meta| {
            Box::pin(async move {
                if meta.idle_for >= MAX_UNCHECKED_IDLE {
                    answers(connection).await?;
                }
                Ok(true)
            })
        })
        .after_release(|connection, _| {
            Box::pin(async move {
                answers(connection).await?;
                Ok(true)
            })
        })
}

async fn answers(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    timeout(PING_TIMEOUT, connection.ping())
        .await
        .unwrap_or_else(|_| Err(io::Error::from(io::ErrorKind::TimedOut).into()))
}
