use std::time::{Duration, Instant};

use secrets_proto::v1;
use tonic::{Code, Status};
use tonic_types::StatusExt;

use super::{Acme, Watching, ws1};
use crate::support::calls::context;
use crate::support::database::TestDatabase;
use crate::support::on_both::on_both;
use crate::support::server::TestServer;
use crate::wire::secrets::{ACME, BOB, creation};

on_both!(
    ends_with_the_session_that_is_revoked,
    ends_with_the_session_that_expires,
    goes_on_with_the_session_that_is_renewed,
    ends_with_the_token_and_with_the_person,
    ends_with_the_membership_that_it_needs,
    ends_with_the_workspace,
    a_refused_watch_is_in_the_audit_log,
    ends_with_the_creator_of_the_session,
    ends_with_the_organization,
    ends_when_the_server_stops_and_does_not_hold_it_up,
);

fn assert_unauthenticated(status: &Status) {
    let reason = status.get_error_details().error_info().map(|info| info.reason.clone());
    assert_eq!((status.code(), reason.as_deref()), (Code::Unauthenticated, Some("UNAUTHENTICATED")), "{status:?}");
}

async fn session(acme: &Acme<'_>, seconds: i64) -> (v1::CreateSessionResponse, Watching) {
    let ttl = Some(prost_types::Duration { seconds, nanos: 0 });
    let request = v1::CreateSessionRequest { context: Some(context("ws1", "")), ttl, ..Default::default() };
    let session = acme.server.access(&acme.bob).create_session(request).await.unwrap().into_inner();
    let mut watching = acme.open(&session.token, v1::WatchRequest::default()).await.unwrap();
    watching.set().await;
    (session, watching)
}

async fn ends_with_the_session_that_is_revoked(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::new(&server).await;
    let (session, mut watching) = session(&acme, 3600).await;
    let request = v1::RevokeSessionRequest { name: session.session.unwrap().name, ..Default::default() };
    server.access(&acme.ann).revoke_session(request).await.unwrap();
    assert_unauthenticated(&watching.end().await);
}

async fn ends_with_the_session_that_expires(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::new(&server).await;
    let (_, mut watching) = session(&acme, 2).await;
    server.wait(Duration::from_secs(2));
    assert_unauthenticated(&watching.end().await);
}

async fn goes_on_with_the_session_that_is_renewed(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::new(&server).await;
    let (session, mut watching) = session(&acme, 2).await;
    let ttl = Some(prost_types::Duration { seconds: 3600, nanos: 0 });
    server.access(&session.token).renew_session(v1::RenewSessionRequest { ttl, ..Default::default() }).await.unwrap();
    server.wait(Duration::from_secs(2));
    // After the first end: it looks again, and finds the new one.
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    acme.create(&acme.bob, creation(BOB, "OWN", "v")).await;
    assert_eq!(watching.change().await.2, ["+ OWN v1 of user"]);
}

async fn ends_with_the_token_and_with_the_person(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::new(&server).await;
    let token = v1::CreateTokenRequest { principal: BOB.into(), ..Default::default() };
    let token = server.access(&acme.bob).create_token(token).await.unwrap().into_inner();
    let mut with_token = acme.open(&token.token, ws1()).await.unwrap();
    with_token.set().await;
    let mut with_another = acme.bob_watches().await;
    with_another.set().await;
    let revoke = v1::RevokeTokenRequest { name: token.token_info.unwrap().name, ..Default::default() };
    server.access(&acme.bob).revoke_token(revoke).await.unwrap();
    assert_unauthenticated(&with_token.end().await);

    acme.create(&acme.bob, creation(BOB, "OWN", "v")).await;
    assert_eq!(with_another.change().await.2, ["+ OWN v1 of user"]);
    server.remove(&acme.ann, "bob").await.unwrap();
    assert_unauthenticated(&with_another.end().await);
}

async fn ends_with_the_membership_that_it_needs(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::new(&server).await;
    let cat = server.person(&acme.ann, "acme", "cat").await;
    let ws1_path = "organizations/acme/workspaces/ws1";
    let member = "organizations/acme/users/cat";
    let workspace = server.bind(&acme.bob, ws1_path, member, v1::Role::Member).await.unwrap();
    server.bind(&acme.ann, "organizations/acme/projects/api", member, v1::Role::Member).await.unwrap();
    let created = server.session(&cat, "ws1", "").await.unwrap().token;
    let mut own = acme.open(&cat, ws1()).await.unwrap();
    let mut sandbox = acme.open(&created, v1::WatchRequest::default()).await.unwrap();
    own.set().await;
    sandbox.set().await;
    server.unbind(&acme.bob, &workspace.name).await.unwrap();
    for watching in [&mut own, &mut sandbox] {
        let status = watching.end().await;
        assert!(matches!(status.code(), Code::PermissionDenied | Code::Unauthenticated), "{status:?}");
    }
    assert!(acme.open(&cat, ws1()).await.is_err());
}

