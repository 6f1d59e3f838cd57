//! Who resolves which context.

use secrets_core::{Role, SessionRestrictions};
use secrets_proto::v1;
use secrets_server::clock::Clock;
use secrets_server::store::{binding, user, workspace};
use tonic::Code;

use super::{Acme, context, delivered, for_ws1};
use crate::support::database::TestDatabase;
use crate::support::on_both::on_both;
use crate::support::organization::TestOrganization;
use crate::support::refusal::{Refusal, refusal};
use crate::support::server::TestServer;

on_both!(
    fills_in_the_callers_own_context,
    keeps_a_session_to_its_context,
    shows_nobody_what_they_may_not_see,
    refuses_a_workspace_beside_another_project,
    gives_a_resolver_contexts_without_a_user,
    ends_with_the_membership,
);

async fn fills_in_the_callers_own_context(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::new(&server).await;
    let own = v1::ResolveRequest { context: context("acme", "", "", ""), ..Default::default() };
    let answer = acme.bob_asks(own).await;
    assert_eq!(delivered(&answer), [("LINEAR_API_KEY", "lin-bob"), ("OPENAI_API_KEY", "sk-org")]);
    assert_eq!(answer.context, context("acme", "", "", "bob"));

    let refused = refusal(acme.ask(&acme.bob.token, v1::ResolveRequest::default()).await);
    assert_eq!((refused.code, refused.reason.as_str()), (Code::InvalidArgument, "CONTEXT_INVALID"));
}

async fn keeps_a_session_to_its_context(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::new(&server).await;
    let of_session = acme.organization.context(Some(acme.api), Some(acme.ws1), Some(acme.bob.uid));
    let session = acme.organization.session(&acme.bob, of_session, &SessionRestrictions::default()).await;

    let answer = acme.ask(&session, v1::ResolveRequest::default()).await.unwrap();
    assert_eq!(answer.context, context("acme", "api", "ws1", "bob"));
    assert_eq!(delivered(&answer), delivered(&acme.bob_asks(for_ws1()).await));
    for same in [context("acme", "", "ws1", ""), context("acme", "api", "ws1", "bob")] {
        let request = v1::ResolveRequest { context: same, ..Default::default() };
        assert_eq!(acme.ask(&session, request).await.unwrap().etag, answer.etag);
    }

    acme.organization.member("carol").await;
    acme.organization.workspace("ws2", Some(acme.api), acme.bob.uid).await;
    for other in [
        context("acme", "", "", ""),
        context("acme", "api", "", ""),
        context("acme", "", "ws2", ""),
        context("acme", "", "ws1", "carol"),
        context("acme", "", "nowhere", ""),
        context("globex", "", "ws1", ""),
    ] {
        let refused =
            refusal(acme.ask(&session, v1::ResolveRequest { context: other.clone(), ..Default::default() }).await);
        assert_eq!((refused.code, refused.reason.as_str()), (Code::PermissionDenied, "PERMISSION_DENIED"), "{other:?}");
    }
}

async fn shows_nobody_what_they_may_not_see(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::new(&server).await;
    let globex = TestOrganization::new(&server, "globex").await;
    let mallory = globex.member("mallory").await;
    let carol = acme.organization.member("carol").await;
    let ann = acme.organization.member("ann").await;
    acme.organization.bind(&ann, Role::Admin, acme.organization.level()).await;
    let nobody = acme.organization.user("nobody").await;

    let mut refusals = Vec::new();
    for (token, asked) in [
        // Of another organization, of one that is not there.
        (&mallory.token, context("acme", "", "", "")),
        (&mallory.token, context("acme", "", "", "bob")),
        (&mallory.token, context("initech", "", "", "")),
        // A project and a workspace without membership, and ones that are not there.
        (&carol.token, context("acme", "api", "", "")),
        (&carol.token, context("acme", "nowhere", "", "")),
        (&carol.token, context("acme", "", "ws1", "")),
        (&carol.token, context("acme", "", "nowhere", "")),
        (&carol.token, context("acme", "nowhere", "ws1", "")),
        (&carol.token, context("acme", "", "", "nowhere")),
        // Without a role.
        (&nobody.token, context("acme", "", "", "")),
    ] {
        let request = v1::ResolveRequest { context: asked.clone(), ..Default::default() };
        let refused = refusal(acme.ask(token, request).await);
        assert_eq!(refused.code, Code::PermissionDenied, "{asked:?}");
        refusals.push(refused);
    }
    refusals.dedup();
    assert_eq!(refusals.len(), 1, "{refusals:?}");

    assert!(refusals[0].metadata.is_empty());

    // Somebody else's set, whom they may know; an admin is no exception, and neither is the operator.
    for (token, asked) in [
        (&carol.token, context("acme", "", "", "bob")),
        (&ann.token, context("acme", "", "", "bob")),
        (&ann.token, context("acme", "", "ws1", "bob")),
        (&ann.token, context("acme", "api", "", "")),
        (&server.operator, context("acme", "", "", "")),
    ] {
        let request = v1::ResolveRequest { context: asked.clone(), ..Default::default() };
        let refused = refusal(acme.ask(token, request).await);
        assert_eq!((refused.code, refused.reason.as_str()), (Code::PermissionDenied, "PERMISSION_DENIED"));
        assert_eq!(refused.metadata["permission"], "secrets.receive", "{asked:?}");
    }
    let stranger = refusal(acme.ask("", for_ws1()).await);
    assert_eq!((stranger.code, stranger.reason.as_str()), (Code::Unauthenticated, "UNAUTHENTICATED"));
}

