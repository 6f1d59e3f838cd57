//! Where a call comes from.

use std::net::SocketAddr;

/// Who is at the other end of a connection; in each request's extensions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// The address the connection comes from.
    pub address: SocketAddr,
    /// Whether the connection is encrypted.
    pub tls: bool,
}
