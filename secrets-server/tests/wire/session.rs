//! Sessions: one context, good only while their creator may still create them.

mod period;

use std::time::Duration;

use secrets_proto::v1;
use tonic::{Code, Status};

use crate::support::calls::context;
use crate::support::database::TestDatabase;
use crate::support::on_both::on_both;
use crate::support::refusal::refusal;
use crate::support::server::TestServer;

on_both!(
    a_person_creates_sessions_for_themselves_and_for_nobody_else,
    a_delegate_creates_sessions_for_members_of_what_the_context_names,
    a_resolver_creates_a_session_without_a_user,
    a_workspace_implies_its_project_and_contradicts_another,
    a_session_lasts_an_hour_by_default_and_a_day_at_most,
    a_session_renews_itself_while_its_creator_may_create_it,
    a_session_creates_only_narrower_ones,
    an_empty_list_leaves_a_session_nothing,
    a_session_is_narrowed_to_a_thousand_names_at_most,
    a_page_of_sessions_ends_where_a_message_would_be_too_large,
    what_a_session_creates_ends_with_it,
    a_session_does_nothing_but_what_sessions_do,
    sessions_are_listed_by_external_id_to_those_who_may_see_them,
    a_session_is_revoked_by_its_creator_its_user_and_administrators,
    a_session_may_revoke_itself,
    a_session_ends_with_the_membership_that_it_needs,
);

const WS1: &str = "organizations/acme/workspaces/ws1";

fn seconds(seconds: i64) -> Option<prost_types::Duration> {
    Some(prost_types::Duration { seconds, nanos: 0 })
}

async fn create(
    server: &TestServer,
    token: &str,
    request: v1::CreateSessionRequest,
) -> Result<v1::CreateSessionResponse, Status> {
    server.access(token).create_session(request).await.map(tonic::Response::into_inner)
}

async fn list(server: &TestServer, token: &str, external_id: &str, show_ended: bool) -> Vec<String> {
    let request = v1::ListSessionsRequest {
        parent: "organizations/acme".into(),
        external_id: external_id.into(),
        show_ended,
        ..Default::default()
    };
    let listed = server.access(token).list_sessions(request).await.unwrap().into_inner();
    assert_eq!(listed.total_size as usize, listed.sessions.len());
    listed.sessions.into_iter().map(|session| session.display_name).collect()
}

/// ann administers acme; bob owns ws1; sandboxd is a delegate everywhere.
async fn cast(server: &TestServer) -> (String, String, String) {
    let ann = server.organization("acme").await;
    let bob = server.person(&ann, "acme", "bob").await;
    server.workspace(&bob, "ws1", "", "").await.unwrap();
    let sandboxd = server.program(&server.operator, "platform", "sandboxd").await;
    server.bind(&server.operator, "platform", "serviceAccounts/sandboxd", v1::Role::Delegate).await.unwrap();
    (ann, bob, sandboxd)
}

async fn a_person_creates_sessions_for_themselves_and_for_nobody_else(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let (ann, bob, _) = cast(&server).await;
    let session = server.session(&bob, "ws1", "").await.unwrap().session.unwrap();
    assert_eq!(session.context.unwrap().user, "bob");
    assert_eq!(session.creator, "organizations/acme/users/bob");
    for (token, workspace, user) in [
        (&ann, "", "bob"),
        (&ann, "ws1", ""),
        (&ann, "ws1", "bob"),
        (&bob, "", "ann"),
        (&bob, "missing", ""),
        (&bob, "", "x"),
    ] {
        let denied = refusal(server.session(token, workspace, user).await);
        assert_eq!(denied.code, Code::PermissionDenied, "{workspace} {user}");
    }
    assert_eq!(refusal(server.session(&server.operator, "ws1", "bob").await).code, Code::PermissionDenied);
    let unset = refusal(create(&server, &bob, v1::CreateSessionRequest::default()).await);
    assert_eq!((unset.code, unset.reason.as_str()), (Code::InvalidArgument, "CONTEXT_INVALID"));
    let empty = v1::CreateSessionRequest { context: Some(v1::Context::default()), ..Default::default() };
    assert_eq!(refusal(create(&server, &bob, empty).await).reason, "CONTEXT_INVALID");
    let foreign = v1::Context { organization: "other".into(), ..Default::default() };
    let foreign = v1::CreateSessionRequest { context: Some(foreign), ..Default::default() };
    assert_eq!(refusal(create(&server, &bob, foreign).await).code, Code::PermissionDenied);
}

