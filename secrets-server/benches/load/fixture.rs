//! A running server with an organization, an administrator, and contexts to resolve.

use std::path::PathBuf;

use prost::Message as _;
use prost::bytes::Bytes;
use secrets_proto::v1::access_service_client::AccessServiceClient;
use secrets_proto::v1::directory_service_client::DirectoryServiceClient;
use secrets_proto::v1::secret_service_client::SecretServiceClient;
use secrets_proto::v1::{
    Binding, Context, CreateBindingRequest, CreateProjectRequest, CreateSecretRequest, CreateSessionRequest,
    ResolveRequest, ResolveResponse, Role, SecretValue, secret_value,
};
use tonic::client;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::Channel;

use crate::Result;
use crate::raw::Raw;
use crate::support::server::{Server, authorized};

const ORGANIZATION: &str = "bench";
const ADMIN: &str = "ann";
/// One administrator and one session make all calls: what is measured is the server, not its limits.
const LIMITS: [(&str, &str); 2] =
    [("SECRETS__LIMITS__CALLS_PER_PERSON", "8192"), ("SECRETS__LIMITS__RATE_PER_PERSON", "1000000")];

/// A server, its administrator, and what can be resolved there.
pub(crate) struct Fixture {
    pub(crate) label: &'static str,
    pub(crate) server: Server,
    /// The administrator's token.
    token: String,
    pub(crate) resolvables: Vec<Resolvable>,
}

/// A context of `values` values: the token of a session that may resolve it, the request and the reply.
#[derive(Clone)]
pub(crate) struct Resolvable {
    pub(crate) values: usize,
    pub(crate) token: String,
    pub(crate) request: Vec<u8>,
    pub(crate) reply: Bytes,
}

impl Fixture {
    /// Starts a server on an empty database: SQLite in `directory`, or the one at `postgres`; creates a context for each of `sizes`.
    pub(crate) async fn start(
        label: &'static str,
        directory: PathBuf,
        postgres: Option<&str>,
        sizes: &[usize],
    ) -> Result<Self> {
        let server = Server::start(directory, postgres, &LIMITS)?;
        let token = server.create_organization(ORGANIZATION, ADMIN).await?;
        let mut fixture = Self { label, server, token, resolvables: Vec::new() };
        let channel = fixture.server.connect().await?;
        for &values in sizes {
            let resolvable = fixture.resolvable(channel.clone(), values).await?;
            fixture.resolvables.push(resolvable);
        }
        Ok(fixture)
    }

    /// A client with a connection of its own, which acts as the administrator.
    pub(crate) async fn administrator(&self) -> Result<Administrator> {
        Ok(Administrator { channel: self.server.connect().await?, token: self.token.clone() })
    }

    async fn resolvable(&self, channel: Channel, values: usize) -> Result<Resolvable> {
        let administrator = Administrator { channel: channel.clone(), token: self.token.clone() };
        let project = administrator.create_project(&format!("values-{values}")).await?;
        for index in 0..values {
            administrator.create_secret(&project, &format!("SERVICE_{index}_API_KEY")).await?;
        }
        let token = administrator.create_session(&project).await?;
        let request = ResolveRequest::default().encode_to_vec();
        let reply = resolve(channel, &token, request.clone()).await?;
        let delivered =
            ResolveResponse::decode(reply.clone())?.secrets.iter().filter(|secret| !secret.value.is_empty()).count();
        if delivered != values {
            return Err(format!("the context of {values} values resolves to {delivered}").into());
        }
        Ok(Resolvable { values, token, request, reply })
    }
}

/// The administrator of the organization, at the other end of one connection.
pub(crate) struct Administrator {
    channel: Channel,
    token: String,
}

impl Administrator {
    /// Creates a project; returns its name.
    pub(crate) async fn create_project(&self, project_id: &str) -> Result<String> {
        let request = CreateProjectRequest {
            parent: format!("organizations/{ORGANIZATION}"),
            project_id: project_id.into(),
            ..Default::default()
        };
        DirectoryServiceClient::new(self.channel.clone()).create_project(authorized(&self.token, request)?).await?;
        Ok(format!("organizations/{ORGANIZATION}/projects/{project_id}"))
    }

    /// Creates a secret of the usual size, an environment variable.
    pub(crate) async fn create_secret(&self, parent: &str, secret_id: &str) -> Result<()> {
        let value = format!("sk_bench_{:0>40}", secret_id.to_lowercase());
        let request = CreateSecretRequest {
            parent: parent.into(),
            secret_id: secret_id.into(),
            value: Some(SecretValue { value: Some(secret_value::Value::Text(value)) }),
            ..Default::default()
        };
        SecretServiceClient::new(self.channel.clone()).create_secret(authorized(&self.token, request)?).await?;
        Ok(())
    }

    /// A session for the administrator's own context in `project`, of which they become a member.
    async fn create_session(&self, project: &str) -> Result<String> {
        let mut access = AccessServiceClient::new(self.channel.clone());
        let binding = Binding {
            principal: format!("organizations/{ORGANIZATION}/users/{ADMIN}"),
            role: Role::Member.into(),
            ..Default::default()
        };
        let request = CreateBindingRequest { parent: project.into(), binding: Some(binding), ..Default::default() };
        access.create_binding(authorized(&self.token, request)?).await?;
        let context = Context {
            organization: ORGANIZATION.into(),
            project: project.rsplit('/').next().unwrap_or_default().into(),
            ..Default::default()
        };
        let request = CreateSessionRequest { context: Some(context), ..Default::default() };
        Ok(access.create_session(authorized(&self.token, request)?).await?.into_inner().token)
    }
}

/// One `Resolve`, its answer as it is on the wire.
async fn resolve(channel: Channel, token: &str, request: Vec<u8>) -> Result<Bytes> {
    let mut resolve = client::Grpc::new(channel);
    resolve.ready().await?;
    let path = PathAndQuery::from_static("/secretsapi.v1.ResolveService/Resolve");
    Ok(resolve.unary(authorized(token, Bytes::from(request))?, path, Raw).await?.into_inner())
}
