//! What becomes of secrets when people come again, leave, or hand over a workspace.

use secrets_proto::v1;
use tonic::{Code, Status};

use crate::support::database::TestDatabase;
use crate::support::on_both::on_both;
use crate::support::refusal::refusal;
use crate::support::server::TestServer;
use crate::wire::people::{code, invitation};

on_both!(
    inviting_again_is_refused_while_there_are_secrets_or_destroys_them,
    an_invited_workspace_owners_secrets_are_not_transferred,
    a_user_created_again_under_an_old_name_inherits_nothing,
    a_workspace_is_transferred_with_its_values,
    a_deleted_users_workspace_is_reassigned_without_its_values,
    a_deleted_users_workspace_is_transferred_to_a_member_with_its_values,
);

impl TestServer {
    /// Creates a secret.
    pub async fn secret(&self, token: &str, parent: &str, secret_id: &str) -> Result<v1::Secret, Status> {
        let value = v1::secret_value::Value::Text("a value of some length".into());
        let request = v1::CreateSecretRequest {
            parent: parent.into(),
            secret_id: secret_id.into(),
            value: Some(v1::SecretValue { value: Some(value) }),
            ..Default::default()
        };
        Ok(self.secrets(token).create_secret(request).await?.into_inner().secret.unwrap())
    }

    /// The names of a scope's secrets.
    pub async fn secret_ids(&self, token: &str, parent: &str) -> Result<Vec<String>, Status> {
        let request = v1::ListSecretsRequest { parent: parent.into(), show_deleted: true, ..Default::default() };
        let listed = self.secrets(token).list_secrets(request).await?.into_inner();
        Ok(listed.secrets.into_iter().map(|secret| secret.secret_id).collect())
    }
}

async fn inviting_again_is_refused_while_there_are_secrets_or_destroys_them(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let ann = server.organization("acme").await;
    let bob = server.person(&ann, "acme", "bob").await;
    let own = "organizations/acme/users/bob";
    let secret = server.secret(&bob, own, "LINEAR_API_KEY").await.unwrap();
    // One that can still be undeleted counts, too.
    let request = v1::DeleteSecretRequest { name: secret.name, ..Default::default() };
    server.secrets(&bob).delete_secret(request).await.unwrap();
    let refused = refusal(server.access(&ann).create_invitation(invitation("bob")).await);
    assert_eq!((refused.code, refused.reason.as_str()), (Code::FailedPrecondition, "USER_HAS_SECRETS"));
    server.whoami(&bob).await.expect("nothing happened");
    let code = code(&server, &ann, v1::CreateInvitationRequest { destroy_secrets: true, ..invitation("bob") }).await;
    let anew = server.redeem(&code).await;
    assert_eq!(server.secret_ids(&anew, own).await.unwrap(), Vec::<String>::new());
}

async fn an_invited_workspace_owners_secrets_are_not_transferred(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let ann = server.organization("acme").await;
    let bob = server.person(&ann, "acme", "bob").await;
    let carol = server.person(&ann, "acme", "carol").await;
    server.workspace(&bob, "ws1", "", "").await.unwrap();
    server.workspace(&carol, "ws2", "", "").await.unwrap();
    let (ws1, ws2) = ("organizations/acme/workspaces/ws1", "organizations/acme/workspaces/ws2");
    server.secret(&bob, ws1, "DATABASE_URL").await.unwrap();
    server.bind(&carol, ws2, "organizations/acme/users/bob", v1::Role::Member).await.unwrap();
    let refused = refusal(server.access(&ann).create_invitation(invitation("bob")).await);
    assert_eq!(refused.reason, "USER_HAS_SECRETS");
    let code = code(&server, &ann, v1::CreateInvitationRequest { destroy_secrets: true, ..invitation("bob") }).await;
    let anew = server.redeem(&code).await;
    assert_eq!(server.secret_ids(&anew, ws1).await.unwrap(), Vec::<String>::new());
    assert_eq!(refusal(server.secret_ids(&anew, ws2).await).code, Code::PermissionDenied, "carol knew account else");
}