async fn a_delegate_creates_sessions_for_members_of_what_the_context_names(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let (ann, _, sandboxd) = cast(&server).await;
    let created = server.session(&sandboxd, "ws1", "bob").await.unwrap();
    let session = created.session.unwrap();
    assert_eq!((session.creator.as_str(), session.context.unwrap().user.as_str()), ("serviceAccounts/sandboxd", "bob"));
    assert_eq!(server.whoami(&created.token).await.unwrap().kind(), v1::PrincipalKind::Session);
    for (workspace, user) in [("ws1", "ann"), ("ws1", "missing"), ("missing", "bob"), ("", ""), ("ws1", "")] {
        let denied = refusal(server.session(&sandboxd, workspace, user).await);
        assert_eq!(denied.code, Code::PermissionDenied, "{workspace} {user}");
    }
    // A program of an organization never is a delegate: its administrators make its tokens.
    let ci = server.program(&ann, "organizations/acme", "ci").await;
    let ci_name = "organizations/acme/serviceAccounts/ci";
    let refused = refusal(server.bind(&server.operator, "organizations/acme", ci_name, v1::Role::Delegate).await);
    assert_eq!((refused.code, refused.fields), (Code::InvalidArgument, vec!["binding.role".to_owned()]));
    assert_eq!(refusal(server.session(&ci, "ws1", "bob").await).code, Code::PermissionDenied);
}

async fn a_resolver_creates_a_session_without_a_user(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let (ann, _, _) = cast(&server).await;
    let ci = server.program(&ann, "organizations/acme", "ci").await;
    assert_eq!(refusal(server.session(&ci, "ws1", "").await).code, Code::PermissionDenied);
    server.bind(&ann, WS1, "organizations/acme/serviceAccounts/ci", v1::Role::Resolver).await.unwrap();
    let session = server.session(&ci, "ws1", "").await.unwrap().session.unwrap();
    assert_eq!(session.context.unwrap().user, "");
    for (workspace, user) in [("", ""), ("ws1", "bob")] {
        assert_eq!(refusal(server.session(&ci, workspace, user).await).code, Code::PermissionDenied);
    }
}

async fn a_workspace_implies_its_project_and_contradicts_another(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let (ann, _, _) = cast(&server).await;
    server.project(&ann, "api").await;
    server.project(&ann, "web").await;
    for project in ["api", "web"] {
        let parent = format!("organizations/acme/projects/{project}");
        server.bind(&ann, &parent, "organizations/acme/users/ann", v1::Role::Member).await.unwrap();
    }
    server.workspace(&ann, "ws2", "api", "").await.unwrap();
    let asked = |project: &str| v1::CreateSessionRequest {
        context: Some(v1::Context { project: project.into(), ..context("ws2", "") }),
        ..Default::default()
    };
    for project in ["", "api"] {
        let session = create(&server, &ann, asked(project)).await.unwrap().session.unwrap();
        assert_eq!(session.context.unwrap().project, "api");
    }
    let refused = refusal(create(&server, &ann, asked("web")).await);
    assert_eq!((refused.code, refused.reason.as_str()), (Code::InvalidArgument, "CONTEXT_INVALID"));
}

async fn a_session_lasts_an_hour_by_default_and_a_day_at_most(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let (_, bob, _) = cast(&server).await;
    let default = server.session(&bob, "", "").await.unwrap().token;
    let day = v1::CreateSessionRequest { context: Some(context("", "")), ttl: seconds(86_400), ..Default::default() };
    let day = create(&server, &bob, day).await.unwrap().token;
    for ttl in [0, -5, 86_401] {
        let request =
            v1::CreateSessionRequest { context: Some(context("", "")), ttl: seconds(ttl), ..Default::default() };
        let refused = refusal(create(&server, &bob, request).await);
        assert_eq!((refused.code, refused.fields), (Code::InvalidArgument, vec!["ttl".to_owned()]), "{ttl}");
    }
    server.wait(Duration::from_secs(3_599));
    server.whoami(&default).await.unwrap();
    server.wait(Duration::from_secs(1));
    assert_eq!(refusal(server.whoami(&default).await).code, Code::Unauthenticated);
    server.wait(Duration::from_secs(86_400 - 3_600));
    assert_eq!(refusal(server.whoami(&day).await).code, Code::Unauthenticated);
}

