use secrets_core::{MASK, NamePolicy};
use secrets_proto::v1;
use tonic::{Code, Response, Status};

use super::{BOB, file};
use crate::support::acme::Acme;
use crate::support::database::TestDatabase;
use crate::support::on_both::on_both;
use crate::support::refusal::refusal;
use crate::support::server::TestServer;

on_both!(
    a_rollback_creates_a_new_version_of_an_old_value_and_target,
    a_rollback_to_what_is_not_there_or_does_not_fit_is_refused,
    a_destroyed_version_stays_listed_and_is_never_restored,
    versions_are_listed_newest_first_in_pages,
    beyond_the_limit_the_oldest_versions_go,
);

const TOKEN: &str = "organizations/acme/users/bob/secrets/TOKEN";

impl TestServer {
    async fn roll_back(&self, token: &str, version: u32) -> Result<v1::RollbackSecretResponse, Status> {
        let request = v1::RollbackSecretRequest { name: TOKEN.into(), version, ..Default::default() };
        self.secrets(token).rollback_secret(request).await.map(Response::into_inner)
    }

    async fn destroy(&self, token: &str, version: u32) -> Result<v1::DestroySecretVersionResponse, Status> {
        let request = v1::DestroySecretVersionRequest { name: TOKEN.into(), version, ..Default::default() };
        self.secrets(token).destroy_secret_version(request).await.map(Response::into_inner)
    }

    async fn page(
        &self,
        token: &str,
        parent: &str,
        page_size: i32,
        page_token: &str,
    ) -> Result<v1::ListSecretVersionsResponse, Status> {
        let request = v1::ListSecretVersionsRequest { parent: parent.into(), page_size, page_token: page_token.into() };
        self.secrets(token).list_secret_versions(request).await.map(Response::into_inner)
    }
}

async fn a_rollback_creates_a_new_version_of_an_old_value_and_target(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    let secret = v1::Secret { target: file("~/token"), ..Default::default() };
    server.create_with(&acme.bob, BOB, "TOKEN", secret).await;
    let moved = v1::Secret {
        name: TOKEN.into(),
        target: Some(v1::Target { kind: Some(v1::target::Kind::ApiOnly(v1::ApiOnlyTarget {})) }),
        ..Default::default()
    };
    let request = v1::UpdateSecretRequest { secret: Some(moved), value: super::text("value-2"), ..Default::default() };
    let second = server.try_update(&acme.bob, request).await.unwrap().secret.unwrap();

    let checked =
        v1::RollbackSecretRequest { name: TOKEN.into(), version: 1, validate_only: true, ..Default::default() };
    server.secrets(&acme.bob).rollback_secret(checked).await.unwrap();
    assert_eq!(server.try_get(&acme.bob, TOKEN).await.unwrap(), second);

    let back = server.roll_back(&acme.bob, 1).await.unwrap().secret.unwrap();
    assert_eq!(back.current_version, 3);
    assert!(matches!(back.target.as_ref().unwrap().kind, Some(v1::target::Kind::File(_))));
    assert_eq!(server.stored_value(&back).await, b"s3cret-value");
    let versions = server.versions(&acme.bob, TOKEN).await;
    let sources: Vec<_> = versions.iter().map(|version| (version.version, version.source_version)).collect();
    assert_eq!(sources, [(3, 1), (2, 0), (1, 0)]);
}

async fn a_rollback_to_what_is_not_there_or_does_not_fit_is_refused(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    server.create_with(&acme.bob, BOB, "TOKEN", v1::Secret { target: file("~/token"), ..Default::default() }).await;
    let refused = refusal(server.roll_back(&acme.bob, 9).await);
    assert_eq!((refused.code, refused.reason.as_str()), (Code::NotFound, "VERSION_NOT_FOUND"));
    assert_eq!(refusal(server.roll_back(&acme.bob, 0).await).fields, ["version"]);
    // Its place has another secret by now.
    let moved = v1::Secret { name: TOKEN.into(), target: file("~/elsewhere"), ..Default::default() };
    let request = v1::UpdateSecretRequest { secret: Some(moved), ..Default::default() };
    server.try_update(&acme.bob, request).await.unwrap();
    server.create_with(&acme.bob, BOB, "OTHER", v1::Secret { target: file("~/token"), ..Default::default() }).await;
    assert_eq!(refusal(server.roll_back(&acme.bob, 1).await).reason, "TARGET_IN_USE");
}

