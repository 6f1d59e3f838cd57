//! Who gives which role, who makes which token, and what the caller is told of it.

use std::time::Duration;

use secrets_proto::v1;
use secrets_server::clock::Clock as _;
use tonic::Code;

use crate::support::database::TestDatabase;
use crate::support::on_both::on_both;
use crate::support::refusal::refusal;
use crate::support::server::TestServer;

on_both!(
    each_role_is_granted_by_those_who_may,
    a_role_that_does_not_exist_there_is_refused_with_those_that_do,
    no_role_crosses_organizations,
    granting_a_role_twice_returns_the_first_binding,
    a_revoked_role_ends_at_once,
    the_platforms_service_accounts_are_visible_to_every_member,
    a_token_is_created_for_oneself_and_for_service_accounts_and_for_no_other_person,
    a_token_is_shown_once_also_when_the_call_is_repeated,
    a_token_ends_when_it_is_revoked_or_its_time_is_up,
    tokens_are_listed_newest_first_without_themselves,
    a_revoked_token_creates_no_other,
    whoami_names_each_kind_of_caller,
    permissions_are_those_of_the_policy,
    every_call_records_an_event_about_what_it_created,
);

const ACME: &str = "organizations/acme";
const API: &str = "organizations/acme/projects/api";
const WS1: &str = "organizations/acme/workspaces/ws1";

fn user(id: &str) -> String {
    format!("organizations/acme/users/{id}")
}

async fn each_role_is_granted_by_those_who_may(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let ann = server.organization("acme").await;
    let bob = server.person(&ann, "acme", "bob").await;
    let carol = server.person(&ann, "acme", "carol").await;
    server.program(&ann, ACME, "ci").await;
    server.program(&server.operator, "platform", "sandboxd").await;
    server.project(&ann, "api").await;
    server.workspace(&bob, "ws1", "", "").await.unwrap();
    let (ci, sandboxd, dave) = ("organizations/acme/serviceAccounts/ci", "serviceAccounts/sandboxd", user("dave"));
    server.person(&ann, "acme", "dave").await;
    use v1::Role::*;
    server.bind(&ann, API, &user("carol"), Admin).await.unwrap();
    let operator = &server.operator;
    for (who, token, parent, principal, role, may) in [
        ("admin", &ann, ACME, dave.as_str(), Auditor, true),
        ("admin", &ann, ACME, ci, Resolver, true),
        ("admin", &ann, API, dave.as_str(), Member, true),
        ("admin", &ann, WS1, dave.as_str(), Member, false),
        ("admin", &ann, ACME, sandboxd, Delegate, false),
        ("admin", &ann, ACME, ci, Provisioner, false),
        ("admin", &ann, "platform", sandboxd, Provisioner, false),
        ("project admin", &carol, API, dave.as_str(), Admin, true),
        ("project admin", &carol, ACME, dave.as_str(), Admin, false),
        ("owner", &bob, WS1, dave.as_str(), Member, true),
        ("owner", &bob, API, dave.as_str(), Member, false),
        ("member", &bob, ACME, dave.as_str(), Admin, false),
        ("operator", operator, ACME, ci, Provisioner, true),
        ("operator", operator, "platform", sandboxd, Delegate, true),
        ("operator", operator, "platform", sandboxd, Provisioner, true),
        ("operator", operator, ACME, dave.as_str(), Admin, false),
    ] {
        let given = server.bind(token, parent, principal, role).await;
        match may {
            true => assert_eq!(given.unwrap().role(), role, "{who}"),
            false => assert_eq!(refusal(given).code, Code::PermissionDenied, "{who}: {role:?} on {parent}"),
        }
    }
}

