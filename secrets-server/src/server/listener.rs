//! A bound address, and the task that accepts connections on it.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;
use tokio_rustls::TlsAcceptor;

use super::BindError;
use super::http2::Http2;
use super::tls::Certificate;
use crate::config::{ListenerConfig, Offered};

/// How long nothing is accepted after the process had no descriptor for a connection: at first, and when that lasts.
const MIN_BACKOFF: Duration = Duration::from_millis(10);
const MAX_BACKOFF: Duration = Duration::from_secs(1);

/// A bound address: connections queue, and none is accepted yet.
pub(crate) struct Listener {
    socket: TcpListener,
    address: SocketAddr,
    offered: Offered,
    tls: Option<TlsAcceptor>,
    certificate: Option<Arc<Certificate>>,
}

impl Listener {
    pub(crate) async fn bind(config: &ListenerConfig) -> Result<Self, BindError> {
        let certificate = config.tls.as_ref().map(Certificate::load).transpose()?;
        let tls = certificate.as_ref().map(Certificate::acceptor).transpose()?;
        let in_use = |error| BindError::Address { address: config.address, error };
        let socket = TcpListener::bind(config.address).await.map_err(in_use)?;
        let address = socket.local_addr().map_err(in_use)?;
        Ok(Self { socket, address, offered: config.offered.clone(), tls, certificate })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn offered(&self) -> &Offered {
        &self.offered
    }

    pub(crate) fn certificate(&self) -> Option<Arc<Certificate>> {
        self.certificate.clone()
    }

    pub(crate) fn tls(&self) -> Option<&TlsAcceptor> {
        self.tls.as_ref()
    }

    /// Accepts until the server is asked to stop; then the address is free again.
    pub(crate) async fn accept(self, http: Http2) {
        let http = Arc::new(http);
        let mut backoff = MIN_BACKOFF;
        loop {
            let accepted = tokio::select! {
                accepted = self.socket.accept() => accepted,
                () = http.stop_requested() => return,
            };
            match accepted {
                Ok((stream, address)) => {
                    backoff = MIN_BACKOFF;
                    serve(&http, stream, address);
                }
                Err(error) if belongs_to_one_connection(&error) => {}
                Err(error) => {
                    tracing::warn!(%error, listener = %self.address, "cannot accept connections");
                    tokio::select! {
                        () = sleep(backoff) => {}
                        () = http.stop_requested() => return,
                    }
                    backoff = MAX_BACKOFF.min(backoff * 2);
                }
            }
        }
    }
}

/// Handshakes run beside each other, so that a client that connects and then sends nothing keeps no other waiting.
fn serve(http: &Arc<Http2>, stream: TcpStream, address: SocketAddr) {
    match http.slot(address) {
        Some(slot) => http.spawn(Arc::clone(http).serve(stream, address, slot)),
        None => tracing::debug!(peer = %address, "connection refused: there are too many"),
    }
}

/// Whether the error is that of the connection that was being accepted, not of the listener.
fn belongs_to_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionRefused
    )
}
