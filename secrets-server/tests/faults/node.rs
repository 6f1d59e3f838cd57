//! A running server and clients for it.

use std::process::Command;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use secrets_proto::v1::access_service_client::AccessServiceClient;
use secrets_proto::v1::audit_service_client::AuditServiceClient;
use secrets_proto::v1::directory_service_client::DirectoryServiceClient;
use secrets_proto::v1::resolve_service_client::ResolveServiceClient;
use secrets_proto::v1::secret_service_client::SecretServiceClient;
use secrets_proto::v1::{self, secret_value};
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Status};
use tonic_types::StatusExt;

use crate::harness::{Bearer, Bearing};
use crate::program::Serving;

/// Longer than anything here may take: a call that hangs fails its test.
const PATIENCE: Duration = Duration::from_secs(40);

/// A server that serves. Dropped, it is killed.
pub struct Node {
    pub serving: Serving,
    channel: Channel,
}

impl Node {
    pub fn start(command: Command) -> Self {
        let serving = tokio::task::block_in_place(|| Serving::spawn(command));
        let channel = Endpoint::from_shared(serving.endpoint()).unwrap().timeout(PATIENCE).connect_lazy();
        Self { serving, channel }
    }

    pub fn secrets(&self, token: &str) -> SecretServiceClient<Bearing<Channel>> {
        SecretServiceClient::with_interceptor(self.channel.clone(), Bearer(token.to_owned()))
    }

    pub fn resolver(&self, token: &str) -> ResolveServiceClient<Bearing<Channel>> {
        ResolveServiceClient::with_interceptor(self.channel.clone(), Bearer(token.to_owned()))
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

    /// Makes the organization `acme` and returns the token of its administrator `ann`.
    pub async fn acme(&self, operator: &str) -> String {
        let request = v1::CreateOrganizationRequest {
            organization_id: "acme".into(),
            admin_user_id: "ann".into(),
            ..Default::default()
        };
        let created = self.directory(operator).create_organization(request).await.unwrap().into_inner();
        self.redeem(created.invitation.unwrap()).await
    }

    /// Invites a person to `acme` and returns their token.
    pub async fn person(&self, admin: &str, id: &str) -> String {
        let request = v1::CreateInvitationRequest {
            parent: "organizations/acme".into(),
            user_id: id.into(),
            ..Default::default()
        };
        let invited = self.access(admin).create_invitation(request).await.unwrap().into_inner();
        self.redeem(invited.invitation.unwrap()).await
    }

    async fn redeem(&self, invitation: v1::Invitation) -> String {
        let request = v1::RedeemInvitationRequest { code: invitation.code, ..Default::default() };
        self.access("").redeem_invitation(request).await.unwrap().into_inner().token
    }

    /// Makes a project of `acme`; whoever makes it is its administrator.
    pub async fn project(&self, token: &str, id: &str) {
        let request = v1::CreateProjectRequest {
            parent: "organizations/acme".into(),
            project_id: id.into(),
            ..Default::default()
        };
        self.directory(token).create_project(request).await.unwrap();
    }

    /// Resolves a project of `acme`, or without one the organization itself, for the token's holder.
    pub async fn resolve(&self, token: &str, project: &str) -> Result<v1::ResolveResponse, Status> {
        let context = v1::Context { organization: "acme".into(), project: project.into(), ..Default::default() };
        let request = v1::ResolveRequest { context: Some(context), ..Default::default() };
        Ok(self.resolver(token).resolve(request).await?.into_inner())
    }

    /// Kills it as no program can prevent.
    pub fn kill(mut self) {
        self.serving.send(Signal::KILL);
        tokio::task::block_in_place(|| self.serving.ended());
    }
}

/// A request to create a secret, repeatable under a request id of its own.
pub fn create(parent: &str, name: &str, value: &str) -> v1::CreateSecretRequest {
    v1::CreateSecretRequest {
        parent: parent.into(),
        secret_id: name.into(),
        value: Some(text(value)),
        request_id: request_id(),
        ..Default::default()
    }
}

/// A request to give a secret another value, repeatable under a request id of its own.
pub fn update(parent: &str, name: &str, value: &str) -> v1::UpdateSecretRequest {
    v1::UpdateSecretRequest {
        secret: Some(v1::Secret { name: format!("{parent}/secrets/{name}"), ..Default::default() }),
        value: Some(text(value)),
        request_id: request_id(),
        ..Default::default()
    }
}

pub fn text(value: &str) -> v1::SecretValue {
    v1::SecretValue { value: Some(secret_value::Value::Text(value.into())) }
}

pub fn request_id() -> String {
    use secrets_server::crypto::{SystemRandom, random_uid};
    random_uid(&SystemRandom).unwrap().to_string()
}

/// The code and the reason of a refusal; no reason when it is not the server's.
pub fn code_and_reason(status: &Status) -> (Code, Option<String>) {
    (status.code(), status.get_error_details().error_info().map(|info| info.reason.clone()))
}

/// Fails unless `status` says that the database or the audit log does not work now.
pub fn assert_unavailable(status: &Status) {
    let (code, reason) = code_and_reason(status);
    let told = matches!(reason.as_deref(), Some("STORAGE_UNAVAILABLE" | "AUDIT_UNAVAILABLE"));
    assert!(code == Code::Unavailable && told, "{status:?}");
    assert!(status.get_error_details().retry_info().is_some(), "{status:?}");
}

/// Asks again and again until it is answered, and fails when that takes longer than `limit`.
pub async fn eventually<T>(limit: Duration, mut ask: impl AsyncFnMut() -> Result<T, Status>) -> T {
    let begun = Instant::now();
    loop {
        match ask().await {
            Ok(answer) => return answer,
            Err(status) => assert!(begun.elapsed() < limit, "after {:?}: {status:?}", begun.elapsed()),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
