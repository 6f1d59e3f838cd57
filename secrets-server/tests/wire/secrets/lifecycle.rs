use std::time::Duration;

use secrets_proto::v1;
use tonic::Code;

use super::{BOB, file, names};
use crate::support::acme::Acme;
use crate::support::database::TestDatabase;
use crate::support::on_both::on_both;
use crate::support::refusal::refusal;
use crate::support::server::TestServer;

on_both!(
    a_deleted_secret_is_restored_within_its_window,
    a_deleted_secrets_name_is_free_at_once_and_an_undelete_that_collides_is_refused,
    a_deleted_secret_is_not_restored_to_a_destination_that_was_taken,
    undeletes_the_last_of_several_or_the_named_one,
    after_the_window_nothing_is_restored_and_the_purge_removes_it,
    a_purged_secret_is_gone_for_good,
    what_is_not_there_is_deleted_only_on_request,
);

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const TOKEN: &str = "organizations/acme/users/bob/secrets/TOKEN";

fn deletion(name: &str) -> v1::DeleteSecretRequest {
    v1::DeleteSecretRequest { name: name.into(), ..Default::default() }
}

async fn a_deleted_secret_is_restored_within_its_window(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    let created = server.create(&acme.bob, BOB, "TOKEN", "value-1").await;
    let checked = v1::DeleteSecretRequest { validate_only: true, ..deletion(TOKEN) };
    server.try_delete(&acme.bob, checked).await.unwrap();
    assert_eq!(server.try_get(&acme.bob, TOKEN).await.unwrap(), created);

    let deleted = server.delete(&acme.bob, TOKEN).await;
    let window = deleted.purge_time.unwrap().seconds - deleted.delete_time.unwrap().seconds;
    assert_eq!((deleted.uid.as_str(), window), (created.uid.as_str(), 7 * 24 * 60 * 60));
    assert_eq!(refusal(server.try_get(&acme.bob, TOKEN).await).reason, "SECRET_NOT_FOUND");
    assert!(server.list(&acme.bob, BOB).await.is_empty());
    let request = v1::ListSecretsRequest { parent: BOB.into(), show_deleted: true, ..Default::default() };
    let listed = server.try_list(&acme.bob, request).await.unwrap();
    assert_eq!((listed.total_size, listed.secrets[0].delete_time), (1, deleted.delete_time));

    server.wait(6 * DAY);
    let back = server.try_undelete(&acme.bob, TOKEN, "").await.unwrap().secret.unwrap();
    assert_eq!((back.uid.as_str(), back.delete_time, back.purge_time), (created.uid.as_str(), None, None));
    assert_eq!(server.stored_value(&back).await, b"value-1");
    assert_eq!(server.try_get(&acme.bob, TOKEN).await.unwrap(), back);
    assert_eq!(refusal(server.try_undelete(&acme.bob, TOKEN, "").await).reason, "SECRET_NOT_FOUND");
}

async fn a_deleted_secrets_name_is_free_at_once_and_an_undelete_that_collides_is_refused(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    let first = server.create(&acme.bob, BOB, "TOKEN", "value-1").await;
    server.delete(&acme.bob, TOKEN).await;
    let second = server.create(&acme.bob, BOB, "TOKEN", "value-2").await;
    assert_ne!(first.uid, second.uid);
    let refused = refusal(server.try_undelete(&acme.bob, TOKEN, &first.uid).await);
    assert_eq!((refused.code, refused.reason.as_str()), (Code::AlreadyExists, "ALREADY_EXISTS"));
    assert_eq!(server.try_get(&acme.bob, TOKEN).await.unwrap(), second);
}

async fn a_deleted_secret_is_not_restored_to_a_destination_that_was_taken(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    let at_key = v1::Secret { target: file("~/key"), ..Default::default() };
    server.create_with(&acme.bob, BOB, "KEY", at_key.clone()).await;
    let name = format!("{BOB}/secrets/KEY");
    server.delete(&acme.bob, &name).await;
    server.create_with(&acme.bob, BOB, "OTHER_KEY", at_key).await;
    let refused = refusal(server.try_undelete(&acme.bob, &name, "").await);
    assert_eq!((refused.code, refused.reason.as_str()), (Code::AlreadyExists, "TARGET_IN_USE"));
}

