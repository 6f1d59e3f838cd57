use std::collections::BTreeMap;

use secrets_proto::v1;

use super::{ACME, API, BOB, WS1, file, names, selected};
use crate::support::acme::Acme;
use crate::support::database::TestDatabase;
use crate::support::on_both::on_both;
use crate::support::server::TestServer;

on_both!(
    a_workspace_lists_what_its_contexts_get_and_from_where,
    what_the_caller_may_not_list_is_neither_inherited_nor_named,
    a_member_sees_of_a_selection_only_what_is_theirs,
    an_organization_inherits_nothing_and_a_person_only_from_it,
);

async fn listed(server: &TestServer, token: &str, parent: &str) -> BTreeMap<String, v1::Secret> {
    let request = v1::ListSecretsRequest { parent: parent.into(), include_inherited: true, ..Default::default() };
    let response = server.try_list(token, request).await.unwrap();
    assert_eq!(response.total_size as usize, response.secrets.len());
    response.secrets.into_iter().map(|secret| (secret.name.clone(), secret)).collect()
}

async fn a_workspace_lists_what_its_contexts_get_and_from_where(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    server.create(&acme.ann, ACME, "SHARED", "value-org").await;
    server.create(&acme.ann, ACME, "TOKEN", "value-org").await;
    let locked = v1::Secret { override_policy: v1::OverridePolicy::Locked.into(), ..Default::default() };
    server.create_with(&acme.ann, ACME, "CA", locked).await;
    let for_web = v1::Secret { visibility: selected(&["web"], &[]), ..Default::default() };
    server.create_with(&acme.ann, ACME, "WEB_ONLY", for_web).await;
    let for_ws1 = v1::Secret { visibility: selected(&[], &["ws1"]), ..Default::default() };
    server.create_with(&acme.ann, ACME, "WS1_ONLY", for_ws1).await;
    server.create(&acme.cat, API, "TOKEN", "value-api").await;
    server.create(&acme.cat, API, "DATABASE_URL", "value-api").await;
    server.create_with(&acme.bob, WS1, "OWN_KEY", v1::Secret { target: file("~/key"), ..Default::default() }).await;
    server.create(&acme.bob, WS1, "CA", "value-ws1").await;
    server.create(&acme.bob, BOB, "TOKEN", "value-bob").await;

    let seen = listed(&server, &acme.bob, WS1).await;
    let summary: Vec<_> = seen
        .values()
        .map(|secret| {
            (secret.name.as_str(), secret.inherited, secret.read_only, secret.shadowed_by.as_str(), secret.scope())
        })
        .collect();
    use v1::ScopeKind::{Organization, Project, Workspace};
    assert_eq!(
        summary,
        [
            ("organizations/acme/projects/api/secrets/DATABASE_URL", true, true, "", Project),
            ("organizations/acme/projects/api/secrets/TOKEN", true, true, "", Project),
            ("organizations/acme/secrets/CA", true, true, "", Organization),
            ("organizations/acme/secrets/SHARED", true, true, "", Organization),
            (
                "organizations/acme/secrets/TOKEN",
                true,
                true,
                "organizations/acme/projects/api/secrets/TOKEN",
                Organization
            ),
            ("organizations/acme/secrets/WS1_ONLY", true, true, "", Organization),
            ("organizations/acme/workspaces/ws1/secrets/CA", false, false, "organizations/acme/secrets/CA", Workspace),
            ("organizations/acme/workspaces/ws1/secrets/OWN_KEY", false, false, "", Workspace),
        ]
    );
    // In the project the workspace's own have no part, nor what reaches the workspace alone.
    let seen = listed(&server, &acme.cat, API).await;
    let names: Vec<_> = seen.keys().map(|name| name.rsplit_once("/secrets/").unwrap()).collect();
    assert_eq!(
        names,
        [
            ("organizations/acme/projects/api", "DATABASE_URL"),
            ("organizations/acme/projects/api", "TOKEN"),
            ("organizations/acme", "CA"),
            ("organizations/acme", "SHARED"),
            ("organizations/acme", "TOKEN"),
        ]
    );
}

