//! Two organizations: that of the calm caller, where one member attacks, and one that attacks with all it has.

use std::path::Path;
use std::time::Duration;

use secrets_proto::v1;
use secrets_proto::v1::access_service_client::AccessServiceClient;
use secrets_proto::v1::directory_service_client::DirectoryServiceClient;
use secrets_proto::v1::secret_service_client::SecretServiceClient;
use tonic::transport::Channel;

use crate::Result;
use crate::calm::Calm;
use crate::support::server::{Server, authorized};
use crate::target::{Account, Target, document};

const CALM: &str = "calm";
const HOSTILE: &str = "hostile";
const PROJECT: &str = "api";
/// How many values the calm caller resolves.
const VALUES: usize = 10;
/// How many secrets the attacker's scope has: all it can.
const FULL: usize = 1_000;
/// A benchmark may take longer than a session does by itself.
const SESSION_TTL: Duration = Duration::from_secs(24 * 3600);

/// Servers with both organizations.
pub(crate) struct Organizations {
    servers: Vec<Server>,
    calm_session: String,
    target: Target,
}

impl Organizations {
    pub(crate) async fn on_sqlite(directory: &Path) -> Result<Self> {
        Self::create(vec![Server::start(directory.to_owned(), None, &[])?]).await
    }

    pub(crate) async fn on_postgres(directory: &Path, url: &str) -> Result<Self> {
        let first = Server::start(directory.to_owned(), Some(url), &[])?;
        let second = first.replica(directory.with_extension("replica"), url, &[])?;
        Self::create(vec![first, second]).await
    }

    async fn create(servers: Vec<Server>) -> Result<Self> {
        let server = servers.first().ok_or("no server")?;
        let calm = Administrator::of(server, CALM).await?;
        calm.create_project().await?;
        calm.import(&calm.project(), VALUES).await?;
        let calm_session = calm.create_session(&calm.token).await?;
        let member = calm.invite("mallory").await?;
        let session = calm.create_session(&member).await?;
        let scope = format!("organizations/{CALM}/users/mallory");
        Administrator { token: member.clone(), ..calm.clone() }.import(&scope, FULL).await?;

        let hostile = Administrator::of(server, HOSTILE).await?;
        hostile.create_project().await?;
        let service_account = hostile.create_service_account().await?;
        let account = |token: &str, organization: &str, scope: String| Account {
            token: token.into(),
            scope,
            organization: organization.into(),
            project: PROJECT.into(),
        };
        let target = Target {
            ports: servers.iter().map(|server| server.process.port()).collect(),
            member: account(&member, CALM, scope.clone()),
            session: account(&session, CALM, scope),
            administrator: account(&hostile.token, HOSTILE, hostile.project()),
            service_account: account(&service_account, HOSTILE, hostile.project()),
            dropping: false,
        };
        Ok(Self { servers, calm_session, target })
    }

    pub(crate) fn servers(&self) -> &[Server] {
        &self.servers
    }

    pub(crate) fn target(&self) -> &Target {
        &self.target
    }

    pub(crate) async fn calm(&self) -> Result<Calm> {
        let mut channels = Vec::new();
        for server in &self.servers {
            channels.push(server.connect().await?);
        }
        Ok(Calm::new(channels, self.calm_session.clone(), VALUES))
    }
}

/// The administrator of an organization, who is a member of its project.
#[derive(Clone)]
struct Administrator {
    channel: Channel,
    token: String,
    organization: &'static str,
}

impl Administrator {
    async fn of(server: &Server, organization: &'static str) -> Result<Self> {
        let token = server.create_organization(organization, "ann").await?;
        Ok(Self { channel: server.connect().await?, token, organization })
    }

    fn access(&self) -> AccessServiceClient<Channel> {
        AccessServiceClient::new(self.channel.clone())
    }

    fn directory(&self) -> DirectoryServiceClient<Channel> {
        DirectoryServiceClient::new(self.channel.clone())
    }

    fn name(&self) -> String {
        format!("organizations/{}", self.organization)
    }

    fn project(&self) -> String {
        format!("{}/projects/{PROJECT}", self.name())
    }

    async fn create_project(&self) -> Result<()> {
        let request =
            v1::CreateProjectRequest { parent: self.name(), project_id: PROJECT.into(), ..Default::default() };
        self.directory().create_project(authorized(&self.token, request)?).await?;
        self.bind(&format!("{}/users/ann", self.name()), v1::Role::Member).await
    }

    async fn bind(&self, principal: &str, role: v1::Role) -> Result<()> {
        let binding = v1::Binding { principal: principal.into(), role: role.into(), ..Default::default() };
        let request = v1::CreateBindingRequest { parent: self.project(), binding: Some(binding), ..Default::default() };
        self.access().create_binding(authorized(&self.token, request)?).await?;
        Ok(())
    }

    /// A new member of the project. Returns their token.
    async fn invite(&self, user: &str) -> Result<String> {
        let request = v1::CreateInvitationRequest { parent: self.name(), user_id: user.into(), ..Default::default() };
        let invited = self.access().create_invitation(authorized(&self.token, request)?).await?.into_inner();
        let code = invited.invitation.ok_or("no invitation came back")?.code;
        let request = authorized(&code, v1::RedeemInvitationRequest::default())?;
        let token = self.access().redeem_invitation(request).await?.into_inner().token;
        self.bind(&format!("{}/users/{user}", self.name()), v1::Role::Member).await?;
        Ok(token)
    }

    /// A service account that administers the project. Returns its token.
    async fn create_service_account(&self) -> Result<String> {
        let request = v1::CreateServiceAccountRequest {
            parent: self.name(),
            service_account_id: "builder".into(),
            ..Default::default()
        };
        self.directory().create_service_account(authorized(&self.token, request)?).await?;
        let principal = format!("{}/serviceAccounts/builder", self.name());
        self.bind(&principal, v1::Role::Admin).await?;
        let request = v1::CreateTokenRequest { principal, ..Default::default() };
        Ok(self.access().create_token(authorized(&self.token, request)?).await?.into_inner().token)
    }

    /// A session of whom `token` speaks for, in the project.
    async fn create_session(&self, token: &str) -> Result<String> {
        let context =
            v1::Context { organization: self.organization.into(), project: PROJECT.into(), ..Default::default() };
        let ttl = prost_types::Duration::try_from(SESSION_TTL)?;
        let request = v1::CreateSessionRequest { context: Some(context), ttl: Some(ttl), ..Default::default() };
        Ok(self.access().create_session(authorized(token, request)?).await?.into_inner().token)
    }

    async fn import(&self, scope: &str, count: usize) -> Result<()> {
        let request = v1::ImportSecretsRequest {
            parent: scope.into(),
            source: Some(v1::import_secrets_request::Source::Dotenv(document(count, 0).into())),
            ..Default::default()
        };
        SecretServiceClient::new(self.channel.clone()).import_secrets(authorized(&self.token, request)?).await?;
        Ok(())
    }
}
