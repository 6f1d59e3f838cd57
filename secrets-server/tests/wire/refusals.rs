//! What a refusal tells: the missing right to whoever may know the resource, and nothing to anybody else.

use std::collections::HashMap;

use secrets_proto::v1;
use tonic::{Code, Status};

use super::secrets::{ACME, API, BOB, WS1, creation};
use crate::support::acme::Acme;
use crate::support::calls::context;
use crate::support::database::TestDatabase;
use crate::support::on_both::on_both;
use crate::support::refusal::{Refusal, refusal};
use crate::support::server::TestServer;

on_both!(
    whoever_may_know_a_resource_is_told_which_right_is_missing,
    a_control_plane_is_told_that_a_workspaces_owner_is_no_member_of_its_project,
    an_owner_is_told_that_they_left_the_workspaces_project,
    whoever_may_not_know_a_resource_sees_the_same_whether_it_is_there_or_not,
    the_uid_of_a_role_tells_nothing_to_whoever_may_not_list_roles,
);

const WEB: &str = "organizations/acme/projects/web";
const GENERIC: &str = "permission denied, or there is no such resource";

fn told(refused: &Refusal) -> [&str; 3] {
    assert_eq!((refused.code, refused.reason.as_str()), (Code::PermissionDenied, "PERMISSION_DENIED"));
    ["permission", "resource", "needs"].map(|key| refused.metadata.get(key).map_or("", String::as_str))
}

async fn whoever_may_know_a_resource_is_told_which_right_is_missing(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    let write = |needs| ["secrets.write", needs];
    for (token, scope, [permission, needs]) in [
        (&acme.bob, ACME, write("ORGANIZATION_ADMIN")),
        (&acme.bob, API, write("ORGANIZATION_ADMIN,PROJECT_ADMIN")),
        (&acme.dan, WS1, write("WORKSPACE_OWNER")),
        (&acme.ann, WS1, write("WORKSPACE_OWNER")),
        (&server.operator, ACME, write("ORGANIZATION_ADMIN")),
    ] {
        let refused = refusal(server.try_create(token, creation(scope, "A_KEY", "value-1")).await);
        assert_eq!(told(&refused), [permission, scope, needs]);
        assert_eq!(refused.metadata.len(), 3, "{refused:?}");
        assert!(refused.message.starts_with(&format!("permission denied: `{permission}` on `{scope}` is for ")));
    }
    let refused = refusal(server.remove(&acme.bob, "cat").await);
    assert_eq!(told(&refused), ["users.manage", "organizations/acme/users/cat", "ORGANIZATION_ADMIN,PROVISIONER"]);
    let refused = refusal(server.workspace(&acme.bob, "ws9", "", "cat").await);
    assert_eq!(told(&refused), ["workspaces.create", ACME, "ORGANIZATION_ADMIN,PROVISIONER,OWNER_TO_BE"]);
    let refused = refusal(server.bind(&acme.bob, API, "organizations/acme/users/dan", v1::Role::Member).await);
    assert_eq!(told(&refused), ["bindings.grant", API, "ORGANIZATION_ADMIN,PROJECT_ADMIN,PROVISIONER"]);
    let request = v1::CreateInvitationRequest { parent: ACME.into(), user_id: "carl".into(), ..Default::default() };
    let refused = refusal(server.access(&acme.bob).create_invitation(request).await);
    assert_eq!(told(&refused), ["users.invite", "organizations/acme/users/carl", "ORGANIZATION_ADMIN"]);
    let request = v1::ListAuditEventsRequest { parent: ACME.into(), ..Default::default() };
    let refused = refusal(server.audit(&acme.bob).list_audit_events(request).await);
    assert_eq!(told(&refused), ["audit.read", ACME, "ORGANIZATION_ADMIN,AUDITOR"]);
}

async fn a_control_plane_is_told_that_a_workspaces_owner_is_no_member_of_its_project(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    let plane = server.program(&server.operator, "platform", "plane").await;
    let account = "serviceAccounts/plane";
    server.bind(&server.operator, "platform", account, v1::Role::Delegate).await.unwrap();
    server.workspace(&acme.ann, "ws3", "web", "bob").await.unwrap();

    // As a delegate alone it may not know the workspace.
    let refused = refusal(server.session(&plane, "ws3", "bob").await);
    assert_eq!((refused.message.as_str(), refused.metadata.len()), (GENERIC, 0));

    server.bind(&server.operator, "platform", account, v1::Role::Provisioner).await.unwrap();
    let refused = refusal(server.session(&plane, "ws3", "bob").await);
    assert_eq!(
        refused.message,
        "permission denied: `organizations/acme/users/bob` is not a member of `organizations/acme/projects/web`"
    );
    let metadata = [
        ("permission", "sessions.create"),
        ("resource", "organizations/acme/workspaces/ws3"),
        ("needs", "USER_OF_CONTEXT,SESSION_OF_CONTEXT,RESOLVER_OF_CONTEXT,DELEGATE_FOR_USER"),
        ("principal", "organizations/acme/users/bob"),
        ("not_member_of", "organizations/acme/projects/web"),
    ];
    let metadata: HashMap<_, _> = metadata.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
    assert_eq!(refused.metadata, metadata);
    assert_eq!(refusal(server.session(&plane, "ws3", "nobody").await).message, GENERIC);

    // What it reads there is what to do.
    server.bind(&plane, WEB, "organizations/acme/users/bob", v1::Role::Member).await.unwrap();
    server.session(&plane, "ws3", "bob").await.unwrap();
}

