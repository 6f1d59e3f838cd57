//! What goes by itself when its time has come.

use std::time::Duration;

use secrets_proto::v1;
use secrets_server::store::audit::{self, AuditFilter};
use secrets_server::store::secret;

use crate::support::acme::Acme;
use crate::support::database::TestDatabase;
use crate::support::on_both::on_both;
use crate::support::refusal::refusal;
use crate::support::server::TestServer;
use crate::wire::secrets::{ACME, BOB, creation};

on_both!(
    deleted_users_are_purged_with_their_secrets_after_the_window,
    a_first_result_is_purged_after_a_day,
    many_are_purged_in_batches,
);

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

async fn deleted_users_are_purged_with_their_secrets_after_the_window(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    let own = server.create(&acme.bob, BOB, "TOKEN", "value-1").await;
    let shared = server.create(&acme.ann, ACME, "TOKEN", "value-2").await;
    let request = v1::DeleteUserRequest { name: BOB.into(), ..Default::default() };
    server.directory(&acme.ann).delete_user(request).await.unwrap();
    let db = server.app.store().reader();
    // The secret of a deleted user is there, but nobody who asks for it by its uid gets it any more.
    let stored = async |found: &v1::Secret| {
        let named = secret::named(db, acme.organization, [found.uid.parse().unwrap()]).await.unwrap();
        !named.is_empty()
    };
    server.wait(6 * DAY);
    assert_eq!(server.app.jobs.purge().await.unwrap(), 0);
    assert!(stored(&own).await);
    server.wait(DAY);
    // The secret, and the person.
    assert_eq!(server.app.jobs.purge().await.unwrap(), 2);
    assert!(!stored(&own).await && stored(&shared).await);
    // What they did stays known.
    let filter = AuditFilter { secrets: Some(vec![own.uid.parse().unwrap()]), ..AuditFilter::default() };
    assert_eq!(audit::list(db, Some(acme.organization), &filter, None, 10).await.unwrap().len(), 1);
}

async fn a_first_result_is_purged_after_a_day(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    let request_id = "7c2a51d2-0a5c-4d9d-9f3b-1d1f6b7c2e11".to_owned();
    let request = v1::CreateSecretRequest { request_id, ..creation(BOB, "TOKEN", "value-1") };
    server.try_create(&acme.bob, request.clone()).await.unwrap();
    assert_eq!(server.app.jobs.purge().await.unwrap(), 0);
    server.try_create(&acme.bob, request.clone()).await.unwrap();
    server.wait(DAY);
    assert_eq!(server.app.jobs.purge().await.unwrap(), 1);
    assert_eq!(refusal(server.try_create(&acme.bob, request).await).reason, "ALREADY_EXISTS");
}

async fn many_are_purged_in_batches(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    let document: String = (0..250).map(|n| format!("N{n}=value-{n}\n")).collect();
    let request = v1::ImportSecretsRequest {
        parent: BOB.into(),
        source: Some(v1::import_secrets_request::Source::Dotenv(document.into_bytes())),
        ..Default::default()
    };
    server.try_import(&acme.bob, request).await.unwrap();
    for n in 0..250 {
        server.delete(&acme.bob, &format!("{BOB}/secrets/N{n}")).await;
    }
    server.create(&acme.bob, BOB, "KEPT", "value-1").await;
    server.wait(7 * DAY);
    assert_eq!(server.app.jobs.purge().await.unwrap(), 250);
    assert_eq!(server.list(&acme.bob, BOB).await.len(), 1);
}
