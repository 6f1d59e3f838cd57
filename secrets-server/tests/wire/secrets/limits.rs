use secrets_core::NamePolicy;
use secrets_proto::v1;
use tonic::Code;

use super::{ACME, BOB, WS1, creation, text};
use crate::support::acme::Acme;
use crate::support::database::TestDatabase;
use crate::support::on_both::on_both;
use crate::support::refusal::refusal;
use crate::support::server::TestServer;

on_both!(
    the_1001st_secret_of_a_scope_is_refused,
    the_bytes_of_a_scope_are_limited_over_all_its_secrets,
    an_undelete_counts_towards_the_quota,
    an_organizations_own_limits_hold,
    keeps_the_limits_with_32_writers,
);

async fn the_1001st_secret_of_a_scope_is_refused(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    let document: String = (0..1_000).map(|n| format!("N{n}=value-{n}\n")).collect();
    let request = v1::ImportSecretsRequest {
        parent: BOB.into(),
        source: Some(v1::import_secrets_request::Source::Dotenv(document.into_bytes())),
        ..Default::default()
    };
    server.try_import(&acme.bob, request).await.unwrap();
    let refused = refusal(server.try_create(&acme.bob, creation(BOB, "ONE_MORE", "value-1")).await);
    assert_eq!((refused.code, refused.reason.as_str()), (Code::ResourceExhausted, "LIMIT_EXCEEDED"));
    let details = ["limit", "most", "given"].map(|key| refused.metadata[key].as_str());
    assert_eq!(details, ["secrets_per_scope", "1000", "1001"]);
    // Another scope has its own, and what is there can be changed.
    server.create(&acme.bob, WS1, "ONE_MORE", "value-1").await;
    server.rotate(&acme.bob, &format!("{BOB}/secrets/N1"), "value-2").await;
    server.delete(&acme.bob, &format!("{BOB}/secrets/N1")).await;
    server.create(&acme.bob, BOB, "ONE_MORE", "value-1").await;
}

async fn the_bytes_of_a_scope_are_limited_over_all_its_secrets(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    let largest = "x".repeat(64 * 1024);
    for n in 0..14 {
        server.create(&acme.bob, BOB, &format!("N{n}"), &largest).await;
    }
    let refused = refusal(server.try_create(&acme.bob, creation(BOB, "ONE_MORE", &largest)).await);
    assert_eq!((refused.reason.as_str(), refused.metadata["limit"].as_str()), ("LIMIT_EXCEEDED", "bytes_per_scope"));
    assert!(!refused.message.contains("xx"));
    // Old versions do not count, and a smaller value makes room.
    let name = format!("{BOB}/secrets/N0");
    server.rotate(&acme.bob, &name, &largest).await;
    server.rotate(&acme.bob, &name, "small").await;
    server.create(&acme.bob, BOB, "ONE_MORE", &largest).await;
    let secret = v1::Secret { name, ..Default::default() };
    let request = v1::UpdateSecretRequest { secret: Some(secret), value: text(&largest), ..Default::default() };
    assert_eq!(refusal(server.try_update(&acme.bob, request).await).metadata["limit"], "bytes_per_scope");
}

async fn an_undelete_counts_towards_the_quota(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::with(&server, NamePolicy::Strict, r#"{"secrets_per_scope":1}"#).await;
    let first = server.create(&acme.bob, BOB, "FIRST", "value-1").await;
    server.delete(&acme.bob, &first.name).await;
    let second = server.create(&acme.bob, BOB, "SECOND", "value-1").await;
    assert_eq!(refusal(server.try_undelete(&acme.bob, &first.name, "").await).reason, "LIMIT_EXCEEDED");
    server.delete(&acme.bob, &second.name).await;
    server.try_undelete(&acme.bob, &first.name, "").await.unwrap();
}

async fn an_organizations_own_limits_hold(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::with(&server, NamePolicy::Strict, r#"{"value_bytes":8,"secrets_per_scope":2}"#).await;
    let refused = refusal(server.try_create(&acme.ann, creation(ACME, "A", "123456789")).await);
    assert_eq!(refused.reason, "INVALID_VALUE");
    assert!(refused.message.contains("must be at most 8 bytes"), "{}", refused.message);
    server.create(&acme.ann, ACME, "A", "12345678").await;
    server.create(&acme.ann, ACME, "B", "1").await;
    assert_eq!(refusal(server.try_create(&acme.ann, creation(ACME, "C", "1")).await).metadata["most"], "2");
}

async fn keeps_the_limits_with_32_writers(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::with(&server, NamePolicy::Strict, r#"{"secrets_per_scope":10}"#).await;
    let writers = (0..32).map(|n| {
        let mut client = server.secrets(&acme.bob);
        tokio::spawn(async move { client.create_secret(creation(BOB, &format!("N{n}"), "value-1")).await })
    });
    let mut created = 0;
    for writer in writers.collect::<Vec<_>>() {
        match writer.await.unwrap() {
            Ok(_) => created += 1,
            Err(status) => assert_eq!(refusal(Err::<(), _>(status)).reason, "LIMIT_EXCEEDED"),
        }
    }
    assert_eq!((created, server.list(&acme.bob, BOB).await.len()), (10, 10));
}
