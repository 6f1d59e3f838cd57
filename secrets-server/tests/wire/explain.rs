//! Explain: what wins, what does not and why, as far as the caller may know.

use secrets_core::{OverridePolicy, Role, ScopeKind, SessionRestrictions, Target, Visibility};
use secrets_proto::v1;
use secrets_proto::v1::NotChosenReason as Reason;
use secrets_server::clock::Clock;
use secrets_server::store::secret::Secret;
use tonic::{Code, Status};

use crate::support::database::TestDatabase;
use crate::support::on_both::on_both;
use crate::support::organization::{TestAccount, TestOrganization, plain, project_scope, user_scope, workspace_scope};
use crate::support::refusal::refusal;
use crate::support::server::TestServer;

on_both!(
    says_what_wins_and_why_the_others_do_not,
    explains_only_what_is_asked_for,
    explains_invisible_secrets_to_those_who_may_list_them,
    explains_without_a_user_to_admins,
    keeps_from_a_session_what_it_may_not_have,
    is_for_those_who_may_resolve,
    an_owner_is_told_of_resolvers,
);

async fn explain(server: &TestServer, token: &str, request: v1::ExplainRequest) -> Result<v1::ExplainResponse, Status> {
    server.resolver(token).explain(request).await.map(tonic::Response::into_inner)
}

fn of(workspace: &str) -> v1::ExplainRequest {
    let context = v1::Context { organization: "acme".into(), workspace: workspace.into(), ..Default::default() };
    v1::ExplainRequest { context: Some(context), ..Default::default() }
}

/// A line for each secret: name, path, reason, and what stands in its way.
fn lines(answer: &v1::ExplainResponse) -> Vec<String> {
    let short = |path: &str| path.trim_start_matches("organizations/acme/").to_owned();
    let mut lines = Vec::new();
    for row in &answer.explanations {
        lines.extend(row.winner.as_ref().map(|winner| format!("{} = {}", row.secret_id, short(&winner.secret))));
        lines.extend(row.not_chosen.iter().map(|other| {
            let path = short(&other.secret.as_ref().unwrap().secret);
            let reason = other.reason().as_str_name().trim_start_matches("NOT_CHOSEN_REASON_");
            format!("{} ≠ {path} {reason} {}", row.secret_id, short(&other.blocked_by)).trim_end().to_owned()
        }));
    }
    lines
}

