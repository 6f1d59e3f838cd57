//! HTTP/2 on a connection: from its handshake, which has seconds, to its end, which comes when it is idle for long, or when its responses are not
//! taken.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::Request;
use hyper::server::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, sleep_until, timeout_at};
use tokio_rustls::TlsAcceptor;
use tokio_util::task::TaskTracker;
use tonic::body::Body;
use tonic::service::Routes;
use tower::{Layer, ServiceExt as _};

use super::activity::Activity;
use super::connection::{Connection, Progress};
use super::connection_slots::{ConnectionSlot, ConnectionSlots};
use super::layers::Layers;
use super::limits;
use super::protocol_errors::ProtocolErrors;
use crate::call::lookup_turn::LookupTurns;
use crate::call::peer::Peer;
use crate::config::Limits;
use crate::process::shutdown::Shutdown;

/// What a client sends before anything else: 24 bytes that are always the same, and the head of a frame of settings.
const PREFACE_BYTES: u64 = 24 + 9;
/// When a connection is checked, in parts of the time that it may be idle; and all that it may be idle in a crowded server.
const IDLE_PARTS: u32 = 10;
/// The same in parts of the time that a response may wait.
const RESPONSE_PARTS: u32 = 4;

/// The services with the layers around them.
type Layered = <Layers as Layer<Routes>>::Service;

/// What the connections of all listeners share.
#[derive(Clone)]
pub(super) struct Connections {
    slots: ConnectionSlots,
    errors: Arc<ProtocolErrors>,
    tasks: TaskTracker,
    progress: Progress,
    shutdown: Shutdown,
    handshake_time: Duration,
    idle_time: Duration,
    response_time: Duration,
}

/// The connections of one listener.
pub(super) struct Http2 {
    builder: http2::Builder<TokioExecutor>,
    services: Layered,
    tls: Option<TlsAcceptor>,
    connections: Connections,
}

impl Connections {
    pub(super) fn new(limits: &Limits, shutdown: Shutdown) -> Self {
        Self {
            slots: ConnectionSlots::new(limits::max_connections(limits)),
            errors: Arc::default(),
            tasks: TaskTracker::new(),
            progress: Progress::default(),
            shutdown,
            handshake_time: limits.handshake_time,
            idle_time: limits.idle_time,
            response_time: limits.response_time,
        }
    }

    /// How long until a connection is checked again.
    fn check_interval(&self) -> Duration {
        std::cmp::min(self.idle_time / IDLE_PARTS, self.response_time / RESPONSE_PARTS)
    }

    /// How much has been written on all of them.
    pub(super) fn progress(&self) -> u64 {
        self.progress.count()
    }

    /// Waits until all are closed; to be called when no more come.
    pub(super) async fn closed(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }
}

impl Http2 {
    pub(super) fn new(services: Layered, tls: Option<TlsAcceptor>, connections: Connections) -> Self {
        Self { builder: builder(), services, tls, connections }
    }

    pub(super) fn slot(&self, address: SocketAddr) -> Option<ConnectionSlot> {
        self.connections.slots.take(address.ip())
    }

    pub(super) fn spawn(&self, connection: impl Future<Output = ()> + Send + 'static) {
        self.connections.tasks.spawn(connection);
    }

    pub(super) async fn stop_requested(&self) {
        self.connections.shutdown.requested.cancelled().await;
    }

    /// Serves a connection until it ends.
    pub(super) async fn serve(self: Arc<Self>, stream: TcpStream, address: SocketAddr, slot: ConnectionSlot) {
        if let Some(wait) = self.connections.errors.wait(address.ip()) {
            tokio::select! {
                () = sleep(wait) => {}
                () = self.stop_requested() => return,
            }
        }
        let deadline = Instant::now() + self.connections.handshake_time;
        let _ = stream.set_nodelay(true);
        let opened = tokio::select! {
            opened = timeout_at(deadline, self.open(stream)) => opened,
            () = self.stop_requested() => return,
        };
        match opened {
            Ok(Ok(connection)) => self.serve_calls(connection, address, deadline).await,
            Ok(Err(error)) => tracing::debug!(%error, peer = %address, "TLS handshake failed"),
            Err(_) => tracing::debug!(peer = %address, "TLS handshake took too long"),
        }
        drop(slot);
    }

    async fn open(&self, stream: TcpStream) -> std::io::Result<Connection> {
        let progress = self.connections.progress.clone();
        match &self.tls {
            None => Ok(Connection::plain(stream, progress)),
            Some(acceptor) => Ok(Connection::tls(acceptor.accept(stream).await?, progress)),
        }
    }

    async fn serve_calls(&self, connection: Connection, address: SocketAddr, deadline: Instant) {
        let peer = Peer { address, tls: self.tls.is_some() };
        let (received, activity) = (connection.received(), Activity::default());
        let (in_connection, lookups) = (activity.clone(), LookupTurns::default());
        let services = self.services.clone().map_request(move |mut request: Request<hyper::body::Incoming>| {
            request.extensions_mut().insert(peer);
            request.extensions_mut().insert(in_connection.clone());
            request.extensions_mut().insert(lookups.clone());
            request.map(Body::new)
        });
        let serving = self.builder.serve_connection(TokioIo::new(connection), TowerToHyperService::new(services));
        tokio::pin!(serving);
        let (mut check, mut is_closing) = (deadline, false);
        loop {
            let close = tokio::select! {
                ended = serving.as_mut() => {
                    if let Err(error) = ended {
                        self.connections.errors.note(address.ip(), &error);
                        tracing::debug!(%error, peer = %address, "connection failed");
                    }
                    return;
                }
                () = self.stop_requested(), if !is_closing => true,
                () = sleep_until(check) => self.is_idle(&activity),
            };
            if received.bytes() < PREFACE_BYTES || (close && is_closing) {
                return;
            }
            if activity.waiting_time().is_some_and(|waiting| waiting >= self.connections.response_time) {
                tracing::debug!(peer = %address, "connection closed: its responses are not taken");
                return;
            }
            if close {
                // What is under way ends first, and the client learns that nothing more is taken.
                is_closing = true;
                serving.as_mut().graceful_shutdown();
            }
            check = Instant::now() + self.connections.check_interval();
        }
    }

    fn is_idle(&self, activity: &Activity) -> bool {
        let Connections { slots, idle_time, .. } = &self.connections;
        let most = if slots.is_crowded() { *idle_time / IDLE_PARTS } else { *idle_time };
        activity.idle_time().is_some_and(|idle| idle >= most)
    }
}

fn builder() -> http2::Builder<TokioExecutor> {
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .max_concurrent_streams(limits::MAX_CONCURRENT_CALLS)
        .max_header_list_size(limits::MAX_HEADER_BYTES)
        .initial_stream_window_size(limits::STREAM_WINDOW_BYTES)
        .initial_connection_window_size(limits::CONNECTION_WINDOW_BYTES)
        .keep_alive_interval(limits::KEEPALIVE_INTERVAL)
        .keep_alive_timeout(limits::KEEPALIVE_TIMEOUT);
    builder
}