async fn a_role_that_does_not_exist_there_is_refused_with_those_that_do(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let ann = server.organization("acme").await;
    server.workspace(&ann, "ws1", "", "").await.unwrap();
    for (parent, role, passes) in [
        (WS1, v1::Role::Delegate, "MEMBER"),
        (ACME, v1::Role::Resolver, "AUDITOR"),
        (WS1, v1::Role::Owner, "TransferWorkspace"),
        (ACME, v1::Role::Unspecified, "ROLE_ADMIN"),
    ] {
        let refused = refusal(server.bind(&ann, parent, &user("ann"), role).await);
        assert_eq!((refused.code, refused.fields), (Code::InvalidArgument, vec!["binding.role".to_owned()]));
        assert!(refused.message.contains(passes), "{}", refused.message);
    }
    for principal in ["", "bob", "organizations/acme", "operator", "organizations/acme/users/.."] {
        let refused = refusal(server.bind(&ann, ACME, principal, v1::Role::Member).await);
        assert_eq!(refused.fields, ["binding.principal"], "{principal}");
    }
    let refused = refusal(server.bind(&ann, &user("ann"), &user("ann"), v1::Role::Member).await);
    assert_eq!((refused.reason.as_str(), refused.fields), ("INVALID_RESOURCE_NAME", vec!["parent".to_owned()]));
}

async fn no_role_crosses_organizations(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let ann = server.organization("acme").await;
    server.organization("other").await;
    for principal in ["organizations/other/users/ann", "organizations/missing/users/ann"] {
        let refused = refusal(server.bind(&ann, ACME, principal, v1::Role::Member).await);
        assert_eq!((refused.code, refused.fields), (Code::InvalidArgument, vec!["binding.principal".to_owned()]));
    }
    let denied =
        refusal(server.bind(&ann, "organizations/other", "organizations/other/users/ann", v1::Role::Member).await);
    assert_eq!(denied.code, Code::PermissionDenied);
    for principal in [user("missing"), "organizations/acme/serviceAccounts/missing".into()] {
        assert_eq!(refusal(server.bind(&ann, ACME, &principal, v1::Role::Member).await).code, Code::NotFound);
    }
    let platform = refusal(server.bind(&ann, ACME, "serviceAccounts/missing", v1::Role::Member).await);
    assert_eq!(platform.code, Code::PermissionDenied, "what the platform has is not for an administrator to know");
}

async fn granting_a_role_twice_returns_the_first_binding(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let ann = server.organization("acme").await;
    server.person(&ann, "acme", "bob").await;
    let first = server.bind(&ann, ACME, &user("bob"), v1::Role::Auditor).await.unwrap();
    server.wait(Duration::from_secs(5));
    let second = server.bind(&ann, ACME, &user("bob"), v1::Role::Auditor).await.unwrap();
    assert_eq!(first, second);
    assert_eq!((first.resource.as_str(), first.creator), (ACME, user("ann")));
}

async fn a_revoked_role_ends_at_once(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let ann = server.organization("acme").await;
    let bob = server.person(&ann, "acme", "bob").await;
    server.project(&ann, "api").await;
    let binding = server.bind(&ann, API, &user("bob"), v1::Role::Member).await.unwrap();
    let get = || v1::GetProjectRequest { name: API.into() };
    server.directory(&bob).get_project(get()).await.unwrap();
    assert_eq!(refusal(server.unbind(&bob, &binding.name).await).code, Code::PermissionDenied);
    server.unbind(&ann, &binding.name).await.unwrap();
    assert_eq!(refusal(server.directory(&bob).get_project(get()).await).code, Code::PermissionDenied);
    assert_eq!(refusal(server.unbind(&ann, &binding.name).await).code, Code::NotFound);
    assert_eq!(refusal(server.unbind(&bob, &binding.name).await).code, Code::PermissionDenied);
    // A binding is named by what it is on, and by nothing else.
    let auditor = server.bind(&ann, ACME, &user("bob"), v1::Role::Auditor).await.unwrap();
    let uid = auditor.name.rsplit('/').next().unwrap();
    assert_eq!(refusal(server.unbind(&ann, &format!("{API}/bindings/{uid}")).await).code, Code::NotFound);
    assert_eq!(refusal(server.unbind(&ann, "organizations/acme/bindings/1").await).reason, "INVALID_RESOURCE_NAME");
}

