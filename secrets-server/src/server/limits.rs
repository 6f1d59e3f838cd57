//! What one caller may take of the server. Bounded by design, not configured.

use std::time::Duration;

/// The largest request message.
pub const DECODE_BYTES: usize = 1024 * 1024;
/// The largest answer: gRPC's own default, so that every client can receive what is sent.
pub const ENCODE_BYTES: usize = 4 * 1024 * 1024;
/// The largest header list of a request.
pub(crate) const HEADER_BYTES: u32 = 8 * 1024;
/// Concurrent calls a connection.
pub(crate) const STREAMS: u32 = 64;
/// How often an idle connection is asked whether its other end is alive, and how long it may take to answer.
pub(crate) const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(30);
pub(crate) const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(10);
/// The longest a call may take to its answer's beginning, whatever deadline its caller gives.
pub(crate) const LONGEST_CALL: Duration = Duration::from_secs(60);
/// The longest a TLS handshake may take.
pub(crate) const HANDSHAKE: Duration = Duration::from_secs(10);
/// How long the calls in flight may go on after the request to stop. A second less than the twenty that a stop may
/// take in all: what follows needs time too.
pub(crate) const DRAIN: Duration = Duration::from_secs(19);
/// When no call was in flight at the request to stop: how long nothing was written until nobody is owed anything.
pub(crate) const QUIET: Duration = Duration::from_millis(150);
/// The same when there were calls: their answers may still wait for a turn on a busy machine.
pub(crate) const QUIET_AFTER_CALLS: Duration = Duration::from_secs(1);

/// Gives a generated server the message limits: `limited!(SecretServiceServer::new(handler))`.
#[macro_export]
macro_rules! limited {
    ($server:expr) => {
        $server
            .max_decoding_message_size($crate::server::limits::DECODE_BYTES)
            .max_encoding_message_size($crate::server::limits::ENCODE_BYTES)
    };
}
