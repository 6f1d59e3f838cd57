//! Where a caller receives what an import compares, however much there is that they don't receive.

use std::collections::BTreeSet;

use secrets_core::{NamePolicy, Scope, ScopeKind, SecretId, Uid, Visibility};
use secrets_proto::v1;
use secrets_proto::v1::ImportOutcome::{Unchanged, Updated};
use secrets_proto::v1::import_secrets_request::Source;
use secrets_server::store::{commit, secret};

use super::{ACME, API, WS1, creation, selected};
use crate::support::acme::Acme;
use crate::support::database::TestDatabase;
use crate::support::on_both::on_both;
use crate::support::server::TestServer;

on_both!(
    an_import_compares_what_a_person_receives_by_their_memberships,
    an_import_compares_what_a_program_receives_where_it_resolves,
    an_import_over_more_selected_workspaces_than_a_statement_has_parameters,
    what_would_take_too_long_to_compare_is_another_value,
    what_takes_a_secrets_place_is_read_without_its_value,
);

const WS2: &str = "organizations/acme/workspaces/ws2";
const CI: &str = "organizations/acme/serviceAccounts/ci";
/// Selected secrets of the organization, in the order of the document.
const NAMES: [&str; 4] = ["OF_API", "OF_WEB", "OF_WS1", "OF_WS2"];

async fn import(server: &TestServer, token: &str, parent: &str, document: &str) -> Vec<v1::ImportOutcome> {
    let request = v1::ImportSecretsRequest {
        parent: parent.into(),
        source: Some(Source::Dotenv(document.as_bytes().to_vec())),
        conflict_policy: v1::ConflictPolicy::Overwrite.into(),
        validate_only: true,
        ..Default::default()
    };
    let done = server.try_import(token, request).await.unwrap();
    done.entries.iter().map(v1::ImportedEntry::outcome).collect()
}

/// Which of the selected secrets an import of the values that they have tells unchanged.
async fn compared(server: &TestServer, token: &str) -> Vec<&'static str> {
    let mut document = String::new();
    for name in NAMES {
        let stored = server.try_get(token, &format!("{ACME}/secrets/{name}")).await.unwrap();
        let value = String::from_utf8(server.stored_value(&stored).await).unwrap();
        document.push_str(&format!("{name}={value}\n"));
    }
    let outcomes = import(server, token, ACME, &document).await;
    NAMES.into_iter().zip(outcomes).filter(|(_, outcome)| *outcome == Unchanged).map(|(name, _)| name).collect()
}

async fn make_selected(server: &TestServer, acme: &Acme) {
    for (name, projects, workspaces) in [
        (NAMES[0], vec!["api"], vec![]),
        (NAMES[1], vec!["web"], vec![]),
        (NAMES[2], vec![], vec!["ws1"]),
        (NAMES[3], vec![], vec!["ws2"]),
    ] {
        let secret = v1::Secret { visibility: selected(&projects, &workspaces), ..Default::default() };
        server.create_with(&acme.ann, ACME, name, secret).await;
    }
}

async fn an_import_compares_what_a_person_receives_by_their_memberships(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    make_selected(&server, &acme).await;
    // The owner of ws1 and member of its project; the owner of the free ws2; a member of ws1 alone.
    for (token, user, expected) in [
        (&acme.ann, "ann", vec![]),
        (&acme.bob, "bob", vec!["OF_API", "OF_WS1"]),
        (&acme.cat, "cat", vec!["OF_API", "OF_WS2"]),
        (&acme.dan, "dan", vec![]),
    ] {
        let user = format!("{ACME}/users/{user}");
        server.bind(&acme.ann, ACME, &user, v1::Role::Admin).await.ok();
        assert_eq!(compared(&server, token).await, expected, "{user}");
    }
    let dan = format!("{ACME}/users/dan");
    server.bind(&acme.cat, WS2, &dan, v1::Role::Member).await.unwrap();
    assert_eq!(compared(&server, &acme.dan).await, ["OF_WS2"]);
    server.bind(&acme.cat, API, &dan, v1::Role::Member).await.unwrap();
    assert_eq!(compared(&server, &acme.dan).await, ["OF_API", "OF_WS1", "OF_WS2"]);
}

async fn an_import_compares_what_a_program_receives_where_it_resolves(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    make_selected(&server, &acme).await;
    let bot = server.program(&acme.ann, ACME, "ci").await;
    server.bind(&acme.ann, ACME, CI, v1::Role::Admin).await.unwrap();
    server.bind(&acme.cat, API, CI, v1::Role::Member).await.unwrap();
    assert_eq!(compared(&server, &bot).await, Vec::<&str>::new());
    server.bind(&acme.ann, WS2, CI, v1::Role::Resolver).await.unwrap();
    assert_eq!(compared(&server, &bot).await, ["OF_WS2"]);
    // In a project also in its workspaces.
    server.bind(&acme.ann, API, CI, v1::Role::Resolver).await.unwrap();
    assert_eq!(compared(&server, &bot).await, ["OF_API", "OF_WS1", "OF_WS2"]);
    server.bind(&acme.ann, ACME, CI, v1::Role::Resolver).await.unwrap();
    assert_eq!(compared(&server, &bot).await, NAMES);
}