async fn a_session_renews_itself_while_its_creator_may_create_it(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let (ann, bob, sandboxd) = cast(&server).await;
    let created = server.session(&sandboxd, "ws1", "bob").await.unwrap();
    let name = created.session.unwrap().name;
    let renew = async |token: &str, name: &str, ttl: Option<prost_types::Duration>| {
        let request = v1::RenewSessionRequest { name: name.into(), ttl };
        server.access(token).renew_session(request).await.map(|renewed| renewed.into_inner().session.unwrap())
    };
    server.wait(Duration::from_secs(2_400));
    let first = renew(&created.token, "", None).await.unwrap();
    let second = renew(&created.token, &name, seconds(60)).await.unwrap();
    assert_eq!(first, second, "renewing never brings the end nearer");
    server.wait(Duration::from_secs(2_400));
    server.whoami(&created.token).await.expect("beyond its first hour");
    for token in [&ann, &bob] {
        assert_eq!(refusal(renew(token, &name, None).await).code, Code::PermissionDenied);
    }
    for token in [&ann, &bob, &sandboxd] {
        assert_eq!(refusal(renew(token, "", None).await).fields, ["name"]);
    }
    let other = server.session(&sandboxd, "ws1", "bob").await.unwrap().token;
    assert_eq!(
        refusal(renew(&other, &name, None).await).code,
        Code::PermissionDenied,
        "of the same context, but another"
    );
    assert_eq!(refusal(renew(&other, "", seconds(86_401)).await).fields, ["ttl"]);
    let bindings = server.whoami(&sandboxd).await.unwrap().bindings;
    server.unbind(&server.operator, &bindings[0].name).await.unwrap();
    assert_eq!(refusal(renew(&created.token, "", None).await).code, Code::PermissionDenied);
}

async fn a_session_creates_only_narrower_ones(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let (_, bob, _) = cast(&server).await;
    let restrictions = |names: &[&str], scopes: &[v1::ScopeKind]| {
        let scopes = scopes.iter().map(|scope| (*scope).into()).collect::<Vec<_>>();
        Some(v1::SessionRestrictions {
            secret_ids: Some(v1::SecretIdList { values: names.iter().map(|name| (*name).to_owned()).collect() }),
            scopes: (!scopes.is_empty()).then_some(v1::ScopeKindList { values: scopes }),
            ..Default::default()
        })
    };
    let request = v1::CreateSessionRequest {
        context: Some(context("ws1", "")),
        restrictions: restrictions(&["A", "B"], &[]),
        ..Default::default()
    };
    let outer = create(&server, &bob, request).await.unwrap().token;
    let from = |restrictions| v1::CreateSessionRequest { restrictions, ..Default::default() };
    let same = create(&server, &outer, from(None)).await.unwrap().session.unwrap();
    assert_eq!(same.restrictions, restrictions(&["A", "B"], &[]));
    let user_only = [v1::ScopeKind::User];
    let inner = create(&server, &outer, from(restrictions(&["A"], &user_only))).await.unwrap();
    assert_eq!(inner.session.as_ref().unwrap().restrictions, restrictions(&["A"], &user_only));
    assert_eq!(inner.session.unwrap().creator, "organizations/acme/users/bob", "whoever created the first one");
    for (token, wider) in [(&outer, restrictions(&["A", "C"], &[])), (&inner.token, restrictions(&["B"], &[]))] {
        let refused = refusal(create(&server, token, from(wider)).await);
        assert_eq!((refused.code, refused.fields), (Code::InvalidArgument, vec!["restrictions".to_owned()]));
    }
    let refused = refusal(create(&server, &outer, from(restrictions(&["a b"], &[]))).await);
    assert_eq!(refused.fields, ["restrictions.secret_ids"]);
    // Another context is not narrower, but another.
    for other in [context("", ""), context("ws1", "ann"), context("missing", "")] {
        let request = v1::CreateSessionRequest { context: Some(other), ..Default::default() };
        assert_eq!(refusal(create(&server, &outer, request).await).code, Code::PermissionDenied);
    }
    let named = v1::CreateSessionRequest { context: Some(context("ws1", "bob")), ..Default::default() };
    create(&server, &outer, named).await.expect("its own context by name");
}