async fn says_what_wins_and_why_the_others_do_not(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let organization = TestOrganization::new(&server, "acme").await;
    let bob = organization.member("bob").await;
    let ws1 = organization.workspace("ws1", None, bob.uid).await;
    let (organization_scope, workspace, user) = (organization.scope(), workspace_scope(ws1), user_scope(bob.uid));
    organization
        .secret(organization_scope, "LINEAR_API_KEY", "needle", |secret, _| {
            secret.description = "for everybody".parse().unwrap()
        })
        .await;
    organization
        .secret(user, "LINEAR_API_KEY", "needle", |secret, _| secret.description = "bob's own".parse().unwrap())
        .await;
    let locked = |secret: &mut Secret, _: &mut Target| {
        secret.override_policy = OverridePolicy::Locked;
    };
    organization.secret(organization_scope, "PROXY", "needle", locked).await;
    organization.secret(workspace, "PROXY", "needle", plain).await;
    let ghcr = |username: &'static str| {
        move |_: &mut Secret, target: &mut Target| {
            *target = Target::Registry { host: "ghcr.io".parse().unwrap(), username: username.parse().unwrap() };
        }
    };
    organization.secret(organization_scope, "GHCR", "needle", ghcr("acme")).await;
    organization.secret(workspace, "MY_GHCR", "needle", ghcr("bob")).await;
    let aws = |secret: &mut Secret, _: &mut Target| {
        secret.group = Some("aws".parse().unwrap());
    };
    organization.secret(organization_scope, "AWS_SESSION_TOKEN", "needle", aws).await;
    organization.secret(user, "AWS_ACCESS_KEY_ID", "needle", aws).await;
    organization.secret(user, "OFF", "needle", |secret, _| secret.disabled = true).await;
    let past = server.clock.now();
    organization.secret(user, "OLD", "needle", |secret, _| secret.expire_time = Some(past)).await;

    let answer = explain(&server, &bob.token, of("ws1")).await.unwrap();
    assert_eq!(
        lines(&answer),
        [
            "AWS_ACCESS_KEY_ID = users/bob/secrets/AWS_ACCESS_KEY_ID",
            "AWS_SESSION_TOKEN ≠ secrets/AWS_SESSION_TOKEN GROUP_FROM_NARROWER_SCOPE users/bob/secrets/AWS_ACCESS_KEY_ID",
            "GHCR ≠ secrets/GHCR SAME_TARGET workspaces/ws1/secrets/MY_GHCR",
            "LINEAR_API_KEY = users/bob/secrets/LINEAR_API_KEY",
            "LINEAR_API_KEY ≠ secrets/LINEAR_API_KEY LOWER_PRECEDENCE users/bob/secrets/LINEAR_API_KEY",
            "MY_GHCR = workspaces/ws1/secrets/MY_GHCR",
            "OFF ≠ users/bob/secrets/OFF DISABLED",
            "OLD ≠ users/bob/secrets/OLD EXPIRED",
            "PROXY = secrets/PROXY",
            "PROXY ≠ workspaces/ws1/secrets/PROXY LOCKED_ABOVE secrets/PROXY",
        ]
    );
    let row = answer.explanations.iter().find(|row| row.secret_id == "LINEAR_API_KEY").unwrap();
    let winner = row.winner.as_ref().unwrap();
    assert_eq!((winner.description.as_str(), winner.scope(), winner.version), ("bob's own", v1::ScopeKind::User, 1));
    assert_eq!(row.not_chosen[0].secret.as_ref().unwrap().description, "for everybody");
    let aws = answer.explanations[0].winner.as_ref().unwrap();
    assert_eq!((aws.group.as_str(), aws.override_policy()), ("aws", v1::OverridePolicy::Allowed));
    let context = answer.context.clone().unwrap();
    assert_eq!((context.workspace.as_str(), context.user.as_str(), answer.without_user), ("ws1", "bob", false));
    assert!(!format!("{answer:?}").contains("needle"));
    assert_eq!(answer.next_change_time, None);
    assert!(answer.revision.starts_with("10."), "{}", answer.revision);
}

async fn explains_only_what_is_asked_for(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let organization = TestOrganization::new(&server, "acme").await;
    let bob = organization.member("bob").await;
    organization.workspace("ws1", None, bob.uid).await;
    let token = |_: &mut Secret, target: &mut Target| {
        *target = Target::File { path: "~/token".parse().unwrap(), mode: Default::default() };
    };
    organization.secret(organization.scope(), "A", "a", token).await;
    organization.secret(user_scope(bob.uid), "B", "b", token).await;
    let ask = |names: &[&str]| v1::ExplainRequest {
        secret_ids: names.iter().map(ToString::to_string).collect(),
        ..of("ws1")
    };
    let answer = explain(&server, &bob.token, ask(&["A", "C"])).await.unwrap();
    assert_eq!(lines(&answer), ["A ≠ secrets/A SAME_TARGET users/bob/secrets/B"]);
    let refused = refusal(explain(&server, &bob.token, ask(&["a-b"])).await);
    assert_eq!((refused.reason.as_str(), refused.fields), ("INVALID_SECRET_ID", vec!["secret_ids".to_owned()]));
}

