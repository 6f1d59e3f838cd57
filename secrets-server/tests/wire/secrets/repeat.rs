use std::time::Duration;

use secrets_proto::v1;
use tonic::Code;

use super::{BOB, creation, text};
use crate::support::acme::Acme;
use crate::support::database::TestDatabase;
use crate::support::on_both::on_both;
use crate::support::refusal::refusal;
use crate::support::server::TestServer;

on_both!(
    a_repeat_returns_the_first_result_and_changes_nothing,
    a_request_id_is_not_used_for_another_payload,
    a_request_id_belongs_to_its_caller_and_method_for_a_day,
    a_refused_request_is_tried_again_with_the_same_id,
    a_repeat_that_is_no_longer_allowed_is_refused,
);

const ID: &str = "7c2a51d2-0a5c-4d9d-9f3b-1d1f6b7c2e11";
const TOKEN: &str = "organizations/acme/users/bob/secrets/TOKEN";

fn create() -> v1::CreateSecretRequest {
    v1::CreateSecretRequest { request_id: ID.into(), ..creation(BOB, "TOKEN", "value-1") }
}

async fn a_repeat_returns_the_first_result_and_changes_nothing(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    let first = server.try_create(&acme.bob, create()).await.unwrap();
    server.rotate(&acme.bob, TOKEN, "value-2").await;
    assert_eq!(server.try_create(&acme.bob, create()).await.unwrap(), first);
    let delete = v1::DeleteSecretRequest { name: TOKEN.into(), request_id: ID.into(), ..Default::default() };
    let deleted = server.try_delete(&acme.bob, delete.clone()).await.unwrap();
    assert_eq!(server.try_delete(&acme.bob, delete).await.unwrap(), deleted);
    assert!(server.list(&acme.bob, BOB).await.is_empty());
}

async fn a_request_id_is_not_used_for_another_payload(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    server.try_create(&acme.bob, create()).await.unwrap();
    for other in [
        v1::CreateSecretRequest { value: text("value-2"), ..create() },
        v1::CreateSecretRequest { secret_id: "OTHER".into(), ..create() },
    ] {
        let refused = refusal(server.try_create(&acme.bob, other).await);
        assert_eq!((refused.code, refused.reason.as_str()), (Code::InvalidArgument, "REQUEST_ID_REUSED"));
        assert_eq!(refused.fields, ["request_id"]);
    }
    let refused =
        refusal(server.try_create(&acme.bob, v1::CreateSecretRequest { request_id: "1".into(), ..create() }).await);
    assert_eq!((refused.code, refused.reason.as_str()), (Code::InvalidArgument, "INVALID_REQUEST_ID"));
    assert_eq!(server.list(&acme.bob, BOB).await.len(), 1);
}

async fn a_request_id_belongs_to_its_caller_and_method_for_a_day(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    let ann = v1::CreateSecretRequest { parent: "organizations/acme/users/ann".into(), ..create() };
    server.try_create(&acme.bob, create()).await.unwrap();
    server.try_create(&acme.ann, ann).await.unwrap();
    server.wait(Duration::from_secs(24 * 60 * 60));
    assert_eq!(refusal(server.try_create(&acme.bob, create()).await).reason, "ALREADY_EXISTS");
}

async fn a_refused_request_is_tried_again_with_the_same_id(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    let taken = server.create(&acme.bob, BOB, "TOKEN", "value-0").await;
    assert_eq!(refusal(server.try_create(&acme.bob, create()).await).reason, "ALREADY_EXISTS");
    server.delete(&acme.bob, &taken.name).await;
    let created = server.try_create(&acme.bob, create()).await.unwrap().secret.unwrap();
    assert_eq!(server.stored_value(&created).await, b"value-1");
}

async fn a_repeat_that_is_no_longer_allowed_is_refused(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    let request = v1::CreateSecretRequest { parent: super::WS1.into(), ..create() };
    server.try_create(&acme.bob, request.clone()).await.unwrap();
    let db = server.app.store();
    let workspace = "ws1".parse().unwrap();
    let row =
        secrets_server::store::workspace::by_id(db.reader(), acme.organization, &workspace).await.unwrap().unwrap();
    let tx = db.begin().await.unwrap();
    let owner = Some(acme.users["dan"]);
    assert!(secrets_server::store::workspace::transfer(&tx, acme.organization, row.uid, owner).await.unwrap());
    secrets_server::store::commit(tx).await.unwrap();
    assert_eq!(refusal(server.try_create(&acme.bob, request).await).reason, "PERMISSION_DENIED");
}
