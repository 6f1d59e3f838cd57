//! A server of the real layers and handlers over a database of the test's own, in this process.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use secrets_core::Timestamp;
use secrets_server::admission::{AdmissionLimits, MAX_RATE};
use secrets_server::application::Application;
use secrets_server::clock::{Clock, ManualClock, SystemClock};
use secrets_server::config::{Limits, ListenerConfig, Offered};
use secrets_server::crypto::SystemRandom;
use secrets_server::keys::FileRootKey;
use secrets_server::process::shutdown::Shutdown;
use secrets_server::rpc;
use secrets_server::server::Server;
use secrets_server::service::Settings;
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tonic::transport::Channel;

use super::clients::Clients;
use super::database::TestDatabase;

/// A running server, which dereferences to its clients.
pub struct TestServer {
    pub app: Application,
    pub clock: Arc<ManualClock>,
    /// The operator's token.
    pub operator: String,
    address: SocketAddr,
    clients: Clients,
    /// Dropped, it tells the server to stop.
    stop: Option<oneshot::Sender<()>>,
    served: JoinHandle<()>,
    _directory: TempDir,
}

impl Deref for TestServer {
    type Target = Clients;

    fn deref(&self) -> &Clients {
        &self.clients
    }
}

impl TestServer {
    /// Starts a server on `database`, with an operator. It ends with the test. Its clock stands still until it is set.
    pub async fn start(database: &TestDatabase) -> Self {
        Self::start_with(database, roomy()).await
    }

    /// The same with other limits.
    pub async fn start_with(database: &TestDatabase, limits: Limits) -> Self {
        Self::open(database, limits, Settings::default()).await
    }

    /// The same with sessions that renew themselves for `session_period`.
    pub async fn start_with_period(database: &TestDatabase, session_period: Duration) -> Self {
        Self::start_with_settings(database, Settings { session_period, ..Settings::default() }).await
    }

    /// The same with other settings of the use cases.
    pub async fn start_with_settings(database: &TestDatabase, settings: Settings) -> Self {
        Self::open(database, roomy(), settings).await
    }

    async fn open(database: &TestDatabase, limits: Limits, settings: Settings) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let random = Arc::new(SystemRandom);
        let root_key = FileRootKey::create(&directory.path().join("root-key"), random.clone()).unwrap();
        let clock = Arc::new(ManualClock::at(SystemClock.now()));
        let store = database.store.clone();
        let settings = Settings { admission: limits.admission.clone(), ..settings };
        let app = Application::open_with(store, &root_key, clock.clone(), random, settings).await.unwrap();
        let first = app.service.bootstrap_operator().await.unwrap().unwrap();
        let operator = first.token().expose().to_owned();
        first.keep().await.unwrap();

        let listener = ListenerConfig { address: "127.0.0.1:0".parse().unwrap(), offered: Offered::all(), tls: None };
        let server = Server::bind(&[listener], limits, Shutdown::default()).await.unwrap();
        let address = server.addresses()[0];
        let (stop, stopped) = oneshot::channel::<()>();
        let (service, authenticator) = (Arc::clone(&app.service), Arc::clone(&app.authenticator));
        let served = tokio::spawn(async move {
            let stopped = async {
                let _ = stopped.await;
            };
            let routes = |offered: &Offered| rpc::routes(&service, &authenticator, offered);
            server.serve(&authenticator, routes, stopped).await.unwrap();
        });
        let clients = Clients(channel(address));
        Self { app, clock, operator, address, clients, stop: Some(stop), served, _directory: directory }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Another connection.
    pub fn another_channel(&self) -> Channel {
        channel(self.address)
    }

    /// Stops the server, and returns when it has stopped.
    pub async fn stop(&mut self) {
        drop(self.stop.take());
        (&mut self.served).await.unwrap();
    }

    /// Creates an organization with the administrator `ann`, and returns her token.
    pub async fn organization(&self, id: &str) -> String {
        self.create_organization(&self.operator, id).await
    }

    /// Moves the clock on.
    pub fn wait(&self, duration: Duration) -> Timestamp {
        self.clock.advance(duration)
    }
}

/// Limits that no test reaches by accident: everybody comes from the same address, and quickly.
pub fn roomy() -> Limits {
    let mut admission = AdmissionLimits::default();
    for limits in [&mut admission.person, &mut admission.service_account] {
        (limits.calls, limits.rate) = (admission.calls, MAX_RATE);
    }
    Limits { code_attempts_per_minute: NonZeroU32::MAX, admission, ..Limits::default() }
}

fn channel(address: SocketAddr) -> Channel {
    Channel::from_shared(format!("http://{address}")).unwrap().connect_lazy()
}