async fn explains_invisible_secrets_to_those_who_may_list_them(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let organization = TestOrganization::new(&server, "acme").await;
    let (ann, bob, carol) =
        (organization.member("ann").await, organization.member("bob").await, organization.member("carol").await);
    organization.bind(&ann, Role::Admin, organization.level()).await;
    let api = organization.project("api").await;
    let web = organization.project("web").await;
    let ws2 = organization.workspace("ws2", None, carol.uid).await;
    for everybody in [&ann, &bob, &carol] {
        organization.bind(everybody, Role::Member, organization.project_resource(api)).await;
    }
    for (name, projects, workspaces) in
        [("FOR_WEB", vec![web], vec![]), ("FOR_WS2", vec![], vec![ws2]), ("FOR_API", vec![api], vec![])]
    {
        organization
            .secret(organization.scope(), name, "x", |secret, _| {
                secret.visibility = Visibility::Selected {
                    projects: projects.into_iter().collect(),
                    workspaces: workspaces.into_iter().collect(),
                };
            })
            .await;
    }
    let ask = || {
        let context = v1::Context { organization: "acme".into(), project: "api".into(), ..Default::default() };
        v1::ExplainRequest { context: Some(context), ..Default::default() }
    };
    let invisible = |answer: v1::ExplainResponse| -> Vec<String> {
        let hidden = |row: &&v1::Explanation| row.not_chosen.iter().any(|other| other.reason() == Reason::NotVisible);
        answer.explanations.iter().filter(hidden).map(|row| row.secret_id.clone()).collect()
    };
    let of_session = organization.context(Some(api), None, Some(ann.uid));
    let session = organization.session(&ann, of_session, &SessionRestrictions::default()).await;
    for (token, expected) in [
        (&ann.token, vec!["FOR_WEB", "FOR_WS2"]),
        (&carol.token, vec!["FOR_WS2"]),
        (&bob.token, vec![]),
        (&session, vec![]),
    ] {
        assert_eq!(invisible(explain(&server, token, ask()).await.unwrap()), expected);
    }
}

async fn explains_without_a_user_to_admins(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let organization = TestOrganization::new(&server, "acme").await;
    let (ann, bob) = (organization.member("ann").await, organization.member("bob").await);
    organization.bind(&ann, Role::Admin, organization.level()).await;
    organization.workspace("ws1", None, bob.uid).await;
    organization.secret(organization.scope(), "A", "org", plain).await;
    organization.secret(user_scope(bob.uid), "A", "bob", plain).await;
    organization.secret(user_scope(ann.uid), "A", "ann", plain).await;
    let without = || v1::ExplainRequest { without_user: true, ..of("ws1") };
    let answer = explain(&server, &ann.token, without()).await.unwrap();
    assert!(answer.without_user);
    assert_eq!(answer.context.as_ref().unwrap().user, "");
    assert_eq!(lines(&answer), ["A = secrets/A"]);

    // With a user it is that user's own matter.
    assert_eq!(refusal(explain(&server, &ann.token, of("ws1")).await).code, Code::PermissionDenied);
    assert_eq!(refusal(explain(&server, &bob.token, without()).await).code, Code::PermissionDenied);
    let mut both = without();
    both.context.as_mut().unwrap().user = "bob".into();
    let refused = refusal(explain(&server, &ann.token, both).await);
    assert_eq!((refused.reason.as_str(), refused.fields), ("CONTEXT_INVALID", vec!["context.user".to_owned()]));
    // An admin may know what is not there.
    let missing = v1::ExplainRequest { without_user: true, ..of("nowhere") };
    assert_eq!(refusal(explain(&server, &ann.token, missing).await).reason, "RESOURCE_NOT_FOUND");
}

async fn keeps_from_a_session_what_it_may_not_have(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let organization = TestOrganization::new(&server, "acme").await;
    let bob = organization.member("bob").await;
    let token = |_: &mut Secret, target: &mut Target| {
        *target = Target::File { path: "~/token".parse().unwrap(), mode: Default::default() };
    };
    organization.secret(organization.scope(), "SHARED", "x", token).await;
    organization.secret(user_scope(bob.uid), "PRIVATE", "x", token).await;
    let narrowed =
        SessionRestrictions { scopes: Some([ScopeKind::Organization].into()), ..SessionRestrictions::default() };
    let session = organization.session(&bob, organization.context(None, None, Some(bob.uid)), &narrowed).await;
    let answer = explain(&server, &session, v1::ExplainRequest::default()).await.unwrap();
    assert_eq!(lines(&answer), ["SHARED ≠ secrets/SHARED SAME_TARGET"]);
}

