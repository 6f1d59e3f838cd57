use secrets_proto::v1;
use tonic::Code;

use super::{ACME, BOB, creation, file, mask, selected, text};
use crate::support::acme::Acme;
use crate::support::database::TestDatabase;
use crate::support::on_both::on_both;
use crate::support::refusal::refusal;
use crate::support::server::TestServer;

on_both!(
    an_update_without_a_value_keeps_it,
    a_new_value_or_target_creates_a_version,
    a_mask_says_what_is_set_and_cleared,
    refuses_invalid_masks,
    a_stale_etag_is_refused,
    what_changes_nothing_leaves_etag_and_revision,
    a_missing_secret_is_created_on_request,
    a_target_that_is_taken_or_does_not_fit_the_kept_value_is_refused,
    a_selection_is_widened_and_narrowed,
);

const TOKEN: &str = "organizations/acme/users/bob/secrets/TOKEN";

fn update(secret: v1::Secret, paths: &[&str]) -> v1::UpdateSecretRequest {
    let secret = v1::Secret { name: TOKEN.into(), ..secret };
    let update_mask = if paths.is_empty() { None } else { mask(paths) };
    v1::UpdateSecretRequest { secret: Some(secret), update_mask, ..Default::default() }
}

async fn an_update_without_a_value_keeps_it(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    let created = server.create(&acme.bob, BOB, "TOKEN", "value-1").await;
    let described = v1::Secret { description: "for CI".into(), ..Default::default() };
    for value in [None, text(""), Some(v1::SecretValue { value: None })] {
        let request = v1::UpdateSecretRequest { value, ..update(described.clone(), &[]) };
        let updated = server.try_update(&acme.bob, request).await.unwrap().secret.unwrap();
        assert_eq!((updated.description.as_str(), updated.current_version), ("for CI", 1));
        assert_ne!(updated.etag, created.etag);
        assert_eq!(server.stored_value(&updated).await, b"value-1");
    }
    // Naming the value demands one.
    for value in [None, text("")] {
        let request = v1::UpdateSecretRequest { value, ..update(described.clone(), &["description", "value"]) };
        let refused = refusal(server.try_update(&acme.bob, request).await);
        assert_eq!((refused.code, refused.reason.as_str()), (Code::InvalidArgument, "INVALID_VALUE"));
        assert_eq!(refused.fields, ["value"]);
    }
}

async fn a_new_value_or_target_creates_a_version(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    server.create(&acme.bob, BOB, "TOKEN", "value-1").await;
    assert_eq!(server.rotate(&acme.bob, TOKEN, "value-2").await.current_version, 2);
    let moved = update(v1::Secret { target: file("~/token"), ..Default::default() }, &[]);
    let moved = server.try_update(&acme.bob, moved).await.unwrap().secret.unwrap();
    assert_eq!((moved.current_version, &moved.target), (3, &file("~/token").map(with_mode)));
    // The value was kept, and opens only under the new version and target.
    assert_eq!(server.stored_value(&moved).await, b"value-2");
    let versions = server.versions(&acme.bob, TOKEN).await;
    let numbers: Vec<_> = versions.iter().map(|version| (version.version, version.current)).collect();
    assert_eq!(numbers, [(3, true), (2, false), (1, false)]);
    assert!(matches!(versions[1].target.as_ref().unwrap().kind, Some(v1::target::Kind::EnvironmentVariable(_))));
}

fn with_mode(mut target: v1::Target) -> v1::Target {
    if let Some(v1::target::Kind::File(file)) = &mut target.kind {
        file.mode = 0o600;
    }
    target
}

