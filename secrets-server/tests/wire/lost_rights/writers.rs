//! Attacks by and on people whose writes are under way.

use std::time::Duration;

use secrets_core::{Account, Principal, PrincipalName, Uid};
use secrets_proto::{Method, v1};
use secrets_server::call::{Call, Caller};
use secrets_server::clock::Clock as _;
use secrets_server::store::audit::{self, AuditFilter};
use secrets_server::store::credential::{self, CredentialFilter};
use secrets_server::store::{Store, WriteTransaction, organization, revision};
use tokio::task::JoinSet;
use tonic::{Code, Status};

use super::{BINDINGS, sent};
use crate::support::calls::context;
use crate::support::database::TestDatabase;
use crate::support::on_both::on_both;
use crate::support::organization::TestOrganization;
use crate::support::server::TestServer;
use crate::wire::people::invitation;
use crate::wire::secrets::{API, BOB, creation};
use crate::wire::shared_commit::operators_permit;

on_both!(
    who_redeems_a_new_invitation_gets_nothing_that_was_still_on_its_way,
    no_queued_write_of_a_removed_project_admin_commits_after_the_removal,
    whoever_ends_a_token_of_the_platform_waits_for_what_it_is_at,
);

/// How many wait at once: on PostgreSQL each takes one of the eight connections.
const WRITES: usize = 2;

/// An administrator invites a user again, who is writing, and redeems the code themselves.
async fn who_redeems_a_new_invitation_gets_nothing_that_was_still_on_its_way(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let ann = server.organization("acme").await;
    let mut bob = server.person(&ann, "acme", "bob").await;
    for _ in 0..4 {
        let lock = hold_acme(database).await;
        let again = v1::CreateInvitationRequest { destroy_secrets: true, ..invitation("bob") };
        let mut admin = server.access(&ann);
        let invited = tokio::spawn(async move { admin.create_invitation(again).await });
        sent(database, BINDINGS, 1).await;
        let writes = write(&server, &bob, BOB);
        sent(database, BINDINGS, WRITES).await;
        drop(lock);
        let code = invited.await.unwrap().unwrap().into_inner().invitation.unwrap().code;
        let ended = writes.join_all().await;
        assert!(ended.iter().all(|ended| matches!(ended, Ok(()) | Err(Code::Unauthenticated))), "{ended:?}");
        bob = server.redeem(&code).await;
        let request = v1::ResolveRequest { context: Some(context("", "")), ..Default::default() };
        let resolved = server.resolver(&bob).resolve(request).await.unwrap().into_inner();
        assert!(resolved.secrets.is_empty(), "{:?}", resolved.secrets.iter().map(|each| &each.secret_id));
    }
}

async fn no_queued_write_of_a_removed_project_admin_commits_after_the_removal(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let ann = server.organization("acme").await;
    server.project(&ann, "api").await;
    let bob = server.person(&ann, "acme", "bob").await;
    for round in 1..=4 {
        let binding = server.bind(&ann, API, BOB, v1::Role::Admin).await.unwrap();
        let lock = hold_acme(database).await;
        let earlier = write(&server, &bob, API);
        sent(database, BINDINGS, WRITES).await;
        let (mut admin, name) = (server.access(&ann), binding.name);
        let request = v1::DeleteBindingRequest { name, ..Default::default() };
        let removed = tokio::spawn(async move { admin.delete_binding(request).await.map(drop) });
        sent(database, BINDINGS, 1).await;
        let later = write(&server, &bob, API);
        sent(database, BINDINGS, WRITES).await;
        drop(lock);
        removed.await.unwrap().unwrap();
        let ended: Vec<_> = [earlier.join_all().await, later.join_all().await].concat();
        let refused = ended.iter().filter_map(|ended| ended.as_ref().err());
        assert!(refused.clone().all(|code| *code == Code::PermissionDenied), "{ended:?}");

        let removals = revisions(&server, Method::DeleteBinding).await;
        assert_eq!(removals.len(), round);
        let writes = revisions(&server, Method::CreateSecret).await;
        let since_granted = revisions(&server, Method::CreateBinding).await.into_iter().max().unwrap();
        let written: Vec<_> = writes.into_iter().filter(|revision| *revision > since_granted).collect();
        let removal = removals.into_iter().max().unwrap();
        assert!(written.iter().all(|revision| *revision < removal), "{written:?} {removal}");
        assert_eq!(written.len() + refused.count(), 2 * WRITES);
    }
}

