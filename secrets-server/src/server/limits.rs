//! What one caller may take of the server, bounded by design; what depends on the machine is configured ([`Limits`](crate::config::Limits)).

use std::time::Duration;

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
/// How often an idle connection is pinged, and how long its other end may take to answer.
pub(crate) const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(30);
pub(crate) const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a call may take until its response begins, whatever deadline its caller gives.
pub(crate) const MAX_CALL_TIMEOUT: Duration = Duration::from_secs(60);
/// How long the look-up of a credential may take: no statement of the database, and no wait for a connection, takes nearly as long.
pub(crate) const LOOKUP_TIMEOUT: Duration = Duration::from_secs(20);
/// How long a TLS handshake may take.
pub(crate) const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// How long the calls in flight may go on after the request to stop. A second less than the twenty that a stop may
/// take in all: what follows needs time too.
pub(crate) const DRAIN_TIMEOUT: Duration = Duration::from_secs(19);
/// When no call was in flight at the request to stop: how long nothing must be written until every response is sent.
pub(crate) const IDLE_TIME: Duration = Duration::from_millis(150);
/// The same when there were calls: their responses may still wait for a turn on a busy machine.
pub(crate) const IDLE_TIME_AFTER_CALLS: Duration = Duration::from_secs(1);

/// Gives a generated server the message limits: `limited!(SecretServiceServer::new(handler))`.
#[macro_export]
macro_rules! limited {
    ($server:expr) => {
        $server
            .max_decoding_message_size($crate::server::limits::MAX_REQUEST_BYTES)
            .max_encoding_message_size($crate::server::limits::MAX_RESPONSE_BYTES)
    };
}