async fn a_mask_says_what_is_set_and_cleared(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    let secret = v1::Secret {
        description: "old".into(),
        group: "aws".into(),
        labels: [("a".to_owned(), "1".to_owned())].into(),
        disabled: true,
        expire_time: Some(prost_types::Timestamp { seconds: 4_000_000_000, nanos: 0 }),
        ..Default::default()
    };
    server.create_with(&acme.bob, BOB, "TOKEN", secret).await;
    let request = update(
        v1::Secret { description: "ignored: not named".into(), ..Default::default() },
        &["group", "labels", "disabled", "expire_time"],
    );
    let updated = server.try_update(&acme.bob, request).await.unwrap().secret.unwrap();
    assert_eq!(updated.description, "old");
    assert!(updated.group.is_empty() && updated.labels.is_empty() && !updated.disabled);
    assert_eq!(updated.expire_time, None);
    // A value beside a mask that does not name it is set, too.
    let request = v1::UpdateSecretRequest {
        value: text("value-2"),
        ..update(v1::Secret { description: "new".into(), ..Default::default() }, &["description"])
    };
    let updated = server.try_update(&acme.bob, request).await.unwrap().secret.unwrap();
    assert_eq!((updated.description.as_str(), updated.current_version), ("new", 2));
    assert_eq!(server.stored_value(&updated).await, b"value-2");
}

async fn refuses_invalid_masks(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    let before = server.create(&acme.bob, BOB, "TOKEN", "value-1").await;
    for path in ["descriptoin", "secret.description", "etag", "uid", "*", "name", "labels.a"] {
        let request = update(v1::Secret { description: "x".into(), ..Default::default() }, &["description", path]);
        let refused = refusal(server.try_update(&acme.bob, request).await);
        assert_eq!((refused.code, refused.reason.as_str()), (Code::InvalidArgument, "INVALID_UPDATE_MASK"), "{path}");
        assert_eq!(refused.fields, ["update_mask"]);
        assert!(refused.message.contains("`override_policy`, `disabled`"), "{}", refused.message);
    }
    assert_eq!(server.try_get(&acme.bob, TOKEN).await.unwrap(), before);
}

async fn a_stale_etag_is_refused(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    let first = server.create(&acme.bob, BOB, "TOKEN", "value-1").await;
    let second = server.rotate(&acme.bob, TOKEN, "value-2").await;
    let with = |etag: &str| {
        update(v1::Secret { etag: etag.into(), description: "mine".into(), ..Default::default() }, &["description"])
    };
    for etag in [first.etag.as_str(), "x"] {
        let refused = refusal(server.try_update(&acme.bob, with(etag)).await);
        assert_eq!((refused.code, refused.reason.as_str()), (Code::Aborted, "ETAG_MISMATCH"));
        let request = v1::DeleteSecretRequest { name: TOKEN.into(), etag: etag.into(), ..Default::default() };
        assert_eq!(refusal(server.try_delete(&acme.bob, request).await).reason, "ETAG_MISMATCH");
        let request =
            v1::RollbackSecretRequest { name: TOKEN.into(), version: 1, etag: etag.into(), ..Default::default() };
        assert_eq!(refusal(server.secrets(&acme.bob).rollback_secret(request).await).reason, "ETAG_MISMATCH");
        let request =
            v1::DestroySecretVersionRequest { name: TOKEN.into(), version: 1, etag: etag.into(), ..Default::default() };
        assert_eq!(refusal(server.secrets(&acme.bob).destroy_secret_version(request).await).reason, "ETAG_MISMATCH");
    }
    assert_eq!(server.try_get(&acme.bob, TOKEN).await.unwrap(), second);
    server.try_update(&acme.bob, with(&second.etag)).await.unwrap();
}

async fn what_changes_nothing_leaves_etag_and_revision(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    let created = server.try_create(&acme.bob, creation(BOB, "TOKEN", "value-1")).await.unwrap();
    for request in [
        update(v1::Secret::default(), &[]),
        update(v1::Secret::default(), &["description", "labels", "group"]),
        v1::UpdateSecretRequest {
            validate_only: true,
            value: text("value-2"),
            ..update(v1::Secret { description: "new".into(), ..Default::default() }, &[])
        },
    ] {
        let updated = server.try_update(&acme.bob, request).await.unwrap();
        assert_eq!(updated.revision, created.revision);
    }
    assert_eq!(server.try_get(&acme.bob, TOKEN).await.unwrap(), created.secret.clone().unwrap());
    assert_eq!(server.stored_value(&created.secret.unwrap()).await, b"value-1");
}