async fn the_platforms_service_accounts_are_visible_to_every_member(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let ann = server.organization("acme").await;
    let bob = server.person(&ann, "acme", "bob").await;
    server.program(&server.operator, "platform", "sandboxd").await;
    server.bind(&server.operator, "platform", "serviceAccounts/sandboxd", v1::Role::Delegate).await.unwrap();
    let mut seen = Vec::new();
    let mut page_token = String::new();
    loop {
        let request = v1::ListBindingsRequest { parent: ACME.into(), page_size: 1, page_token };
        let page = server.access(&bob).list_bindings(request).await.unwrap().into_inner();
        assert_eq!(page.total_size, 3);
        seen.extend(page.bindings.into_iter().map(|binding| (binding.resource, binding.principal)));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    seen.sort();
    let organization = |id| (ACME.to_owned(), user(id));
    let expected =
        [organization("ann"), organization("bob"), ("platform".to_owned(), "serviceAccounts/sandboxd".to_owned())];
    assert_eq!(seen, expected);
    let request = v1::ListBindingsRequest { parent: "platform".into(), ..Default::default() };
    assert_eq!(server.access(&bob).list_bindings(request).await.unwrap().into_inner().bindings.len(), 1);
    let request = v1::ListBindingsRequest { parent: API.into(), ..Default::default() };
    assert_eq!(refusal(server.access(&bob).list_bindings(request).await).code, Code::PermissionDenied);
}

fn token_for(principal: &str) -> v1::CreateTokenRequest {
    v1::CreateTokenRequest { principal: principal.into(), ..Default::default() }
}

async fn a_token_is_created_for_oneself_and_for_service_accounts_and_for_no_other_person(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let ann = server.organization("acme").await;
    let bob = server.person(&ann, "acme", "bob").await;
    let ci = server.program(&ann, ACME, "ci").await;
    let sandboxd = server.program(&server.operator, "platform", "sandboxd").await;
    let session = server.session(&bob, "", "").await.unwrap().token;
    let (ci_name, sandboxd_name) = ("organizations/acme/serviceAccounts/ci", "serviceAccounts/sandboxd");
    for (token, principal, prefix) in [
        (&bob, "", "sper_"),
        (&bob, user("bob").as_str(), "sper_"),
        (&ann, ci_name, "ssvc_"),
        (&ci, "", "ssvc_"),
        (&sandboxd, "", "ssvc_"),
        (&server.operator, "", "sopr_"),
        (&server.operator, sandboxd_name, "ssvc_"),
    ] {
        let created = server.access(token).create_token(token_for(principal)).await.unwrap().into_inner();
        assert!(created.token.starts_with(prefix), "{principal}");
        let whoami = server.whoami(&created.token).await.unwrap();
        let metadata = created.token_info.unwrap();
        assert_eq!((whoami.principal, whoami.credential), (metadata.principal, metadata.name));
    }
    for (token, principal) in [
        (&ann, user("bob")),
        (&ann, user("missing")),
        (&bob, user("ann")),
        (&bob, ci_name.into()),
        (&ann, sandboxd_name.into()),
        (&server.operator, user("bob")),
        (&server.operator, ci_name.into()),
        (&session, String::new()),
        (&session, user("bob")),
    ] {
        let denied = refusal(server.access(token).create_token(token_for(&principal)).await);
        assert_eq!(denied.code, Code::PermissionDenied, "{principal}");
    }
}

async fn a_token_is_shown_once_also_when_the_call_is_repeated(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let ann = server.organization("acme").await;
    let request = v1::CreateTokenRequest { request_id: "0b3f3f0e-3a55-4e55-8f5b-1d2a8c7b9e10".into(), ..token_for("") };
    let first = server.access(&ann).create_token(request.clone()).await.unwrap().into_inner();
    let second = server.access(&ann).create_token(request.clone()).await.unwrap().into_inner();
    assert_eq!((second.token.as_str(), &second.token_info), ("", &first.token_info));
    let other = v1::CreateTokenRequest { display_name: "other".into(), ..request.clone() };
    assert_eq!(refusal(server.access(&ann).create_token(other).await).reason, "REQUEST_ID_REUSED");
    // What is kept for a repeat is kept for a day.
    server.wait(Duration::from_secs(24 * 60 * 60));
    assert_ne!(server.access(&ann).create_token(request).await.unwrap().into_inner().token, "");
}

async fn a_token_ends_when_it_is_revoked_or_its_time_is_up(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let ann = server.organization("acme").await;
    let bob = server.person(&ann, "acme", "bob").await;
    let ttl = |seconds| Some(prost_types::Duration { seconds, nanos: 0 });
    let request = v1::CreateTokenRequest { ttl: ttl(60), ..token_for("") };
    let created = server.access(&bob).create_token(request).await.unwrap().into_inner();
    let session = server.session(&created.token, "", "").await.unwrap().token;
    let sub =
        server.access(&session).create_session(v1::CreateSessionRequest::default()).await.unwrap().into_inner().token;
    let own = server.session(&bob, "", "").await.unwrap().token;
    let name = created.token_info.unwrap().name;
    let revoke = || v1::RevokeTokenRequest { name: name.clone(), ..Default::default() };
    let carol = server.person(&ann, "acme", "carol").await;
    assert_eq!(refusal(server.access(&carol).revoke_token(revoke()).await).code, Code::PermissionDenied);
    // An administrator may end what they may not make.
    assert_eq!(server.access(&ann).revoke_token(revoke()).await.unwrap().into_inner().revoked_sessions, 2);
    for token in [&created.token, &session, &sub] {
        assert_eq!(refusal(server.whoami(token).await).code, Code::Unauthenticated);
    }
    server.whoami(&own).await.expect("a session of another token goes on");
    assert_eq!(server.access(&ann).revoke_token(revoke()).await.unwrap().into_inner().revoked_sessions, 0);
    let missing = || v1::RevokeTokenRequest {
        name: "organizations/acme/tokens/0b3f3f0e-3a55-4e55-8f5b-1d2a8c7b9e10".into(),
        ..Default::default()
    };
    assert_eq!(refusal(server.access(&ann).revoke_token(missing()).await).code, Code::NotFound);
    assert_eq!(refusal(server.access(&carol).revoke_token(missing()).await).code, Code::PermissionDenied);

    let request = v1::CreateTokenRequest { ttl: ttl(60), ..token_for("") };
    let short = server.access(&bob).create_token(request).await.unwrap().into_inner().token;
    server.wait(Duration::from_secs(59));
    server.whoami(&short).await.unwrap();
    server.wait(Duration::from_secs(1));
    assert_eq!(refusal(server.whoami(&short).await).code, Code::Unauthenticated);
    let long = v1::CreateTokenRequest { ttl: ttl(365 * 86_400 + 1), ..token_for("") };
    assert_eq!(refusal(server.access(&bob).create_token(long).await).fields, ["ttl"]);
}

async fn tokens_are_listed_newest_first_without_themselves(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let ann = server.organization("acme").await;
    let bob = server.person(&ann, "acme", "bob").await;
    for display_name in ["second", "third"] {
        server.wait(Duration::from_secs(1));
        let request = v1::CreateTokenRequest { display_name: display_name.into(), ..token_for("") };
        server.access(&bob).create_token(request).await.unwrap();
    }
    server.session(&bob, "", "").await.unwrap();
    let (mut seen, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = v1::ListTokensRequest { page_size: 2, page_token, ..Default::default() };
        let page = server.access(&bob).list_tokens(request).await.unwrap().into_inner();
        assert_eq!(page.total_size, 3);
        seen.extend(page.tokens.into_iter().map(|token| token.display_name));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    assert_eq!(seen, ["third", "second", ""]);
    let of = |id: &str| v1::ListTokensRequest { principal: user(id), ..Default::default() };
    assert_eq!(server.access(&ann).list_tokens(of("bob")).await.unwrap().into_inner().tokens.len(), 3);
    assert_eq!(refusal(server.access(&bob).list_tokens(of("ann")).await).code, Code::PermissionDenied);
}

async fn a_revoked_token_creates_no_other(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let ann = server.organization("acme").await;
    let bob = server.person(&ann, "acme", "bob").await;
    for _ in 0..4 {
        let created = server.access(&bob).create_token(token_for("")).await.unwrap().into_inner();
        let revoke = v1::RevokeTokenRequest { name: created.token_info.unwrap().name, ..Default::default() };
        let (mut revoking, mut creating) = (server.access(&ann), server.access(&created.token));
        let context = Some(crate::support::calls::context("", ""));
        let request = v1::CreateSessionRequest { context, ..Default::default() };
        // Whichever comes first, no session outlives its creator.
        let (revoked, session) = tokio::join!(revoking.revoke_token(revoke), creating.create_session(request));
        revoked.unwrap();
        if let Ok(session) = session {
            assert_eq!(refusal(server.whoami(&session.into_inner().token).await).code, Code::Unauthenticated);
        }
    }
}

async fn whoami_names_each_kind_of_caller(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let ann = server.organization("acme").await;
    server.project(&ann, "api").await;
    server.workspace(&ann, "ws1", "api", "").await.unwrap();
    let whoami = server.whoami(&ann).await.unwrap();
    assert_eq!((whoami.kind(), whoami.organization.as_str()), (v1::PrincipalKind::User, "acme"));
    let mut bindings = whoami.bindings.iter().map(|held| (held.resource.as_str(), held.role())).collect::<Vec<_>>();
    bindings.sort();
    assert_eq!(bindings, [(ACME, v1::Role::Admin), (API, v1::Role::Admin)]);
    assert!(whoami.expire_time.is_some() && !whoami.server_version.is_empty() && whoami.context.is_none());
    assert_eq!(whoami.server_time.unwrap().seconds, server.clock.now().as_micros().div_euclid(1_000_000));

    let operator = server.whoami(&server.operator).await.unwrap();
    assert_eq!((operator.kind(), operator.principal.as_str()), (v1::PrincipalKind::Operator, "operator"));
    assert!(operator.credential.starts_with("tokens/") && operator.expire_time.is_none());

    let sandboxd = server.program(&server.operator, "platform", "sandboxd").await;
    server.bind(&server.operator, "platform", "serviceAccounts/sandboxd", v1::Role::Delegate).await.unwrap();
    server.bind(&server.operator, ACME, "serviceAccounts/sandboxd", v1::Role::Provisioner).await.unwrap();
    let program = server.whoami(&sandboxd).await.unwrap();
    let mut resources = program.bindings.iter().map(|held| held.resource.as_str()).collect::<Vec<_>>();
    resources.sort_unstable();
    assert_eq!(resources, [ACME, "platform"]);

    let created = server.session(&ann, "ws1", "").await.unwrap();
    let session = server.whoami(&created.token).await.unwrap();
    assert_eq!(session.kind(), v1::PrincipalKind::Session);
    assert_eq!(session.principal, created.session.unwrap().name);
    let context = session.context.unwrap();
    assert_eq!((context.project.as_str(), context.workspace.as_str(), context.user.as_str()), ("api", "ws1", "ann"));
}

async fn permissions_are_those_of_the_policy(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let ann = server.organization("acme").await;
    let bob = server.person(&ann, "acme", "bob").await;
    server.workspace(&bob, "ws1", "", "").await.unwrap();
    let session = server.session(&bob, "ws1", "").await.unwrap().token;
    let asked = [
        "secrets.list",
        "secrets.write",
        "secrets.receive",
        "projects.create",
        "workspaces.create",
        "users.manage",
        "users.invite",
        "bindings.grant",
        "bindings.list",
        "audit.read",
        "organizations.update",
        "sessions.create",
        "workspaces.transfer",
    ];
    let test = async |token: &str, resource: &str| {
        let request = v1::TestPermissionsRequest {
            resource: resource.into(),
            permissions: asked.iter().map(|word| (*word).to_owned()).collect(),
        };
        server.access(token).test_permissions(request).await.map(|answer| answer.into_inner().permissions)
    };
    assert_eq!(
        test(&ann, ACME).await.unwrap(),
        asked.into_iter().filter(|word| *word != "workspaces.transfer").collect::<Vec<_>>()
    );
    assert_eq!(
        test(&bob, ACME).await.unwrap(),
        ["secrets.list", "secrets.receive", "workspaces.create", "bindings.list", "sessions.create"]
    );
    assert_eq!(
        test(&ann, WS1).await.unwrap(),
        ["secrets.list", "workspaces.create", "bindings.grant", "bindings.list"]
    );
    let owner = test(&bob, WS1).await.unwrap();
    for word in ["secrets.write", "secrets.receive", "bindings.grant", "workspaces.transfer", "sessions.create"] {
        assert!(owner.iter().any(|has| has == word), "{word}: {owner:?}");
    }
    assert_eq!(test(&ann, &user("bob")).await.unwrap(), ["users.manage", "users.invite"], "and none of bob's secrets");
    assert_eq!(test(&session, WS1).await.unwrap(), ["secrets.receive", "sessions.create"]);
    assert_eq!(test(&bob, "organizations/acme/projects/missing").await.unwrap(), Vec::<String>::new());
    assert_eq!(refusal(test(&bob, "organizations/other").await).code, Code::PermissionDenied);
    let unknown = v1::TestPermissionsRequest { resource: ACME.into(), permissions: vec!["secrets.steal".into()] };
    assert_eq!(refusal(server.access(&bob).test_permissions(unknown).await).fields, ["permissions"]);
    let many =
        |count| v1::TestPermissionsRequest { resource: ACME.into(), permissions: vec!["secrets.list".into(); count] };
    server.access(&bob).test_permissions(many(64)).await.unwrap();
    assert_eq!(refusal(server.access(&bob).test_permissions(many(65)).await).fields, ["permissions"]);
}

async fn every_call_records_an_event_about_what_it_created(database: &TestDatabase) {
    use sea_orm::{ConnectionTrait, Statement};
    let server = TestServer::start(database).await;
    let ann = server.organization("acme").await;
    let created = server.session(&ann, "", "").await.unwrap().session.unwrap();
    let bob = server.person(&ann, "acme", "bob").await;
    refusal(server.remove(&bob, "ann").await);
    let db = server.app.store().reader();
    let sql = "SELECT action, resource_name, outcome, principal_name FROM audit_events ORDER BY create_time";
    let rows = db.query_all_raw(Statement::from_string(db.get_database_backend(), sql)).await.unwrap();
    let events = rows
        .iter()
        .map(|row| {
            ["action", "resource_name", "outcome", "principal_name"]
                .map(|column| row.try_get::<String>("", column).unwrap())
        })
        .collect::<Vec<_>>();
    let has = |action: &str, resource: &str, outcome: &str, principal: &str| {
        let wanted = [&format!("secretsapi.v1.{action}"), resource, outcome, principal].map(|text| text.to_owned());
        assert!(events.contains(&wanted), "{wanted:?} is not in {events:#?}");
    };
    has("DirectoryService/CreateOrganization", ACME, "ALLOWED", "operator");
    has("AccessService/CreateSession", &created.name, "ALLOWED", &user("ann"));
    has("AccessService/CreateInvitation", &user("bob"), "ALLOWED", &user("ann"));
    has("DirectoryService/DeleteUser", &user("ann"), "DENIED", &user("bob"));
    let redeemed = events.iter().filter(|event| event[0].ends_with("RedeemInvitation")).collect::<Vec<_>>();
    assert!(redeemed.len() == 2 && redeemed.iter().all(|event| event[1].contains("/tokens/")), "{redeemed:?}");
}