async fn refuses_a_workspace_beside_another_project(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::new(&server).await;
    let web = acme.organization.project("web").await;
    acme.organization.workspace("loose", None, acme.bob.uid).await;
    let beside =
        |workspace: &str| v1::ResolveRequest { context: context("acme", "web", workspace, ""), ..Default::default() };
    // Not a member of `web`: nothing is told.
    assert_eq!(refusal(acme.ask(&acme.bob.token, beside("ws1")).await).code, Code::PermissionDenied);

    acme.organization.bind(&acme.bob, Role::Member, acme.organization.project_resource(web)).await;
    for workspace in ["ws1", "loose"] {
        let refused = refusal(acme.ask(&acme.bob.token, beside(workspace)).await);
        assert_eq!((refused.code, refused.reason.as_str()), (Code::InvalidArgument, "CONTEXT_INVALID"));
        assert_eq!(refused.fields, ["context.project"]);
    }
    // A resolver of `web` learns nothing of workspaces elsewhere.
    let ci = acme.organization.service_account("ci").await;
    acme.organization.bind(&ci, Role::Resolver, acme.organization.project_resource(web)).await;
    let refusals: Vec<Refusal> = [
        refusal(acme.ask(&ci.token, beside("ws1")).await),
        refusal(acme.ask(&ci.token, beside("loose")).await),
        refusal(acme.ask(&ci.token, beside("nowhere")).await),
    ]
    .into();
    assert_eq!((refusals[0].reason.as_str(), &refusals[1]), ("CONTEXT_INVALID", &refusals[0]));
    assert_eq!(refusals[1], refusals[2]);
    // The right one beside it changes nothing.
    let right = v1::ResolveRequest { context: context("acme", "api", "ws1", ""), ..Default::default() };
    assert_eq!(acme.bob_asks(right).await.etag, acme.bob_asks(for_ws1()).await.etag);
}

async fn gives_a_resolver_contexts_without_a_user(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::new(&server).await;
    let ci = acme.organization.service_account("ci").await;
    let ask = |asked| v1::ResolveRequest { context: asked, ..Default::default() };
    assert_eq!(refusal(acme.ask(&ci.token, for_ws1()).await).code, Code::PermissionDenied);
    acme.organization.bind(&ci, Role::Resolver, acme.organization.project_resource(acme.api)).await;
    let answer = acme.ask(&ci.token, for_ws1()).await.unwrap();
    assert_eq!(answer.context, context("acme", "api", "ws1", ""));
    assert!(delivered(&answer).contains(&("LINEAR_API_KEY", "lin-org")), "no user takes part");
    for denied in [context("acme", "", "ws1", "bob"), context("acme", "", "", "")] {
        assert_eq!(refusal(acme.ask(&ci.token, ask(denied)).await).code, Code::PermissionDenied);
    }
}

async fn ends_with_the_membership(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::new(&server).await;
    let carol = acme.organization.member("carol").await;
    let membership = acme.organization.bind(&carol, Role::Member, acme.organization.project_resource(acme.api)).await;
    let of_session = acme.organization.context(Some(acme.api), None, Some(carol.uid));
    let session = acme.organization.session(&carol, of_session, &SessionRestrictions::default()).await;
    let ask = || v1::ResolveRequest { context: context("acme", "api", "", ""), ..Default::default() };
    assert!(acme.ask(&carol.token, ask()).await.is_ok());
    assert!(acme.ask(&session, ask()).await.is_ok());

    let tx = server.app.store().begin().await.unwrap();
    assert!(binding::delete(&tx, Some(acme.organization.organization), membership).await.unwrap());
    assert!(workspace::transfer(&tx, acme.organization.organization, acme.ws1, None).await.unwrap());
    secrets_server::store::commit(tx).await.unwrap();
    assert_eq!(refusal(acme.ask(&carol.token, ask()).await).code, Code::PermissionDenied);
    assert_eq!(refusal(acme.ask(&session, ask()).await).code, Code::PermissionDenied);
    // Bob no longer owns his workspace.
    assert_eq!(refusal(acme.ask(&acme.bob.token, for_ws1()).await).code, Code::PermissionDenied);

    let tx = server.app.store().begin().await.unwrap();
    let now = server.clock.now();
    assert!(user::delete(&tx, acme.organization.organization, carol.uid, now, now).await.unwrap());
    secrets_server::store::commit(tx).await.unwrap();
    assert_eq!(refusal(acme.ask(&session, ask()).await).code, Code::Unauthenticated);
}