/// Makes so many secrets of the organization; returns the document with their values.
async fn make_many(server: &TestServer, acme: &Acme, count: usize) -> String {
    let document: String = (0..count).map(|n| format!("N{n:03}=value-{n}\n")).collect();
    let request = v1::ImportSecretsRequest {
        parent: ACME.into(),
        source: Some(Source::Dotenv(document.as_bytes().to_vec())),
        ..Default::default()
    };
    server.try_import(&acme.ann, request).await.unwrap();
    document
}

/// Gives each of them a visibility, with what it selects or without.
async fn select(server: &TestServer, acme: &Acme, count: usize, visibility: impl Fn(usize) -> Visibility) {
    let scope = Scope::new(ScopeKind::Organization, acme.organization);
    let tx = server.app.store().begin().await.unwrap();
    for n in 0..count {
        let name = SecretId::parse(&format!("N{n:03}"), NamePolicy::Strict).unwrap();
        let mut stored = secret::current(&tx, acme.organization, scope, &name).await.unwrap().unwrap().secret;
        stored.visibility = visibility(n);
        assert!(secret::update(&tx, &stored).await.unwrap());
    }
    commit(tx).await.unwrap();
}

/// A program that administers the organization and resolves everywhere.
async fn resolver(server: &TestServer, acme: &Acme) -> String {
    let token = server.program(&acme.ann, ACME, "ci").await;
    for role in [v1::Role::Admin, v1::Role::Resolver] {
        server.bind(&acme.ann, ACME, CI, role).await.unwrap();
    }
    token
}

async fn an_import_over_more_selected_workspaces_than_a_statement_has_parameters(database: &TestDatabase) {
    const SECRETS: usize = 70;
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    let document = make_many(&server, &acme, SECRETS).await;
    let ws2 = v1::GetWorkspaceRequest { name: WS2.into() };
    let ws2: Uid = server
        .directory(&acme.cat)
        .get_workspace(ws2)
        .await
        .unwrap()
        .into_inner()
        .workspace
        .unwrap()
        .uid
        .parse()
        .unwrap();
    // Each selects a thousand of its own, and the first one also one that is there.
    select(&server, &acme, SECRETS, |n| {
        let own = (0..1000).map(|workspace| Uid::from_u128(1_000_000 + n as u128 * 1000 + workspace));
        let workspaces = own.chain((n == 0).then_some(ws2)).collect();
        Visibility::Selected { projects: BTreeSet::new(), workspaces }
    })
    .await;
    server.bind(&acme.ann, ACME, &format!("{ACME}/users/cat"), v1::Role::Admin).await.unwrap();
    let bot = resolver(&server, &acme).await;
    let mut first = [Updated; SECRETS];
    assert_eq!(import(&server, &acme.ann, ACME, &document).await, first);
    // What is selected beyond what there may be is another value to a program that resolves everywhere.
    let by_program = import(&server, &bot, ACME, &document).await;
    assert_eq!(by_program[1..], first[1..]);
    first[0] = Unchanged;
    database.statements.take();
    assert_eq!(import(&server, &acme.cat, ACME, &document).await, first);
    let count = database.statements.take().len();
    assert!(count < 60, "{count}");
}

async fn what_would_take_too_long_to_compare_is_another_value(database: &TestDatabase) {
    const SECRETS: usize = 900;
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    let document = make_many(&server, &acme, SECRETS).await;
    let bot = resolver(&server, &acme).await;
    // Each is in the contexts of eight projects of its own, to be found among those of all.
    select(&server, &acme, SECRETS, |n| {
        let projects = (0..8).map(|project| Uid::from_u128(1_000_000 + n as u128 * 8 + project)).collect();
        Visibility::Selected { projects, workspaces: BTreeSet::new() }
    })
    .await;
    let outcomes = import(&server, &bot, ACME, &document).await;
    let unchanged = outcomes.iter().filter(|outcome| **outcome == Unchanged).count();
    assert!(unchanged > SECRETS / 4 && unchanged < SECRETS, "{unchanged}");
    assert!(outcomes.iter().all(|outcome| matches!(outcome, Unchanged | Updated)));
    // Always the same ones, so that what was said before the lock holds under it.
    assert_eq!(import(&server, &bot, ACME, &document).await, outcomes);
    // A few of them are.
    let few: String = document.lines().take(50).map(|line| format!("{line}\n")).collect();
    assert_eq!(import(&server, &bot, ACME, &few).await, [Unchanged; 50]);
}

async fn what_takes_a_secrets_place_is_read_without_its_value(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    for (token, parent) in [(&acme.cat, API), (&acme.bob, WS1)] {
        server.try_create(token, creation(parent, "KEY", "value-1")).await.unwrap();
    }
    database.statements.take();
    assert_eq!(import(&server, &acme.cat, API, "KEY=value-1\n").await, [Unchanged]);
    let statements = database.statements.take();
    let claiming: Vec<_> = statements.iter().filter(|each| each.contains(r#""place_key" IN"#)).collect();
    assert!(!claiming.is_empty());
    assert!(claiming.iter().all(|each| !each.contains(r#"."blob""#)), "{claiming:?}");
    // A locked one of the organization is in the way all the same.
    let lock = v1::Secret { override_policy: v1::OverridePolicy::Locked.into(), ..Default::default() };
    server.create_with(&acme.ann, ACME, "KEY", lock).await;
    assert_eq!(import(&server, &acme.cat, API, "KEY=value-1\n").await, [Updated]);
}