async fn a_missing_secret_is_created_on_request(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    let request = v1::UpdateSecretRequest { value: text("value-1"), ..update(v1::Secret::default(), &[]) };
    let refused = refusal(server.try_update(&acme.bob, request.clone()).await);
    assert_eq!((refused.code, refused.reason.as_str()), (Code::NotFound, "SECRET_NOT_FOUND"));
    let request = v1::UpdateSecretRequest { allow_missing: true, ..request };
    let without = v1::UpdateSecretRequest { value: None, ..request.clone() };
    assert_eq!(refusal(server.try_update(&acme.bob, without).await).reason, "INVALID_VALUE");
    let created = server.try_update(&acme.bob, request.clone()).await.unwrap().secret.unwrap();
    assert_eq!(created.current_version, 1);
    let again = v1::UpdateSecretRequest { value: text("value-2"), ..request.clone() };
    assert_eq!(server.try_update(&acme.bob, again).await.unwrap().secret.unwrap().current_version, 2);
    // A new name has to be valid.
    let lower = v1::Secret { name: format!("{BOB}/secrets/token"), ..Default::default() };
    let request = v1::UpdateSecretRequest { secret: Some(lower), ..request };
    let refused = refusal(server.try_update(&acme.bob, request).await);
    assert_eq!((refused.reason.as_str(), refused.metadata["suggestion"].as_str()), ("INVALID_SECRET_ID", "TOKEN"));
}

async fn a_target_that_is_taken_or_does_not_fit_the_kept_value_is_refused(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    server.create_with(&acme.bob, BOB, "KEY", v1::Secret { target: file("~/key"), ..Default::default() }).await;
    server.create(&acme.bob, BOB, "TOKEN", "value-1").await;
    let taken = update(v1::Secret { target: file("~/key"), ..Default::default() }, &["target"]);
    assert_eq!(refusal(server.try_update(&acme.bob, taken).await).reason, "TARGET_IN_USE");
    let binary = v1::CreateSecretRequest {
        secret: Some(v1::Secret { target: file("~/binary"), ..Default::default() }),
        value: super::bytes(&[255]),
        ..creation(BOB, "BINARY", "")
    };
    server.try_create(&acme.bob, binary).await.unwrap();
    let variable = v1::Target { kind: Some(v1::target::Kind::EnvironmentVariable(v1::EnvironmentVariableTarget {})) };
    let secret = v1::Secret { name: format!("{BOB}/secrets/BINARY"), target: Some(variable), ..Default::default() };
    let request = v1::UpdateSecretRequest { secret: Some(secret), ..Default::default() };
    let refused = refusal(server.try_update(&acme.bob, request).await);
    assert_eq!((refused.reason.as_str(), refused.fields), ("INVALID_VALUE", vec!["value".to_owned()]));
}

async fn a_selection_is_widened_and_narrowed(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    let secret = v1::Secret { visibility: selected(&[], &["ws1"]), ..Default::default() };
    let created = server.create_with(&acme.ann, ACME, "SENTRY_DSN", secret).await.secret.unwrap();
    let set = async |visibility: Option<v1::Visibility>| {
        let secret = v1::Secret { name: created.name.clone(), visibility, ..Default::default() };
        let request =
            v1::UpdateSecretRequest { secret: Some(secret), update_mask: mask(&["visibility"]), ..Default::default() };
        server.try_update(&acme.ann, request).await
    };
    for visibility in [selected(&["web"], &["ws1", "ws2"]), selected(&[], &[])] {
        let updated = set(visibility.clone()).await.unwrap();
        assert_eq!(updated.secret.unwrap().visibility, visibility);
        assert_eq!(server.try_get(&acme.ann, &created.name).await.unwrap().visibility, visibility);
    }
    // Nobody makes it visible to everybody by leaving something out.
    assert_eq!(refusal(set(None).await).fields, ["secret.visibility"]);
    let all = Some(v1::Visibility { mode: v1::VisibilityMode::All.into(), ..Default::default() });
    assert_eq!(set(all.clone()).await.unwrap().secret.unwrap().visibility, all);
}