async fn an_empty_list_leaves_a_session_nothing(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let (_, bob, _) = cast(&server).await;
    server.secret(&bob, "organizations/acme/users/bob", "LINEAR_API_KEY").await.unwrap();
    let delivered = async |restrictions| {
        let request = v1::CreateSessionRequest { context: Some(context("", "")), restrictions, ..Default::default() };
        let created = create(&server, &bob, request).await.unwrap();
        let resolved = server.resolver(&created.token).resolve(v1::ResolveRequest::default()).await.unwrap();
        (created.session.unwrap().restrictions, resolved.into_inner().secrets.len())
    };
    assert_eq!(delivered(None).await, (None, 1));
    assert_eq!(delivered(Some(v1::SessionRestrictions::default())).await, (None, 1));
    for nothing in [
        v1::SessionRestrictions { secret_ids: Some(v1::SecretIdList::default()), ..Default::default() },
        v1::SessionRestrictions { kinds: Some(v1::TargetKindList::default()), ..Default::default() },
        v1::SessionRestrictions { scopes: Some(v1::ScopeKindList::default()), ..Default::default() },
    ] {
        assert_eq!(delivered(Some(nothing.clone())).await, (Some(nothing), 0));
    }
}

/// A session that may have that many secrets, whose names are as long as they can be.
fn narrowed(count: usize) -> v1::CreateSessionRequest {
    let values = (0..count).map(|number| format!("N{number:X<126}")).collect();
    let restrictions = v1::SessionRestrictions { secret_ids: Some(v1::SecretIdList { values }), ..Default::default() };
    v1::CreateSessionRequest { context: Some(context("", "")), restrictions: Some(restrictions), ..Default::default() }
}

async fn a_session_is_narrowed_to_a_thousand_names_at_most(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let (_, bob, _) = cast(&server).await;
    let refused = refusal(create(&server, &bob, narrowed(1_001)).await);
    assert_eq!((refused.code, refused.fields), (Code::InvalidArgument, vec!["restrictions.secret_ids".to_owned()]));
    let created = create(&server, &bob, narrowed(1_000)).await.unwrap().session.unwrap();
    assert_eq!(created.restrictions.unwrap().secret_ids.unwrap().values.len(), 1_000);
}

