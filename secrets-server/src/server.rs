//! The server around the services: listeners, TLS, layers, health, reflection, and a stop that ends in time.
//!
//! A call goes from its listener through hyper's HTTP/2 and the layers to tonic's routes. The services come from outside, as a
//! function from what a listener offers to its routes; generated servers get their message limits from
//! [`limited!`](crate::limited).

mod activity;
mod anonymous_streams;
mod certificates;
mod connection;
mod connection_slots;
mod health;
mod http2;
mod layers;
pub mod limits;
mod listener;
mod protocol_errors;
mod reflection;
mod request_budget;
mod tls;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tonic::service::{LayerExt as _, Routes};
use tower::Layer as _;

use self::anonymous_streams::AnonymousStreams;
use self::health::Health;
use self::http2::{Connections, Http2};
use self::layers::{EndOnStopLayer, LayerState, LimitReflectionLayer};
use self::listener::Listener;
use crate::auth::Authenticator;
use crate::config::{Limits, ListenerConfig, Offered};
use crate::process::shutdown::Shutdown;

pub use self::certificates::Certificates;
pub use self::tls::{Certificate, TlsError};

/// Why a listener can't listen.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// The address is in use, not this machine's, or not allowed.
    #[error("cannot listen on `{address}`: {}", listen_problem(error))]
    Address {
        address: SocketAddr,
        /// The operating system's reason.
        error: io::Error,
    },
    /// Its certificate or key can't be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

/// What keeps a program from listening, and what to do.
fn listen_problem(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::AddrInUse => {
            "another program listens there; end it, or choose another address with `--listen`".to_owned()
        }
        io::ErrorKind::AddrNotAvailable => "it is not an address of this machine".to_owned(),
        io::ErrorKind::PermissionDenied => {
            "this user may not listen there; ports from 1024 need no permission".to_owned()
        }
        _ => error.to_string(),
    }
}

/// Why serving ended by itself.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The descriptors to reflect are damaged.
    #[error("the interface's descriptors cannot be reflected: {0}")]
    Reflection(#[from] tonic_reflection::server::Error),
    /// A listener's task was lost.
    #[error("a listener's task ended unexpectedly")]
    Lost,
}

/// Bound listeners, about to serve.
pub struct Server {
    listeners: Vec<Listener>,
    limits: Limits,
    shutdown: Shutdown,
    /// Whether the services can answer.
    readiness: watch::Receiver<bool>,
    drain: Duration,
}

impl Server {
    /// Binds every listener, or none. Handlers await `shutdown`, which counts the calls in flight.
    ///
    /// # Errors
    /// When an address can't be bound or a certificate can't be used.
    pub async fn bind(listeners: &[ListenerConfig], limits: Limits, shutdown: Shutdown) -> Result<Self, BindError> {
        let mut bound = Vec::new();
        for listener in listeners {
            bound.push(Listener::bind(listener).await?);
        }
        Ok(Self { listeners: bound, limits, shutdown, readiness: watch::channel(true).1, drain: limits::DRAIN_TIMEOUT })
    }

    /// The addresses, with the ports that were free for port 0, in the configuration's order.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.listeners.iter().map(Listener::address).collect()
    }

    /// Reports from then on what `readiness` says, instead of that everything serves.
    #[must_use]
    pub fn following(self, readiness: watch::Receiver<bool>) -> Self {
        Self { readiness, ..self }
    }

    /// The certificates of those that speak TLS.
    pub fn certificates(&self) -> Certificates {
        self.listeners.iter().filter_map(Listener::certificate).collect()
    }

    /// Serves what `routes` gives for each listener to whom the `authenticator` knows, and health checks and reflection beside
    /// it to everybody, until `stop`.
    ///
    /// Then health is `NOT_SERVING`, the addresses are free, streams end, and the calls in flight have until the twentieth
    /// second. Connections that are left have nothing more to send; they end with the runtime.
    ///
    /// # Errors
    /// When a listener fails.
    pub async fn serve(
        mut self,
        authenticator: &Arc<Authenticator>,
        routes: impl Fn(&Offered) -> Routes,
        stop: impl Future<Output = ()>,
    ) -> Result<(), ServeError> {
        let connections = Connections::new(&self.limits, self.shutdown.clone());
        let layers = LayerState::new(self.shutdown.clone(), Arc::clone(authenticator), &self.limits);
        let (health_watches, reflections) = (AnonymousStreams::default(), AnonymousStreams::default());
        let limit_reflection = LimitReflectionLayer::new(reflections, self.limits.reflection_silence);
        let mut healths = Vec::new();
        let mut accepting = JoinSet::new();
        for listener in self.listeners {
            let health = Health::serving(listener.offered(), health_watches.clone());
            let end_on_stop = EndOnStopLayer::new(self.shutdown.clone());
            let around = (end_on_stop.clone(), limit_reflection.clone());
            let routes = reflection::add(routes(listener.offered()), listener.offered(), &around)?
                .add_service(end_on_stop.named_layer(health.server()));
            let tls = listener.tls().cloned();
            tracing::info!(address = %listener.address(), tls = tls.is_some(), "listening");
            let services = layers.layers().layer(routes.prepare());
            accepting.spawn(listener.accept(Http2::new(services, tls, connections.clone())));
            healths.push(health);
        }

        tokio::select! {
            () = stop => {}
            () = health::follow(&mut self.readiness, &healths) => {}
            _ = accepting.join_next() => {
                self.shutdown.request();
                return Err(ServeError::Lost);
            }
        }

        tracing::info!(in_flight = self.shutdown.calls.len(), "stopping");
        healths.iter().for_each(Health::stopping);
        self.shutdown.request();
        match timeout(self.drain, drained(&self.shutdown, &connections)).await {
            Ok(()) => tracing::info!("stopped"),
            Err(_) => tracing::warn!(in_flight = self.shutdown.calls.len(), "stopped with calls in flight"),
        }
        Ok(())
    }
}

/// Waits until no call is in flight and no response is still being written: until every connection is closed, which is
/// what clients do after a GOAWAY, or nothing has been written for a while. A connection whose other end never spoke, or
/// does not respond any more, would never close by itself.
async fn drained(shutdown: &Shutdown, connections: &Connections) {
    let idle_time = if shutdown.calls.is_empty() { limits::IDLE_TIME } else { limits::IDLE_TIME_AFTER_CALLS };
    loop {
        shutdown.calls.wait().await;
        let before = connections.progress();
        tokio::select! {
            () = connections.closed() => return,
            () = sleep(idle_time) => {}
        }
        if shutdown.calls.is_empty() && connections.progress() == before {
            return;
        }
    }
}

#[cfg(test)]
mod tests;