async fn undeletes_the_last_of_several_or_the_named_one(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    let mut created = Vec::new();
    for n in 0..3 {
        created.push(server.create(&acme.bob, BOB, "TOKEN", &format!("value-{n}")).await);
        server.delete(&acme.bob, TOKEN).await;
        server.wait(Duration::from_secs(1));
    }
    assert_eq!(server.try_undelete(&acme.bob, TOKEN, "").await.unwrap().secret.unwrap().uid, created[2].uid);
    server.delete(&acme.bob, TOKEN).await;
    let back = server.try_undelete(&acme.bob, TOKEN, &created[0].uid).await.unwrap().secret.unwrap();
    assert_eq!(server.stored_value(&back).await, b"value-0");
    server.delete(&acme.bob, TOKEN).await;
    // A uid of another name, of nothing, and no uid at all.
    let other = server.create(&acme.bob, BOB, "OTHER", "value-9").await;
    server.delete(&acme.bob, &other.name).await;
    for uid in [other.uid.as_str(), "00000000-0000-4000-8000-000000000000"] {
        assert_eq!(refusal(server.try_undelete(&acme.bob, TOKEN, uid).await).reason, "SECRET_NOT_FOUND");
    }
    assert_eq!(refusal(server.try_undelete(&acme.bob, TOKEN, "x").await).fields, ["uid"]);
}

async fn after_the_window_nothing_is_restored_and_the_purge_removes_it(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    let gone = server.create(&acme.bob, BOB, "TOKEN", "value-1").await;
    server.delete(&acme.bob, TOKEN).await;
    server.wait(6 * DAY);
    let kept = server.create(&acme.bob, BOB, "LATER", "value-2").await;
    server.delete(&acme.bob, &kept.name).await;
    server.wait(DAY);
    // Past its window it is as absent before the sweep as after it.
    assert_eq!(refusal(server.try_undelete(&acme.bob, TOKEN, "").await).reason, "SECRET_NOT_FOUND");
    let request = v1::ListSecretsRequest { parent: BOB.into(), show_deleted: true, ..Default::default() };
    assert_eq!(names(&server.try_list(&acme.bob, request.clone()).await.unwrap().secrets), ["LATER"]);
    assert!(server.app.jobs.purge().await.unwrap() >= 1);
    let stored = async |secret: &v1::Secret| {
        let uid = secret.uid.parse().unwrap();
        secrets_server::store::secret::by_uid(server.app.store().reader(), acme.organization, uid).await.unwrap()
    };
    assert!(stored(&gone).await.is_none());
    assert!(stored(&kept).await.is_some());
    server.try_undelete(&acme.bob, &kept.name, "").await.unwrap();
    assert_eq!(server.app.jobs.purge().await.unwrap(), 0);
}

async fn a_purged_secret_is_gone_for_good(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    let purge = v1::DeleteSecretRequest { purge: true, ..deletion(TOKEN) };
    server.create(&acme.bob, BOB, "TOKEN", "value-1").await;
    assert_eq!(server.try_delete(&acme.bob, purge.clone()).await.unwrap().secret, None);
    assert_eq!(refusal(server.try_undelete(&acme.bob, TOKEN, "").await).reason, "SECRET_NOT_FOUND");
    // And so is one that was deleted before.
    server.create(&acme.bob, BOB, "TOKEN", "value-2").await;
    server.delete(&acme.bob, TOKEN).await;
    server.try_delete(&acme.bob, purge.clone()).await.unwrap();
    assert_eq!(refusal(server.try_undelete(&acme.bob, TOKEN, "").await).reason, "SECRET_NOT_FOUND");
    assert_eq!(refusal(server.try_delete(&acme.bob, purge).await).reason, "SECRET_NOT_FOUND");
}

async fn what_is_not_there_is_deleted_only_on_request(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    let refused = refusal(server.try_delete(&acme.bob, deletion(TOKEN)).await);
    assert_eq!((refused.code, refused.reason.as_str()), (Code::NotFound, "SECRET_NOT_FOUND"));
    let request = v1::DeleteSecretRequest { allow_missing: true, ..deletion(TOKEN) };
    assert_eq!(server.try_delete(&acme.bob, request).await.unwrap().secret, None);
}