async fn a_destroyed_version_stays_listed_and_is_never_restored(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    server.create(&acme.bob, BOB, "TOKEN", "value-1").await;
    let refused = refusal(server.destroy(&acme.bob, 1).await);
    assert_eq!((refused.code, refused.reason.as_str()), (Code::FailedPrecondition, "VERSION_IS_CURRENT"));
    let before = server.rotate(&acme.bob, TOKEN, "value-2").await;
    let destroyed = server.destroy(&acme.bob, 1).await.unwrap().version.unwrap();
    assert!(destroyed.destroy_time.is_some() && !destroyed.current);
    let after = server.try_get(&acme.bob, TOKEN).await.unwrap();
    assert_ne!(after.etag, before.etag);
    assert_eq!(server.stored_value(&after).await, b"value-2");
    assert_eq!(server.versions(&acme.bob, TOKEN).await[1], destroyed);
    for _ in 0..2 {
        assert_eq!(refusal(server.roll_back(&acme.bob, 1).await).reason, "VERSION_NOT_FOUND");
        assert_eq!(refusal(server.destroy(&acme.bob, 1).await).reason, "VERSION_NOT_FOUND");
    }
    let secret = after.uid.parse().unwrap();
    let db = server.app.store().reader();
    let stored = secrets_server::store::version::by_number(db, acme.organization, secret, 1).await.unwrap().unwrap();
    assert!(stored.blob.is_empty());
}

async fn versions_are_listed_newest_first_in_pages(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    server.create(&acme.bob, BOB, "TOKEN", "value-1").await;
    for n in 2..=5 {
        server.rotate(&acme.bob, TOKEN, &format!("value-{n}")).await;
    }
    let (mut token, mut seen) = (String::new(), Vec::new());
    loop {
        let page = server.page(&acme.bob, TOKEN, 2, &token).await.unwrap();
        assert_eq!(page.total_size, 5);
        assert!(page.versions.iter().all(|version| version.masked_value == MASK));
        seen.extend(page.versions.iter().map(|version| version.version));
        token = page.next_page_token;
        if token.is_empty() {
            break;
        }
    }
    assert_eq!(seen, [5, 4, 3, 2, 1]);
    // A token of another secret's list.
    let token = server.page(&acme.bob, TOKEN, 2, "").await.unwrap().next_page_token;
    let other = server.create(&acme.bob, BOB, "OTHER", "value-1").await;
    assert_eq!(refusal(server.page(&acme.bob, &other.name, 2, &token).await).reason, "INVALID_PAGE_TOKEN");
}

async fn beyond_the_limit_the_oldest_versions_go(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::with(&server, NamePolicy::Strict, r#"{"versions_per_secret":3}"#).await;
    server.create(&acme.bob, BOB, "TOKEN", "value-1").await;
    for n in 2..=5 {
        server.rotate(&acme.bob, TOKEN, &format!("value-{n}")).await;
    }
    let numbers = |versions: Vec<v1::SecretVersion>| versions.iter().map(|version| version.version).collect::<Vec<_>>();
    assert_eq!(numbers(server.versions(&acme.bob, TOKEN).await), [5, 4, 3]);
    assert_eq!(refusal(server.roll_back(&acme.bob, 2).await).reason, "VERSION_NOT_FOUND");
    // The oldest that is left may be rolled back to, though it goes with that.
    let back = server.roll_back(&acme.bob, 3).await.unwrap().secret.unwrap();
    assert_eq!(server.stored_value(&back).await, b"value-3");
    assert_eq!(numbers(server.versions(&acme.bob, TOKEN).await), [6, 5, 4]);
}
