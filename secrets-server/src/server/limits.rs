//! What one caller may take of the server, bounded by design; what depends on the machine is configured ([`Limits`]).

use std::time::Duration;

use crate::config::Limits;
use crate::process::descriptors;

/// Of a request message.
pub const MAX_REQUEST_BYTES: usize = 1024 * 1024;
/// Of a request message to a method whose caller has nothing but a code yet.
pub const MAX_CODE_REQUEST_BYTES: usize = 4 * 1024;
/// Of a response message: gRPC's own default, so that every client can receive what is sent.
pub const MAX_RESPONSE_BYTES: usize = 4 * 1024 * 1024;
/// Of a request's header list.
pub(crate) const MAX_HEADER_BYTES: u32 = 8 * 1024;
/// Of one connection.
pub(crate) const MAX_CONCURRENT_CALLS: u32 = 64;
/// What a client may send of a body, and of all bodies of a connection, before somebody reads it.
pub(crate) const STREAM_WINDOW_BYTES: u32 = 64 * 1024;
pub(crate) const CONNECTION_WINDOW_BYTES: u32 = 256 * 1024;
/// Descriptors that are kept for the database and files.
const RESERVED_DESCRIPTORS: u64 = 128;
/// Connections unless configured: those of one address, idle, take less than 256 MiB.
const DEFAULT_MAX_CONNECTIONS: u32 = 10_000;
/// Streams of a connection that need no credential, and of all connections.
pub(crate) const MAX_ANONYMOUS_STREAMS_PER_CONNECTION: usize = 4;
pub(crate) const MAX_ANONYMOUS_STREAMS: usize = 256;
/// Of a message that needs no credential.
pub(crate) const MAX_ANONYMOUS_REQUEST_BYTES: usize = 16 * 1024;
/// How often an idle connection is pinged, and how long its other end may take to answer.
pub(crate) const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(30);
pub(crate) const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a call may take until its response begins, whatever deadline its caller gives.
pub(crate) const MAX_CALL_TIMEOUT: Duration = Duration::from_secs(60);
/// How long the look-up of a credential may take: no statement of the database, and no wait for a connection, takes nearly as long.
pub(crate) const LOOKUP_TIMEOUT: Duration = Duration::from_secs(20);
/// How long the calls in flight may go on after the request to stop. A second less than the twenty that a stop may
/// take in all: what follows needs time too.
pub(crate) const DRAIN_TIMEOUT: Duration = Duration::from_secs(19);
/// When no call was in flight at the request to stop: how long nothing must be written until every response is sent.
pub(crate) const IDLE_TIME: Duration = Duration::from_millis(150);
/// The same when there were calls: their responses may still wait for a turn on a busy machine.
pub(crate) const IDLE_TIME_AFTER_CALLS: Duration = Duration::from_secs(1);

/// Connections in all: as many as are configured, as far as there are descriptors for them.
pub(crate) fn max_connections(limits: &Limits) -> usize {
    let wanted = limits.connections.map_or(DEFAULT_MAX_CONNECTIONS, std::num::NonZeroU32::get);
    let possible = descriptors::limit().saturating_sub(RESERVED_DESCRIPTORS).max(1);
    if limits.connections.is_some() && possible < wanted.into() {
        tracing::warn!(wanted, possible, "the limit of descriptors allows fewer connections than are configured");
    }
    usize::try_from(possible.min(wanted.into())).unwrap_or(usize::MAX)
}

/// Gives a generated server the message limits: `limited!(SecretServiceServer::new(handler))`.
#[macro_export]
macro_rules! limited {
    ($server:expr) => {
        $server
            .max_decoding_message_size($crate::server::limits::MAX_REQUEST_BYTES)
            .max_encoding_message_size($crate::server::limits::MAX_RESPONSE_BYTES)
    };
}