async fn a_user_created_again_under_an_old_name_inherits_nothing(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let ann = server.organization("acme").await;
    let bob = server.person(&ann, "acme", "bob").await;
    server.project(&ann, "api").await;
    server
        .bind(&ann, "organizations/acme/projects/api", "organizations/acme/users/bob", v1::Role::Admin)
        .await
        .unwrap();
    server.secret(&bob, "organizations/acme/users/bob", "LINEAR_API_KEY").await.unwrap();
    server.remove(&ann, "bob").await.unwrap();
    let anew = server.person(&ann, "acme", "bob").await;
    assert_eq!(server.whoami(&anew).await.unwrap().bindings.len(), 1, "a member, and no more");
    assert_eq!(server.secret_ids(&anew, "organizations/acme/users/bob").await.unwrap(), Vec::<String>::new());
}

async fn transfer(server: &TestServer, token: &str, new_owner: &str) -> Result<v1::TransferWorkspaceResponse, Status> {
    let request = v1::TransferWorkspaceRequest {
        name: "organizations/acme/workspaces/ws1".into(),
        new_owner: new_owner.into(),
        ..Default::default()
    };
    server.directory(token).transfer_workspace(request).await.map(tonic::Response::into_inner)
}

async fn a_workspace_is_transferred_with_its_values(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let ann = server.organization("acme").await;
    let bob = server.person(&ann, "acme", "bob").await;
    let carol = server.person(&ann, "acme", "carol").await;
    server.workspace(&bob, "ws1", "", "").await.unwrap();
    let ws1 = "organizations/acme/workspaces/ws1";
    server.secret(&bob, ws1, "DATABASE_URL").await.unwrap();
    for token in [&ann, &carol] {
        assert_eq!(refusal(transfer(&server, token, "carol").await).code, Code::PermissionDenied, "its owner is here");
    }
    assert_eq!(refusal(transfer(&server, &bob, "missing").await).code, Code::NotFound);
    let transferred = transfer(&server, &bob, "carol").await.unwrap();
    assert_eq!((transferred.destroyed_secrets, transferred.workspace.unwrap().owner.as_str()), (0, "carol"));
    assert_eq!(server.secret_ids(&carol, ws1).await.unwrap(), ["DATABASE_URL"]);
    assert_eq!(refusal(server.secret_ids(&bob, ws1).await).code, Code::PermissionDenied);
    assert_eq!(refusal(transfer(&server, &bob, "bob").await).code, Code::PermissionDenied);
}

async fn a_deleted_users_workspace_is_reassigned_without_its_values(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let ann = server.organization("acme").await;
    let bob = server.person(&ann, "acme", "bob").await;
    server.person(&ann, "acme", "carol").await;
    server.workspace(&bob, "ws1", "", "").await.unwrap();
    let ws1 = "organizations/acme/workspaces/ws1";
    server.secret(&bob, ws1, "DATABASE_URL").await.unwrap();
    server.remove(&ann, "bob").await.unwrap();
    let request = v1::GetWorkspaceRequest { name: ws1.into() };
    let left = server.directory(&ann).get_workspace(request).await.unwrap().into_inner().workspace.unwrap();
    assert_eq!(left.owner, "");
    let transferred = transfer(&server, &ann, "ann").await.unwrap();
    assert_eq!((transferred.destroyed_secrets, transferred.workspace.unwrap().owner.as_str()), (1, "ann"));
    assert_eq!(server.secret_ids(&ann, ws1).await.unwrap(), Vec::<String>::new());
}

async fn a_deleted_users_workspace_is_transferred_to_a_member_with_its_values(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let ann = server.organization("acme").await;
    let bob = server.person(&ann, "acme", "bob").await;
    let carol = server.person(&ann, "acme", "carol").await;
    server.workspace(&bob, "ws1", "", "").await.unwrap();
    let ws1 = "organizations/acme/workspaces/ws1";
    server.secret(&bob, ws1, "DATABASE_URL").await.unwrap();
    server.bind(&bob, ws1, "organizations/acme/users/carol", v1::Role::Member).await.unwrap();
    server.remove(&ann, "bob").await.unwrap();
    let denied = refusal(server.bind(&ann, ws1, "organizations/acme/users/ann", v1::Role::Member).await);
    assert_eq!(denied.code, Code::PermissionDenied, "no administrator makes themselves a member first");
    let transferred = transfer(&server, &ann, "carol").await.unwrap();
    assert_eq!(transferred.destroyed_secrets, 0);
    assert_eq!(server.secret_ids(&carol, ws1).await.unwrap(), ["DATABASE_URL"]);
}
