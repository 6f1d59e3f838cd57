//! One pool of connections to PostgreSQL, for reading and for writing.

use std::time::Duration;

use super::{ConnectError, Connections, DatabaseUrl, pool, quiet};

/// A connection that was idle for longer is tried before it is handed out, so that a restart of the database costs no
/// call that comes after it.
const TRUSTED_IDLE: Duration = Duration::from_secs(1);

/// No statement of this program takes nearly as long; a lock that is held longer is given up.
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(10);

pub(super) async fn open(url: &DatabaseUrl, connections: u32) -> Result<Connections, ConnectError> {
    let mut options = quiet(url.expose());
    options
        .max_connections(connections.max(1))
        .set_application_name("secrets-server")
        .statement_timeout(STATEMENT_TIMEOUT)
        .test_before_acquire_if_idle_for(TRUSTED_IDLE);
    let pool = pool(options).await?;
    Ok(Connections { reader: pool.clone(), writer: pool, _lock: None })
}