async fn what_the_caller_may_not_list_is_neither_inherited_nor_named(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    // dan is a member of ws1 and of the organization, and not of its project.
    server.create(&acme.cat, API, "TOKEN", "value-api").await;
    server.create(&acme.ann, ACME, "TOKEN", "value-org").await;
    server.create(&acme.bob, WS1, "OWN", "value-ws1").await;
    let seen = listed(&server, &acme.dan, WS1).await;
    let names: Vec<_> = seen.keys().map(String::as_str).collect();
    assert_eq!(names, ["organizations/acme/secrets/TOKEN", "organizations/acme/workspaces/ws1/secrets/OWN"]);
    assert_eq!(seen["organizations/acme/secrets/TOKEN"].shadowed_by, "");
    // A member, and no owner: nothing here is theirs to change.
    assert!(seen.values().all(|secret| secret.read_only));
}

async fn a_member_sees_of_a_selection_only_what_is_theirs(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    let both = v1::Secret { visibility: selected(&["web"], &["ws1", "ws2"]), ..Default::default() };
    server.create_with(&acme.ann, ACME, "BOTH", both).await;
    let ws2 = v1::Secret { visibility: selected(&[], &["ws2"]), ..Default::default() };
    let hidden = server.create_with(&acme.ann, ACME, "WS2", ws2).await.secret.unwrap();
    let nobody = v1::Secret { visibility: selected(&[], &[]), ..Default::default() };
    server.create_with(&acme.ann, ACME, "NOBODY", nobody).await;
    server.create(&acme.ann, ACME, "EVERYBODY", "value-1").await;
    for (token, expected) in [
        (&acme.ann, &["BOTH", "EVERYBODY", "NOBODY", "WS2"][..]),
        (&acme.bob, &["BOTH", "EVERYBODY"]),
        (&acme.dan, &["BOTH", "EVERYBODY"]),
        (&acme.cat, &["BOTH", "EVERYBODY", "WS2"]),
    ] {
        assert_eq!(names(&server.list(token, ACME).await), expected);
    }
    let of = async |token: &str| server.list(token, ACME).await[0].visibility.clone();
    assert_eq!(of(&acme.ann).await, selected(&["web"], &["ws1", "ws2"]));
    assert_eq!(of(&acme.bob).await, selected(&[], &["ws1"]));
    assert_eq!(of(&acme.cat).await, selected(&[], &["ws2"]));
    // What is hidden is as absent as what is not there.
    let hidden = server.try_get(&acme.bob, &hidden.name).await.unwrap_err();
    let absent = server.try_get(&acme.bob, "organizations/acme/secrets/ABSENT").await.unwrap_err();
    assert_eq!(hidden.code(), absent.code());
    assert_eq!(hidden.message().replace("WS2", "X"), absent.message().replace("ABSENT", "X"));
    let listed = listed(&server, &acme.bob, WS1).await;
    assert_eq!(listed["organizations/acme/secrets/BOTH"].visibility, selected(&[], &["ws1"]));
    assert_eq!(listed.len(), 2);
}

async fn an_organization_inherits_nothing_and_a_person_only_from_it(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    server.create(&acme.ann, ACME, "TOKEN", "value-org").await;
    server.create(&acme.cat, API, "API_TOKEN", "value-api").await;
    server.create(&acme.bob, BOB, "TOKEN", "value-bob").await;
    assert_eq!(listed(&server, &acme.ann, ACME).await.len(), 1);
    let seen = listed(&server, &acme.bob, BOB).await;
    assert_eq!(seen.len(), 2);
    assert_eq!(seen["organizations/acme/secrets/TOKEN"].shadowed_by, format!("{BOB}/secrets/TOKEN"));
}
