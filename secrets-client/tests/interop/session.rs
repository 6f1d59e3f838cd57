//! A session, and what must be there before one can be.

use std::path::{Path, PathBuf};

use secrecy::ExposeSecret as _;
use secrets_client::{Client, Credential, secret_value, v1};

use crate::support::TlsServer;

/// Creates an organization with a secret, and a session for it. Returns the file of its token.
pub(crate) async fn session(server: &TlsServer, directory: &Path, secret_id: &str) -> PathBuf {
    let ann = administrator(server, secret_id).await;
    let context = v1::Context { organization: "acme".into(), ..Default::default() };
    let session = v1::CreateSessionRequest { context: Some(context), ..Default::default() };
    let session = ann.create_session(session).await.unwrap();
    let path = directory.join("session-token");
    std::fs::write(&path, session.secret.expose_secret()).unwrap();
    path
}

/// Creates an organization with a secret, and returns the client of its administrator.
pub(crate) async fn administrator(server: &TlsServer, secret_id: &str) -> Client {
    let endpoint = server.endpoint();
    let operator = client(&endpoint, server, &std::fs::read_to_string(server.operator_token()).unwrap());
    let organization = v1::CreateOrganizationRequest {
        organization_id: "acme".into(),
        admin_user_id: "ann".into(),
        ..Default::default()
    };
    let (_, invitation) = operator.create_organization(organization).await.unwrap();
    let invited = client(&endpoint, server, invitation.secret.expose_secret());
    let (_, token) = invited.redeem_invitation(v1::RedeemInvitationRequest::default()).await.unwrap();
    let ann = client(&endpoint, server, token.secret.expose_secret());
    let secret = v1::CreateSecretRequest {
        parent: "organizations/acme".into(),
        secret_id: secret_id.into(),
        value: Some(secret_value(b"lin_1")),
        ..Default::default()
    };
    ann.create_secret(secret).await.unwrap();
    ann
}

/// Creates a control plane, which mirrors and creates sessions, and returns its token.
pub(crate) async fn control_plane(server: &TlsServer) -> String {
    let operator = client(&server.endpoint(), server, &std::fs::read_to_string(server.operator_token()).unwrap());
    let account = v1::CreateServiceAccountRequest {
        parent: "platform".into(),
        service_account_id: "plane".into(),
        ..Default::default()
    };
    let principal = operator.create_service_account(account).await.unwrap().service_account.unwrap().name;
    for role in [v1::Role::Delegate, v1::Role::Provisioner] {
        let binding = v1::Binding { principal: principal.clone(), role: role.into(), ..Default::default() };
        let binding =
            v1::CreateBindingRequest { parent: "platform".into(), binding: Some(binding), ..Default::default() };
        operator.create_binding(binding).await.unwrap();
    }
    let token = operator.create_token(v1::CreateTokenRequest { principal, ..Default::default() }).await.unwrap();
    token.secret.expose_secret().to_owned()
}

/// A client that shows a token, or, with an empty one, none.
pub(crate) fn client(endpoint: &str, server: &TlsServer, token: &str) -> Client {
    let builder = Client::builder(endpoint).certificate_authority(std::fs::read(server.authority()).unwrap());
    if token.is_empty() { builder } else { builder.credential(Credential::parse(token).unwrap()) }.build().unwrap()
}