async fn a_refused_watch_is_in_the_audit_log(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::new(&server).await;
    let (session, mut revoked) = session(&acme, 3600).await;
    let mut left = acme.bob_watches().await;
    left.set().await;
    let name = session.session.unwrap().name;
    let request = v1::RevokeSessionRequest { name: name.clone(), ..Default::default() };
    server.access(&acme.ann).revoke_session(request).await.unwrap();
    assert_unauthenticated(&revoked.end().await);
    let delete = v1::DeleteWorkspaceRequest { name: "organizations/acme/workspaces/ws1".into(), ..Default::default() };
    server.directory(&acme.bob).delete_workspace(delete).await.unwrap();
    assert_eq!(left.end().await.code(), Code::PermissionDenied);

    for (principal, reason) in [(name.as_str(), "UNAUTHENTICATED"), (BOB, "PERMISSION_DENIED")] {
        let request =
            v1::ListAuditEventsRequest { parent: ACME.into(), principal: principal.into(), ..Default::default() };
        let listed = server.audit(&acme.ann).list_audit_events(request).await.unwrap().into_inner();
        let watches: Vec<_> = listed.events.iter().filter(|event| event.action.ends_with("/Watch")).collect();
        let refused: Vec<_> = watches.iter().filter(|event| !event.reason.is_empty()).collect();
        assert_eq!(refused.len(), 1, "{watches:?}");
        assert_eq!((refused[0].reason.as_str(), watches.len()), (reason, 2), "{watches:?}");
        assert_eq!(refused[0].resource, "organizations/acme/workspaces/ws1");
    }
}

async fn ends_with_the_workspace(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::new(&server).await;
    let mut watching = acme.bob_watches().await;
    watching.set().await;
    let delete = v1::DeleteWorkspaceRequest { name: "organizations/acme/workspaces/ws1".into(), ..Default::default() };
    server.directory(&acme.bob).delete_workspace(delete).await.unwrap();
    assert_eq!(watching.end().await.code(), Code::PermissionDenied);
}

/// An account of the platform creates for people of every organization; its end is written in none of their histories.
async fn ends_with_the_creator_of_the_session(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::new(&server).await;
    let sandboxd = server.program(&server.operator, "platform", "sandboxd").await;
    let delegate =
        server.bind(&server.operator, "platform", "serviceAccounts/sandboxd", v1::Role::Delegate).await.unwrap();
    let created = server.session(&sandboxd, "ws1", "bob").await.unwrap().token;
    let mut watching = acme.open(&created, v1::WatchRequest::default()).await.unwrap();
    watching.set().await;
    server.unbind(&server.operator, &delegate.name).await.unwrap();
    let status = watching.end().await;
    assert!(matches!(status.code(), Code::PermissionDenied | Code::Unauthenticated), "{status:?}");

    server.bind(&server.operator, "platform", "serviceAccounts/sandboxd", v1::Role::Delegate).await.unwrap();
    let mut watching = acme.open(&created, v1::WatchRequest::default()).await.unwrap();
    watching.set().await;
    let delete = v1::DeleteServiceAccountRequest { name: "serviceAccounts/sandboxd".into(), ..Default::default() };
    server.directory(&server.operator).delete_service_account(delete).await.unwrap();
    assert_unauthenticated(&watching.end().await);
}

async fn ends_with_the_organization(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::new(&server).await;
    let mut watching = acme.bob_watches().await;
    watching.set().await;
    let delete = v1::DeleteOrganizationRequest { name: ACME.into(), ..Default::default() };
    server.directory(&server.operator).delete_organization(delete).await.unwrap();
    assert_unauthenticated(&watching.end().await);
}

async fn ends_when_the_server_stops_and_does_not_hold_it_up(database: &TestDatabase) {
    let mut server = TestServer::start(database).await;
    let acme = Acme::new(&server).await;
    let mut open_ones = Vec::new();
    for _ in 0..10 {
        let mut watching = acme.bob_watches().await;
        watching.set().await;
        open_ones.push(watching);
    }
    drop(acme);
    let begun = Instant::now();
    server.stop().await;
    assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
    for mut watching in open_ones {
        let status = watching.end().await;
        let reason = status.get_error_details().error_info().map(|info| info.reason.clone());
        assert_eq!((status.code(), reason.as_deref()), (Code::Unavailable, Some("SHUTTING_DOWN")), "{status:?}");
    }
}
