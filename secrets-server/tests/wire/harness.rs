//! A server of the real layers and handlers over a database of the test's own, and clients for it.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;

use secrets_core::Timestamp;
use secrets_proto::v1::access_service_client::AccessServiceClient;
use secrets_proto::v1::audit_service_client::AuditServiceClient;
use secrets_proto::v1::directory_service_client::DirectoryServiceClient;
use secrets_proto::v1::resolve_service_client::ResolveServiceClient;
use secrets_proto::v1::secret_service_client::SecretServiceClient;
use secrets_proto::v1::{self};
use secrets_server::application::Application;
use secrets_server::clock::{Clock, ManualClock, SystemClock};
use secrets_server::config::{ListenerConfig, Offered};
use secrets_server::crypto::SystemRandom;
use secrets_server::keys::FileRootKey;
use secrets_server::process::shutdown::Signal;
use secrets_server::rpc;
use secrets_server::server::Server;
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;
use tonic::{Code, Request, Status};
use tonic_types::StatusExt;

use crate::database::TestDatabase;

/// A client that presents a token.
pub type Bearing<C> = InterceptedService<C, Bearer>;

/// A running service.
pub struct Wire<'a> {
    pub app: Application,
    pub clock: Arc<ManualClock>,
    pub operator: String,
    pub address: SocketAddr,
    pub database: &'a TestDatabase,
    channel: Channel,
    /// Dropped, it tells the server to stop.
    stop: Option<oneshot::Sender<()>>,
    served: JoinHandle<()>,
    _directory: TempDir,
}

impl<'a> Wire<'a> {
    /// Starts a service on `database`, with an operator. It ends with the test. Its clock stands still until it is set.
    pub async fn start(database: &'a TestDatabase) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let random = Arc::new(SystemRandom);
        let root_key = FileRootKey::create(&directory.path().join("root-key"), random.clone()).unwrap();
        let clock = Arc::new(ManualClock::at(SystemClock.now()));
        let app = Application::open(database.store.clone(), &root_key, clock.clone(), random).await.unwrap();
        let first = app.service.bootstrap_operator().await.unwrap().unwrap();
        let operator = first.token().expose().to_owned();
        first.keep().await.unwrap();

        let listener = ListenerConfig { address: "127.0.0.1:0".parse().unwrap(), offered: Offered::all(), tls: None };
        let server = Server::bind(&[listener], Signal::new()).await.unwrap();
        let address = server.addresses()[0];
        let (stop, stopped) = oneshot::channel::<()>();
        let (service, authenticator) = (Arc::clone(&app.service), Arc::clone(&app.authenticator));
        let served = tokio::spawn(async move {
            let stopped = async {
                let _ = stopped.await;
            };
            server.serve(move |offered| rpc::routes(&service, &authenticator, offered), stopped).await.unwrap();
        });
        let channel = Channel::from_shared(format!("http://{address}")).unwrap().connect_lazy();
        Self { app, clock, operator, address, database, channel, stop: Some(stop), served, _directory: directory }
    }

    pub fn secrets(&self, token: &str) -> SecretServiceClient<Bearing<Channel>> {
        SecretServiceClient::with_interceptor(self.channel.clone(), Bearer(token.to_owned()))
    }

    pub fn resolver(&self, token: &str) -> ResolveServiceClient<Bearing<Channel>> {
        ResolveServiceClient::with_interceptor(self.channel.clone(), Bearer(token.to_owned()))
    }

    /// The same over another connection.
    pub fn resolver_over(&self, channel: &Channel, token: &str) -> ResolveServiceClient<Bearing<Channel>> {
        ResolveServiceClient::with_interceptor(channel.clone(), Bearer(token.to_owned()))
    }

    /// One more connection.
    pub fn another_channel(&self) -> Channel {
        Channel::from_shared(format!("http://{}", self.address)).unwrap().connect_lazy()
    }

    /// Stops the server, and returns when it has.
    pub async fn stop(&mut self) {
        drop(self.stop.take());
        (&mut self.served).await.unwrap();
    }

    pub fn directory(&self, token: &str) -> DirectoryServiceClient<Bearing<Channel>> {
        DirectoryServiceClient::with_interceptor(self.channel.clone(), Bearer(token.to_owned()))
    }

    pub fn access(&self, token: &str) -> AccessServiceClient<Bearing<Channel>> {
        AccessServiceClient::with_interceptor(self.channel.clone(), Bearer(token.to_owned()))
    }

    pub fn audit(&self, token: &str) -> AuditServiceClient<Bearing<Channel>> {
        AuditServiceClient::with_interceptor(self.channel.clone(), Bearer(token.to_owned()))
    }

    /// Makes an organization and returns its administrator's token; the administrator is `ann`.
    pub async fn organization(&self, id: &str) -> String {
        let request = v1::CreateOrganizationRequest {
            organization_id: id.into(),
            admin_user_id: "ann".into(),
            ..Default::default()
        };
        let created = self.directory(&self.operator).create_organization(request).await.unwrap().into_inner();
        self.redeem(&created.invitation.unwrap().code).await
    }

    /// Redeems an invitation for a personal token.
    pub async fn redeem(&self, code: &str) -> String {
        let request = v1::RedeemInvitationRequest { code: code.into(), ..Default::default() };
        self.access("").redeem_invitation(request).await.unwrap().into_inner().token
    }

    /// Invites a person to an organization and returns their token.
    pub async fn person(&self, admin: &str, organization: &str, id: &str) -> String {
        let request = v1::CreateInvitationRequest {
            parent: format!("organizations/{organization}"),
            user_id: id.into(),
            ..Default::default()
        };
        let invited = self.access(admin).create_invitation(request).await.unwrap().into_inner();
        self.redeem(&invited.invitation.unwrap().code).await
    }

    /// Moves the clock on.
    pub fn wait(&self, duration: std::time::Duration) -> Timestamp {
        self.clock.advance(duration)
    }
}

/// Presents a token; none when empty.
#[derive(Clone)]
pub struct Bearer(pub String);

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if !self.0.is_empty() {
            request.metadata_mut().insert("authorization", format!("Bearer {}", self.0).parse().unwrap());
        }
        Ok(request)
    }
}

/// What a refusal says, for assertions.
#[derive(Debug, PartialEq, Eq)]
pub struct Refusal {
    pub code: Code,
    pub reason: String,
    pub message: String,
    pub fields: Vec<String>,
    pub metadata: HashMap<String, String>,
}

/// Reads the details of a refusal; every one of them must have a reason.
pub fn refusal<T: std::fmt::Debug>(result: Result<T, Status>) -> Refusal {
    let status = result.expect_err("a refusal");
    let details = status.get_error_details();
    let info = details.error_info().unwrap_or_else(|| panic!("no ErrorInfo: {status:?}")).clone();
    assert_eq!(info.domain, "secretsapi.v1");
    Refusal {
        code: status.code(),
        reason: info.reason,
        message: status.message().to_owned(),
        fields: details
            .bad_request()
            .map(|bad| bad.field_violations.iter().map(|violation| violation.field.clone()).collect())
            .unwrap_or_default(),
        metadata: info.metadata,
    }
}