async fn is_for_those_who_may_resolve(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let organization = TestOrganization::new(&server, "acme").await;
    let (bob, carol) = (organization.member("bob").await, organization.member("carol").await);
    let api = organization.project("api").await;
    let ws1 = organization.workspace("ws1", Some(api), bob.uid).await;
    organization.bind(&bob, Role::Member, organization.project_resource(api)).await;
    organization.secret(project_scope(api), "A", "x", plain).await;
    let ci: TestAccount = organization.service_account("ci").await;
    let level = secrets_core::RoleResource::Workspace { organization: organization.organization, workspace: ws1 };
    organization.bind(&ci, Role::Resolver, level).await;
    assert_eq!(lines(&explain(&server, &ci.token, of("ws1")).await.unwrap()), ["A = projects/api/secrets/A"]);
    assert_eq!(lines(&explain(&server, &bob.token, of("ws1")).await.unwrap()), ["A = projects/api/secrets/A"]);
    for token in [&carol.token, &server.operator] {
        assert_eq!(refusal(explain(&server, token, of("ws1")).await).code, Code::PermissionDenied);
    }
}

async fn an_owner_is_told_of_resolvers(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let ann = server.organization("acme").await;
    let bob = server.person(&ann, "acme", "bob").await;
    let carol = server.person(&ann, "acme", "carol").await;
    server.project(&ann, "api").await;
    server.project(&ann, "web").await;
    server
        .bind(&ann, "organizations/acme/projects/api", "organizations/acme/users/bob", v1::Role::Member)
        .await
        .unwrap();
    server
        .bind(&ann, "organizations/acme/projects/api", "organizations/acme/users/carol", v1::Role::Member)
        .await
        .unwrap();
    server.workspace(&bob, "ws1", "api", "").await.unwrap();
    server.workspace(&bob, "ws2", "", "").await.unwrap();
    server
        .bind(&bob, "organizations/acme/workspaces/ws1", "organizations/acme/users/carol", v1::Role::Member)
        .await
        .unwrap();
    let resolvers = |bindings: &[v1::Binding]| {
        let short = |path: &str| path.trim_start_matches("organizations/acme").to_owned();
        let mut on = bindings.iter().map(|each| (short(&each.principal), short(&each.resource))).collect::<Vec<_>>();
        on.sort();
        on
    };
    let told = async |token: &str, workspace: &str| {
        let (me, answer) = (server.whoami(token).await.unwrap(), explain(&server, token, of(workspace)).await.unwrap());
        (resolvers(&me.resolvers), resolvers(&answer.resolvers))
    };
    assert_eq!(told(&bob, "ws1").await, (vec![], vec![]));
    let on = ["", "/projects/api", "/projects/web", "/workspaces/ws1", "/workspaces/ws2"];
    for (id, on) in ["all", "api", "web", "ws1", "ws2"].into_iter().zip(on) {
        server.program(&ann, "organizations/acme", id).await;
        let account = format!("organizations/acme/serviceAccounts/{id}");
        server.bind(&ann, &format!("organizations/acme{on}"), &account, v1::Role::Resolver).await.unwrap();
    }
    let resolver = |id: &str, on: &str| (format!("/serviceAccounts/{id}"), on.to_owned());
    let reach_ws1 = vec![resolver("all", ""), resolver("api", "/projects/api"), resolver("ws1", "/workspaces/ws1")];
    let mut reach_any = reach_ws1.clone();
    reach_any.push(resolver("ws2", "/workspaces/ws2"));
    assert_eq!(told(&bob, "ws1").await, (reach_any.clone(), reach_ws1));
    assert_eq!(told(&bob, "ws2").await, (reach_any, vec![resolver("all", ""), resolver("ws2", "/workspaces/ws2")]));
    // Whoever owns no workspace is told nothing.
    assert_eq!(told(&carol, "ws1").await, (vec![], vec![]));
}