async fn an_owner_is_told_that_they_left_the_workspaces_project(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    server.workspace(&acme.ann, "ws3", "web", "dan").await.unwrap();
    let request = v1::ResolveRequest { context: Some(context("ws3", "")), ..Default::default() };
    let refused = refusal(server.resolver(&acme.dan).resolve(request.clone()).await);
    assert_eq!(refused.metadata["principal"], "organizations/acme/users/dan");
    assert_eq!(refused.metadata["not_member_of"], WEB);
    // Beside another project than its own, the workspace shows nothing of either.
    let beside = v1::Context { project: "api".into(), ..context("ws3", "") };
    let request = v1::ResolveRequest { context: Some(beside), ..request };
    let refused = refusal(server.resolver(&acme.dan).resolve(request).await);
    assert_eq!((refused.message.as_str(), refused.metadata.len()), (GENERIC, 0));
}

/// A refused call: all that its caller sees of it, and how many statements it took.
async fn seen<T: std::fmt::Debug>(
    database: &TestDatabase,
    call: impl Future<Output = Result<T, Status>>,
) -> (Refusal, usize) {
    database.statements.take();
    let refused = refusal(call.await);
    (refused, database.statements.take().len())
}

async fn whoever_may_not_know_a_resource_sees_the_same_whether_it_is_there_or_not(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    let generic = Refusal {
        code: Code::PermissionDenied,
        reason: "PERMISSION_DENIED".into(),
        message: GENERIC.into(),
        fields: vec![],
        metadata: HashMap::new(),
    };
    for (scope, token) in [(WEB, &acme.ann), (WS1, &acme.bob), (ACME, &acme.ann), (API, &acme.cat), (BOB, &acme.bob)] {
        server.create(token, scope, "KEY", "value-1").await;
    }
    for (who, token, there, missing) in [
        ("bob", &acme.bob, WEB, "organizations/acme/projects/none"),
        ("cat", &acme.cat, WS1, "organizations/acme/workspaces/none"),
        ("eve", &acme.eve, ACME, "organizations/none"),
        ("eve", &acme.eve, API, "organizations/none/projects/api"),
        ("eve", &acme.eve, BOB, "organizations/none/users/bob"),
    ] {
        let mut seen_of = Vec::new();
        for scope in [there, missing] {
            let list = v1::ListSecretsRequest { parent: scope.into(), ..Default::default() };
            let organization = scope.split('/').nth(1).unwrap();
            let project = format!("organizations/{organization}/projects/api");
            let grant = if scope.contains("/users/") { project.as_str() } else { scope };
            let dan = format!("organizations/{organization}/users/dan");
            let mut id = scope.split('/').skip(1).step_by(2).map(str::to_owned);
            let mut named = v1::Context { organization: id.next().unwrap(), ..Default::default() };
            let last = id.next().unwrap_or_default();
            match scope.split('/').nth(2) {
                Some("projects") => named.project = last,
                Some("workspaces") => named.workspace = last,
                Some(_) => named.user = last,
                None => {}
            }
            let session = v1::CreateSessionRequest { context: Some(named.clone()), ..Default::default() };
            let resolve = v1::ResolveRequest { context: Some(named.clone()), ..Default::default() };
            let explain = v1::ExplainRequest { context: Some(named), ..Default::default() };
            let (own, key) = (format!("organizations/{organization}/users/{who}"), format!("{scope}/secrets/KEY"));
            let deletion = v1::DeleteSecretRequest { name: key.clone(), ..Default::default() };
            let versions = v1::ListSecretVersionsRequest { parent: key.clone(), ..Default::default() };
            let rollback = v1::RollbackSecretRequest { name: key.clone(), version: 1, ..Default::default() };
            seen_of.push([
                seen(database, server.try_list(token, list)).await,
                seen(database, server.try_create(token, creation(scope, "A_KEY", "value-1"))).await,
                seen(database, server.bind(token, grant, &dan, v1::Role::Member)).await,
                seen(database, server.access(token).create_session(session)).await,
                seen(database, server.resolver(token).resolve(resolve)).await,
                seen(database, server.resolver(token).explain(explain)).await,
                seen(database, server.try_get(token, &key)).await,
                seen(database, server.secrets(token).list_secret_versions(versions)).await,
                seen(database, server.secrets(token).rollback_secret(rollback)).await,
                seen(database, server.try_delete(token, deletion)).await,
                seen(database, server.try_copy(token, &key, &own)).await,
                seen(database, server.try_move(token, &key, &own)).await,
                seen(database, server.try_copy(token, &format!("{own}/secrets/KEY"), scope)).await,
            ]);
        }
        for (refused, _) in seen_of.iter().flatten() {
            assert_eq!(*refused, generic, "{there}");
        }
        assert_eq!(seen_of[0], seen_of[1], "{there}");
    }
}

async fn the_uid_of_a_role_tells_nothing_to_whoever_may_not_list_roles(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    // It takes part in the organization, and may not list who else does.
    let ci = server.program(&acme.ann, ACME, "ci").await;
    server.bind(&acme.ann, ACME, "organizations/acme/serviceAccounts/ci", v1::Role::Resolver).await.unwrap();
    let request = v1::ListBindingsRequest { parent: ACME.into(), ..Default::default() };
    let bindings = server.access(&acme.ann).list_bindings(request).await.unwrap().into_inner().bindings;
    let missing = format!("{ACME}/bindings/7c2a51d2-0a5c-4d9d-9f3b-1d1f6b7c2e11");
    assert!(!bindings.is_empty());
    let nothing = refusal(server.unbind(&ci, &missing).await);
    assert_eq!((nothing.message.as_str(), nothing.metadata.len()), (GENERIC, 0));
    for binding in bindings {
        assert_eq!(refusal(server.unbind(&ci, &binding.name).await), nothing);
    }
}
