//! What is done before the lock and under it: who may not write does not wait, and an import takes a few statements, however
//! many its entries are.

use std::time::Duration;

use secrets_proto::v1;
use secrets_proto::v1::import_secrets_request::Source;
use secrets_server::store::{Writer, commit, revision};
use tokio::time::sleep;

use super::{API, BOB, creation, file, mask, text};
use crate::support::acme::Acme;
use crate::support::database::TestDatabase;
use crate::support::on_both::on_both;
use crate::support::server::TestServer;

on_both!(
    an_import_takes_a_few_statements_more_for_hundreds_than_for_a_few,
    a_value_is_sealed_before_the_lock,
    what_changed_while_it_waited_is_sealed_anew,
    an_import_whose_scope_changed_while_it_waited_is_planned_anew,
);

/// Enough for calls on loopback to arrive.
const A_WHILE: Duration = Duration::from_millis(300);
const TOKEN: &str = "organizations/acme/users/bob/secrets/TOKEN";

fn import(parent: &str, count: usize, value: &str) -> v1::ImportSecretsRequest {
    let document: String = (0..count).map(|n| format!("N{n}={value}-{n}\n")).collect();
    v1::ImportSecretsRequest {
        parent: parent.into(),
        source: Some(Source::Dotenv(document.into_bytes())),
        conflict_policy: v1::ConflictPolicy::Overwrite.into(),
        ..Default::default()
    }
}

fn update(value: &str) -> v1::UpdateSecretRequest {
    let secret = v1::Secret { name: TOKEN.into(), ..Default::default() };
    v1::UpdateSecretRequest { secret: Some(secret), value: text(value), ..Default::default() }
}

fn moved(path: &str) -> v1::UpdateSecretRequest {
    let secret = v1::Secret { name: TOKEN.into(), target: file(path), ..Default::default() };
    v1::UpdateSecretRequest { secret: Some(secret), update_mask: mask(&["target"]), ..Default::default() }
}

async fn an_import_takes_a_few_statements_more_for_hundreds_than_for_a_few(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let limits = r#"{"versions_per_secret":2}"#;
    let acme = Acme::with(&server, secrets_core::NamePolicy::Strict, limits).await;
    let statements = async |parent: &str, count: usize, value: &str| {
        database.statements.take();
        let done = server.try_import(&acme.cat, import(parent, count, value)).await.unwrap();
        assert_eq!(done.created + done.updated, i32::try_from(count).unwrap());
        database.statements.take().len()
    };
    let own = "organizations/acme/users/cat";
    let (few, many) = (statements(own, 3, "value").await, statements(API, 500, "value").await);
    assert!(many <= few + 24 && many < 60, "{few} for three, {many} for five hundred");
    let (few, many) = (statements(own, 3, "newer").await, statements(API, 500, "newer").await);
    assert!(many <= few + 24 && many < 60, "{few} to overwrite three, {many} for five hundred");
    // The third version drives the first one out.
    statements(API, 500, "newest").await;
    let secrets = server.list(&acme.cat, API).await;
    assert_eq!(secrets.len(), 500);
    for secret in secrets.iter().step_by(83) {
        let number = secret.secret_id.trim_start_matches('N');
        assert_eq!(server.stored_value(secret).await, format!("newest-{number}").into_bytes());
        let versions = server.versions(&acme.cat, &secret.name).await;
        assert_eq!(versions.iter().map(|version| version.version).collect::<Vec<_>>(), [3, 2]);
    }
}

async fn a_value_is_sealed_before_the_lock(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    for attempt in 0..5 {
        database.statements.take();
        match attempt {
            0 => drop(server.create(&acme.bob, BOB, "TOKEN", "value-1").await),
            1 => drop(server.rotate(&acme.bob, TOKEN, "value-2").await),
            2 => drop(server.try_import(&acme.bob, import(BOB, 20, "value")).await.unwrap()),
            3 => {
                let request = v1::RollbackSecretRequest { name: TOKEN.into(), version: 1, ..Default::default() };
                server.secrets(&acme.bob).rollback_secret(request).await.map(drop).unwrap();
            }
            _ => drop(server.try_update(&acme.bob, moved("/run/token")).await.unwrap()),
        }
        let statements = database.statements.take();
        let lock = statements.iter().position(|statement| statement.contains("revisions")).unwrap();
        let keys: Vec<_> = statements.iter().enumerate().filter(|(_, each)| each.contains("data_keys")).collect();
        assert!(keys.iter().any(|(at, _)| *at < lock), "{attempt}: {lock}, {keys:?}");
        let stored = server.try_get(&acme.bob, TOKEN).await.unwrap();
        let value: &[u8] = if matches!(attempt, 1 | 2) { b"value-2" } else { b"value-1" };
        assert_eq!(server.stored_value(&stored).await, value);
    }
}

async fn what_changed_while_it_waited_is_sealed_anew(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    server.create(&acme.bob, BOB, "TOKEN", "value-1").await;
    let blocking = server.app.store().begin_for(Writer::Organization(acme.organization)).await.unwrap();
    revision::lock(&blocking, acme.organization).await.unwrap().unwrap();
    // Both expect to be the second version; and of two who create, one finds that it is there.
    let release = async {
        sleep(A_WHILE).await;
        commit(blocking).await.unwrap();
    };
    let (one, other, first, second, ()) = tokio::join!(
        server.try_update(&acme.bob, update("value-a")),
        server.try_update(&acme.bob, update("value-b")),
        server.try_create(&acme.bob, creation(BOB, "NEW", "value-c")),
        server.try_create(&acme.bob, creation(BOB, "NEW", "value-d")),
        release,
    );
    let versions = [one, other].map(|done| done.unwrap().secret.unwrap().current_version);
    assert!(versions == [2, 3] || versions == [3, 2], "{versions:?}");
    let last = if versions[0] == 3 { "value-a" } else { "value-b" };
    let stored = server.try_get(&acme.bob, TOKEN).await.unwrap();
    assert_eq!(server.stored_value(&stored).await, last.as_bytes());
    assert_eq!(first.is_ok(), second.is_err());
    let created = first.or(second).unwrap().secret.unwrap();
    assert!(server.stored_value(&created).await.starts_with(b"value-"));
}

async fn an_import_whose_scope_changed_while_it_waited_is_planned_anew(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    server.create(&acme.bob, BOB, "N0", "value-1").await;
    let blocking = server.app.store().begin_for(Writer::Organization(acme.organization)).await.unwrap();
    revision::lock(&blocking, acme.organization).await.unwrap().unwrap();
    let release = async {
        sleep(A_WHILE).await;
        commit(blocking).await.unwrap();
    };
    let (one, other, ()) = tokio::join!(
        server.try_import(&acme.bob, import(BOB, 3, "one")),
        server.try_import(&acme.bob, import(BOB, 3, "other")),
        release,
    );
    let mut outcomes = [one, other].map(|done| done.unwrap()).map(|done| (done.created, done.updated));
    outcomes.sort_unstable();
    assert_eq!(outcomes, [(0, 3), (2, 1)]);
    let secrets = server.list(&acme.bob, BOB).await;
    assert_eq!(secrets.iter().map(|secret| secret.current_version).collect::<Vec<_>>(), [3, 2, 2]);
    let mut values = Vec::new();
    for secret in &secrets {
        values.push(String::from_utf8(server.stored_value(secret).await).unwrap());
    }
    assert!(values == ["one-0", "one-1", "one-2"] || values == ["other-0", "other-1", "other-2"], "{values:?}");
}
