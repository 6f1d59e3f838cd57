//! Reaches PostgreSQL once before a pool does: a pool tries for as long as it may wait, and then says that this took too
//! long, and neither where nor why.

use std::error::Error;
use std::io;
use std::time::Duration;

use sea_orm::sqlx::postgres::{PgConnectOptions, PgConnection};
use sea_orm::sqlx::{self, Connection as _};
use tokio::time::{Instant, sleep, timeout_at};

use super::ConnectError;
use super::pooler::failed;
use crate::store::ACQUIRE_TIMEOUT;

/// The time between two attempts.
const RETRY_INTERVAL: Duration = Duration::from_millis(250);

/// cannot_connect_now: the database starts, or stops. too_many_connections: some of them may be about to end, as those of the
/// server before this one.
const FOR_NOW: [&str; 2] = ["57P03", "53300"];

/// Connects and hangs up. A database that is about to start may take as long as a pool would wait for it.
pub(super) async fn once(options: &PgConnectOptions) -> Result<(), ConnectError> {
    let end = Instant::now() + ACQUIRE_TIMEOUT;
    let mut has_warned = false;
    loop {
        let error = match timeout_at(end, PgConnection::connect_with(options)).await {
            Ok(Ok(connection)) => {
                let _ = timeout_at(end, connection.close()).await;
                return Ok(());
            }
            Ok(Err(error)) => error,
            Err(_elapsed) => io::Error::from(io::ErrorKind::TimedOut).into(),
        };
        if !may_pass(&error) || Instant::now() + RETRY_INTERVAL >= end {
            return Err(explain(options, error));
        }
        if !has_warned {
            tracing::warn!(address = address(options), "PostgreSQL does not accept connections; trying again");
            has_warned = true;
        }
        sleep(RETRY_INTERVAL).await;
    }
}

/// Whether it may be another answer in a moment.
fn may_pass(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(error) => matches!(error.kind(), io::ErrorKind::ConnectionRefused | io::ErrorKind::NotFound),
        sqlx::Error::Database(error) => error.code().is_some_and(|code| FOR_NOW.contains(&code.as_ref())),
        _ => false,
    }
}

/// What the database says is kept; of what kept it from saying anything the address and the cause.
fn explain(options: &PgConnectOptions, error: sqlx::Error) -> ConnectError {
    let reason = match &error {
        sqlx::Error::Io(error) => match error.kind() {
            io::ErrorKind::ConnectionRefused => "connection refused; is it running?".to_owned(),
            io::ErrorKind::NotFound => "there is no such socket; is it running?".to_owned(),
            io::ErrorKind::TimedOut => format!("no answer within {} s", ACQUIRE_TIMEOUT.as_secs()),
            _ => innermost(error),
        },
        sqlx::Error::Tls(error) => format!("tls: {}", innermost(error.as_ref())),
        _ => return failed(error),
    };
    ConnectError::Unreachable { address: address(options), reason }
}

fn address(options: &PgConnectOptions) -> String {
    let (host, port) = (options.get_host(), options.get_port());
    // A host that is a path is a directory of sockets, as for PostgreSQL's own programs.
    match options.get_socket() {
        Some(directory) => format!("{}/.s.PGSQL.{port}", directory.display()),
        None if host.starts_with('/') => format!("{host}/.s.PGSQL.{port}"),
        None => format!("{host}:{port}"),
    }
}

fn innermost(error: &(dyn Error + 'static)) -> String {
    std::iter::successors(Some(error), |&error| error.source()).last().unwrap_or(error).to_string()
}