async fn a_page_of_sessions_ends_where_a_message_would_be_too_large(database: &TestDatabase) {
    const SESSIONS: usize = 40;
    let server = TestServer::start(database).await;
    let (_, bob, _) = cast(&server).await;
    for _ in 0..SESSIONS {
        create(&server, &bob, narrowed(1_000)).await.unwrap();
    }
    let (mut pages, mut seen) = (0, std::collections::BTreeSet::new());
    let mut request = v1::ListSessionsRequest { parent: "organizations/acme".into(), ..Default::default() };
    loop {
        let page = server.access(&bob).list_sessions(request.clone()).await.unwrap().into_inner();
        assert_eq!(page.total_size as usize, SESSIONS);
        pages += 1;
        seen.extend(page.sessions.into_iter().map(|session| session.name));
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    assert_eq!((pages, seen.len()), (2, SESSIONS));
}

async fn what_a_session_creates_ends_with_it(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let (_, bob, _) = cast(&server).await;
    let request = v1::CreateSessionRequest { context: Some(context("", "")), ttl: seconds(600), ..Default::default() };
    let outer = create(&server, &bob, request).await.unwrap();
    let inner = create(&server, &outer.token, v1::CreateSessionRequest { ttl: seconds(3_600), ..Default::default() })
        .await
        .unwrap();
    let end = outer.session.as_ref().unwrap().expire_time;
    assert_eq!(inner.session.unwrap().expire_time, end);
    let renewed =
        server.access(&inner.token).renew_session(v1::RenewSessionRequest::default()).await.unwrap().into_inner();
    assert_eq!(renewed.session.unwrap().expire_time, end);
    let innermost = create(&server, &inner.token, v1::CreateSessionRequest::default()).await.unwrap().token;
    let revoke = v1::RevokeSessionRequest { name: outer.session.unwrap().name, ..Default::default() };
    let revoked = server.access(&bob).revoke_session(revoke.clone()).await.unwrap().into_inner();
    assert_eq!(revoked.revoked_sessions, 3);
    for token in [&outer.token, &inner.token, &innermost] {
        assert_eq!(refusal(server.whoami(token).await).code, Code::Unauthenticated);
    }
    assert_eq!(server.access(&bob).revoke_session(revoke).await.unwrap().into_inner().revoked_sessions, 0);
}

async fn a_session_does_nothing_but_what_sessions_do(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let (ann, ..) = cast(&server).await;
    let session = server.session(&ann, "", "").await.unwrap().token;
    let mut access = server.access(&session);
    let mut directory = server.directory(&session);
    let acme = || "organizations/acme".to_owned();
    let user = || "organizations/acme/users/bob".to_owned();
    let codes = [
        refusal(directory.get_organization(v1::GetOrganizationRequest { name: acme() }).await).code,
        refusal(directory.list_organizations(v1::ListOrganizationsRequest::default()).await).code,
        refusal(directory.list_users(v1::ListUsersRequest { parent: acme(), ..Default::default() }).await).code,
        refusal(directory.get_workspace(v1::GetWorkspaceRequest { name: WS1.into() }).await).code,
        refusal(server.remove(&session, "bob").await).code,
        refusal(server.workspace(&session, "mine", "", "ann").await).code,
        refusal(access.list_bindings(v1::ListBindingsRequest { parent: acme(), ..Default::default() }).await).code,
        refusal(server.bind(&session, "organizations/acme", &user(), v1::Role::Admin).await).code,
        refusal(access.create_token(v1::CreateTokenRequest::default()).await).code,
        refusal(access.list_tokens(v1::ListTokensRequest::default()).await).code,
        refusal(access.list_sessions(v1::ListSessionsRequest { parent: acme(), ..Default::default() }).await).code,
        refusal(
            access
                .create_invitation(v1::CreateInvitationRequest {
                    parent: acme(),
                    user_id: "x".into(),
                    ..Default::default()
                })
                .await,
        )
        .code,
    ];
    assert_eq!(codes, [Code::PermissionDenied; 12]);
}

async fn sessions_are_listed_by_external_id_to_those_who_may_see_them(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let (ann, bob, sandboxd) = cast(&server).await;
    let carol = server.person(&ann, "acme", "carol").await;
    for (token, workspace, user, external_id, display_name) in [
        (&sandboxd, "ws1", "bob", "sbx-91", "bob's sandbox"),
        (&sandboxd, "", "carol", "sbx-91", "carol's sandbox"),
        (&bob, "", "", "", "bob's own"),
    ] {
        server.wait(Duration::from_secs(1));
        let request = v1::CreateSessionRequest {
            context: Some(context(workspace, user)),
            external_id: external_id.into(),
            display_name: display_name.into(),
            ..Default::default()
        };
        create(&server, token, request).await.unwrap();
    }
    let (bobs, carols, own) = ("bob's sandbox", "carol's sandbox", "bob's own");
    assert_eq!(list(&server, &ann, "", false).await, [own, carols, bobs]);
    assert_eq!(list(&server, &sandboxd, "", false).await, [carols, bobs]);
    assert_eq!(list(&server, &sandboxd, "sbx-91", false).await, [carols, bobs]);
    assert_eq!(list(&server, &bob, "", false).await, [own, bobs]);
    assert_eq!(list(&server, &carol, "sbx-91", false).await, [carols]);
    assert_eq!(list(&server, &ann, "sbx-92", false).await, Vec::<String>::new());
    server.wait(Duration::from_secs(3_600));
    assert_eq!(list(&server, &ann, "", false).await, Vec::<String>::new());
    assert_eq!(list(&server, &ann, "", true).await, [own, carols, bobs]);
    // Pages.
    let page = |page_token, external_id: &str| v1::ListSessionsRequest {
        parent: "organizations/acme".into(),
        show_ended: true,
        page_size: 1,
        page_token,
        external_id: external_id.into(),
    };
    let first = server.access(&bob).list_sessions(page(String::new(), "")).await.unwrap().into_inner();
    assert_eq!((first.sessions[0].display_name.as_str(), first.total_size), (own, 2));
    let second = server.access(&bob).list_sessions(page(first.next_page_token.clone(), "")).await.unwrap().into_inner();
    assert_eq!((second.sessions[0].display_name.as_str(), second.next_page_token.as_str()), (bobs, ""));
    let other = refusal(server.access(&bob).list_sessions(page(first.next_page_token, "sbx-91")).await);
    assert_eq!(other.reason, "INVALID_PAGE_TOKEN");
}

async fn a_session_is_revoked_by_its_creator_its_user_and_administrators(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let (ann, bob, sandboxd) = cast(&server).await;
    let carol = server.person(&ann, "acme", "carol").await;
    for token in [&ann, &bob, &sandboxd] {
        let created = server.session(&sandboxd, "ws1", "bob").await.unwrap();
        let revoke = v1::RevokeSessionRequest { name: created.session.unwrap().name, ..Default::default() };
        for stranger in [&carol, &server.operator] {
            let denied = refusal(server.access(stranger).revoke_session(revoke.clone()).await);
            assert_eq!(denied.code, Code::PermissionDenied);
        }
        let revoked = server.access(token).revoke_session(revoke).await.unwrap().into_inner();
        assert_eq!(revoked.revoked_sessions, 1);
        assert_eq!(refusal(server.whoami(&created.token).await).code, Code::Unauthenticated);
    }
    let missing = v1::RevokeSessionRequest {
        name: "organizations/acme/sessions/0b3f3f0e-3a55-4e55-8f5b-1d2a8c7b9e10".into(),
        ..Default::default()
    };
    assert_eq!(refusal(server.access(&ann).revoke_session(missing.clone()).await).code, Code::NotFound);
    assert_eq!(refusal(server.access(&carol).revoke_session(missing).await).code, Code::PermissionDenied);
}

async fn a_session_may_revoke_itself(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let (_, bob, _) = cast(&server).await;
    let created = server.session(&bob, "ws1", "").await.unwrap();
    let other = server.session(&bob, "ws1", "").await.unwrap();
    let revoke = v1::RevokeSessionRequest { name: other.session.unwrap().name, ..Default::default() };
    assert_eq!(refusal(server.access(&created.token).revoke_session(revoke).await).code, Code::PermissionDenied);
    let revoked = server.access(&created.token).revoke_session(v1::RevokeSessionRequest::default()).await.unwrap();
    assert_eq!(revoked.into_inner().revoked_sessions, 1);
    assert_eq!(refusal(server.whoami(&created.token).await).code, Code::Unauthenticated);
    server.whoami(&other.token).await.unwrap();
    let own = refusal(server.access(&bob).revoke_session(v1::RevokeSessionRequest::default()).await);
    assert_eq!((own.code, own.fields), (Code::InvalidArgument, vec!["name".to_owned()]));
}

async fn a_session_ends_with_the_membership_that_it_needs(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let (ann, bob, sandboxd) = cast(&server).await;
    let carol = server.person(&ann, "acme", "carol").await;
    let membership = server.bind(&bob, WS1, "organizations/acme/users/carol", v1::Role::Member).await.unwrap();
    let theirs =
        [server.session(&carol, "ws1", "").await.unwrap(), server.session(&sandboxd, "ws1", "carol").await.unwrap()];
    let may = async |token: &str| {
        let request = v1::TestPermissionsRequest { resource: WS1.into(), permissions: vec!["secrets.receive".into()] };
        !server.access(token).test_permissions(request).await.unwrap().into_inner().permissions.is_empty()
    };
    for session in &theirs {
        assert!(may(&session.token).await);
    }
    server.unbind(&bob, &membership.name).await.unwrap();
    for session in &theirs {
        assert!(!may(&session.token).await);
        let created = create(&server, &session.token, v1::CreateSessionRequest::default()).await;
        assert_eq!(refusal(created).code, Code::PermissionDenied);
    }
    // The context itself may go, too.
    let session = server.session(&bob, "ws1", "").await.unwrap().token;
    let delete = v1::DeleteWorkspaceRequest { name: WS1.into(), ..Default::default() };
    server.directory(&bob).delete_workspace(delete).await.unwrap();
    assert_eq!(refusal(server.whoami(&session).await).code, Code::Unauthenticated);
}
