//! Calls that are answered, many at once and without a pause.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use secrets_core::CredentialKind;
use secrets_proto::v1;
use secrets_proto::v1::access_service_client::AccessServiceClient;
use secrets_proto::v1::secret_service_client::SecretServiceClient;
use secrets_server::auth::token::Token;
use secrets_server::crypto::SystemRandom;
use tonic::transport::Channel;
use tonic::{Request, Status};

use super::repeat::over_channels;
use crate::target::{Account, Target, document};

/// Calls in flight on a connection: as many as it may have.
const IN_FLIGHT: usize = 64;
/// How many entries an import changes.
const ENTRIES: usize = 500;

pub(super) async fn junk_tokens(target: Target) {
    over_channels(&target, 16, IN_FLIGHT, |_, channel| async move {
        let token = Token::make(&SystemRandom, CredentialKind::Personal)
            .map_err(|_| Status::internal("no randomness"))?
            .expose()
            .to_owned();
        who_am_i(channel, &token).await
    })
    .await;
}

async fn who_am_i(channel: Channel, token: &str) -> Result<(), Status> {
    AccessServiceClient::new(channel).who_am_i(authorized(token, v1::WhoAmIRequest {})?).await.map(drop)
}

pub(super) async fn import(target: Target) {
    let accounts = [target.member.clone(), target.administrator.clone(), target.service_account.clone()];
    let turn = Arc::new(AtomicU64::new(0));
    over_channels(&target, 12, 2, move |connection, channel| {
        let account = pick(&accounts, connection);
        let turn = turn.fetch_add(1, Ordering::Relaxed);
        async move {
            let request = v1::ImportSecretsRequest {
                parent: account.scope,
                source: Some(v1::import_secrets_request::Source::Dotenv(document(ENTRIES, turn).into())),
                conflict_policy: v1::ConflictPolicy::Overwrite.into(),
                ..Default::default()
            };
            let request = authorized(&account.token, request)?;
            SecretServiceClient::new(channel).import_secrets(request).await.map(drop)
        }
    })
    .await;
}

pub(super) async fn renew(target: Target) {
    let token = target.session.token.clone();
    over_channels(&target, 32, IN_FLIGHT, move |_, channel| {
        let token = token.clone();
        async move {
            let request = authorized(&token, v1::RenewSessionRequest::default())?;
            AccessServiceClient::new(channel).renew_session(request).await.map(drop)
        }
    })
    .await;
}

pub(super) async fn create_sessions(target: Target) {
    let accounts = [target.member.clone(), target.administrator.clone()];
    over_channels(&target, 16, IN_FLIGHT, move |connection, channel| {
        let account = pick(&accounts, connection);
        async move {
            let context =
                v1::Context { organization: account.organization, project: account.project, ..Default::default() };
            let request = v1::CreateSessionRequest { context: Some(context), ..Default::default() };
            let request = authorized(&account.token, request)?;
            AccessServiceClient::new(channel).create_session(request).await.map(drop)
        }
    })
    .await;
}

pub(super) async fn list(target: Target) {
    let member = target.member.clone();
    let filter = vec![r#"secret_id : "SERVICE_*""#; 32].join(" AND ");
    over_channels(&target, 16, IN_FLIGHT, move |_, channel| {
        let (member, filter) = (member.clone(), filter.clone());
        async move {
            let request = v1::ListSecretsRequest { parent: member.scope, filter, ..Default::default() };
            let request = authorized(&member.token, request)?;
            SecretServiceClient::new(channel).list_secrets(request).await.map(drop)
        }
    })
    .await;
}

fn pick(accounts: &[Account], connection: usize) -> Account {
    #[expect(clippy::indexing_slicing, reason = "the remainder is less than the length, and no slice is empty")]
    accounts[connection % accounts.len()].clone()
}

pub(super) fn authorized<T>(token: &str, message: T) -> Result<Request<T>, Status> {
    crate::support::server::authorized(token, message).map_err(|_| Status::internal("the token is not ASCII"))
}