/// The lock of an organization does not keep the platform's own tokens and roles as they are.
async fn whoever_ends_a_token_of_the_platform_waits_for_what_it_is_at(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = TestOrganization::new(&server, "acme").await;
    let token = server.program(&server.operator, "platform", "sandboxd").await;
    let role = v1::Role::Provisioner;
    let binding = server.bind(&server.operator, "platform", "serviceAccounts/sandboxd", role).await.unwrap();
    let name = server.whoami(&token).await.unwrap().credential;
    let call = call_of_sandboxd(&server, &name).await;
    let organization = acme.organization;
    let endings = server.app.service.run(call, |service, call| {
        let (mut access, mut access_too) = (server.access(&server.operator), server.access(&server.operator));
        Box::pin(async move {
            let locked = service.lock(call, organization, operators_permit()).await?;
            let revoke = v1::RevokeTokenRequest { name, ..Default::default() };
            let unbind = v1::DeleteBindingRequest { name: binding.name, ..Default::default() };
            let endings = [
                tokio::spawn(async move { access.revoke_token(revoke).await.map(drop) }),
                tokio::spawn(async move { access_too.delete_binding(unbind).await.map(drop) }),
            ];
            tokio::time::sleep(Duration::from_millis(200)).await;
            assert!(endings.iter().all(|ending| !ending.is_finished()), "they wait");
            drop(locked);
            Ok(endings)
        })
    });
    for ending in endings.await.unwrap() {
        ending.await.unwrap().unwrap();
    }
}

async fn call_of_sandboxd(server: &TestServer, credential: &str) -> Call {
    let rows =
        credential::list(server.app.store().reader(), None, &CredentialFilter::default(), None, 10).await.unwrap();
    let row = rows.into_iter().find(|row| credential.ends_with(&row.uid.to_string())).unwrap();
    let service_account = row.principal.uid;
    let caller = Caller {
        principal: Principal::from(Account::ServiceAccount { organization: None, service_account }),
        name: PrincipalName::Operator,
        organization: None,
        credential: row.uid,
        expire_time: row.expire_time,
        bindings: Vec::new(),
        session: None,
    };
    let (request_id, peer) = (String::new(), String::new());
    Call {
        caller,
        method: Method::CreateUser,
        request_id,
        caller_request_id: String::new(),
        purpose: None,
        peer,
        now: server.clock.now(),
    }
}

/// Takes the lock of acme; dropping it gives it back.
async fn hold_acme(database: &TestDatabase) -> WriteTransaction {
    let acme = acme(&database.store).await;
    let tx = database.store.begin().await.unwrap();
    revision::lock(&tx, acme).await.unwrap().unwrap();
    database.statements.take();
    tx
}

/// Creates secrets, all at once.
fn write(server: &TestServer, token: &str, parent: &str) -> JoinSet<Result<(), Code>> {
    (0..WRITES)
        .map(|_| {
            let id = format!("K{}", server.app.service.uid().unwrap().simple()).to_uppercase();
            let (mut secrets, request) = (server.secrets(token), creation(parent, &id, "value"));
            async move { secrets.create_secret(request).await.map(drop).map_err(|status: Status| status.code()) }
        })
        .collect()
}

/// At which revisions the calls of this method committed.
async fn revisions(server: &TestServer, method: Method) -> Vec<u64> {
    let (db, acme) = (server.app.store().reader(), acme(server.app.store()).await);
    let events = audit::list(db, Some(acme), &AuditFilter::default(), None, 1_000).await.unwrap();
    events.into_iter().filter(|event| event.action == method.as_str()).filter_map(|event| event.revision).collect()
}

async fn acme(store: &Store) -> Uid {
    organization::by_id(store.reader(), &"acme".parse().unwrap()).await.unwrap().unwrap().uid
}
