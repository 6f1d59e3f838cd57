//! A bound address, and the task that accepts connections on it.
//!
//! Handshakes run beside each other and have a deadline, so that a client that connects and then sends nothing keeps no
//! other waiting.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_stream::wrappers::ReceiverStream;

use super::connection::{Connection, Progress};
use super::tls::Certificate;
use super::{BindError, limits};
use crate::config::{ListenerConfig, Offered};
use crate::process::shutdown::Shutdown;

/// When the process has no file descriptor left for a connection.
const ACCEPT_RETRY_INTERVAL: Duration = Duration::from_millis(100);

/// A bound address: connections queue, and none is accepted yet.
pub(crate) struct Listener {
    socket: TcpListener,
    address: SocketAddr,
    offered: Offered,
    tls: Option<TlsAcceptor>,
    certificate: Option<Arc<Certificate>>,
}

/// What the accepting task hands to the server.
pub(crate) type Incoming = ReceiverStream<io::Result<Connection>>;

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

    pub(crate) fn has_tls(&self) -> bool {
        self.tls.is_some()
    }

    /// Accepts until the server is asked to stop; then the address is free again.
    pub(crate) fn accept(self, shutdown: &Shutdown, progress: &Progress) -> Incoming {
        let (ready, incoming) = mpsc::channel(1);
        let (shutdown, progress) = (shutdown.clone(), progress.clone());
        tokio::spawn(async move {
            tokio::select! {
                () = self.accept_all(&ready, &shutdown, &progress) => {}
                () = shutdown.requested.clone().cancelled_owned() => {}
            }
        });
        ReceiverStream::new(incoming)
    }

    async fn accept_all(&self, ready: &mpsc::Sender<io::Result<Connection>>, shutdown: &Shutdown, progress: &Progress) {
        while !ready.is_closed() {
            let (stream, address) = match self.socket.accept().await {
                Ok(accepted) => accepted,
                Err(error) if belongs_to_one_connection(&error) => continue,
                Err(error) => {
                    tracing::warn!(%error, listener = %self.address, "cannot accept a connection");
                    sleep(ACCEPT_RETRY_INTERVAL).await;
                    continue;
                }
            };
            let _ = stream.set_nodelay(true);
            match &self.tls {
                None => {
                    let _ = ready.send(Ok(Connection::plain(stream, address, progress.clone()))).await;
                }
                Some(acceptor) => {
                    let handshake = handshake(acceptor.clone(), stream, address, progress.clone(), ready.clone());
                    let stopped = shutdown.requested.clone().cancelled_owned();
                    tokio::spawn(async move {
                        tokio::select! {
                            () = handshake => {}
                            () = stopped => {}
                        }
                    });
                }
            }
        }
    }
}

async fn handshake(
    acceptor: TlsAcceptor,
    stream: TcpStream,
    address: SocketAddr,
    progress: Progress,
    ready: mpsc::Sender<io::Result<Connection>>,
) {
    match timeout(limits::HANDSHAKE_TIMEOUT, acceptor.accept(stream)).await {
        Ok(Ok(stream)) => {
            let _ = ready.send(Ok(Connection::tls(stream, address, progress))).await;
        }
        Ok(Err(error)) => tracing::debug!(%error, peer = %address, "TLS handshake failed"),
        Err(_) => tracing::debug!(peer = %address, "TLS handshake took too long"),
    }
}

/// Whether the error is that of the connection that was being accepted, not of the listener.
fn belongs_to_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionRefused
    )
}
