//! What was destroyed is in no file of SQLite's any more: not in the database, and not in its write-ahead log.

use std::fs;
use std::time::Duration;

use sea_orm::{ConnectionTrait, DatabaseBackend, Statement};
use secrets_core::Uid;
use secrets_proto::v1;
use secrets_server::store::{DatabaseConfig, StoreError, key, secret, version};

use crate::support::acme::Acme;
use crate::support::database::TestDatabase;
use crate::support::server::TestServer;
use crate::wire::secrets::{BOB, WS1, text};

const TOKEN: &str = "organizations/acme/users/bob/secrets/TOKEN";
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// A server on SQLite, with a secret of bob's in two versions.
struct Scene {
    database: TestDatabase,
    server: TestServer,
    acme: Acme,
    secret: Uid,
}

impl Scene {
    async fn set() -> Self {
        let database = TestDatabase::sqlite().await;
        let server = TestServer::start(&database).await;
        let acme = Acme::make(&server).await;
        let created = server.create(&acme.bob, BOB, "TOKEN", "value-1").await;
        let secret = v1::Secret { name: TOKEN.into(), ..Default::default() };
        let request = v1::UpdateSecretRequest { secret: Some(secret), value: text("value-2"), ..Default::default() };
        server.try_update(&acme.bob, request).await.unwrap();
        Self { secret: created.uid.parse().unwrap(), database, server, acme }
    }

    /// The stored record of a version.
    async fn record(&self, number: u32) -> Vec<u8> {
        let db = self.database.store.reader();
        let found = version::by_number(db, self.acme.organization, self.secret, number).await.unwrap().unwrap();
        assert!(found.blob.len() > 64);
        found.blob
    }

    async fn destroy_first_version(&self) {
        let request = v1::DestroySecretVersionRequest { name: TOKEN.into(), version: 1, ..Default::default() };
        self.server.secrets(&self.acme.bob).destroy_secret_version(request).await.unwrap();
    }

    /// How many files of the data directory hold these bytes.
    fn files_with(&self, bytes: &[u8]) -> usize {
        let DatabaseConfig::Sqlite { path, .. } = &self.database.config else { panic!("not SQLite") };
        let files = fs::read_dir(path.parent().unwrap()).unwrap();
        let holds = |content: Vec<u8>| content.windows(bytes.len()).any(|window| window == bytes);
        files.filter(|file| holds(fs::read(file.as_ref().unwrap().path()).unwrap())).count()
    }

    /// Waits until no file holds these bytes.
    async fn gone(&self, bytes: &[u8]) {
        let waiting = async {
            while self.files_with(bytes) > 0 {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), waiting).await.expect("it is still there");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_destroyed_version_is_gone_when_the_call_returns() {
    let scene = Scene::set().await;
    let (first, second) = (scene.record(1).await, scene.record(2).await);
    assert!(scene.files_with(&first) > 0);
    scene.destroy_first_version().await;
    assert_eq!(scene.files_with(&first), 0);
    assert!(scene.files_with(&second) > 0, "the search finds what is there");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_purged_secret_is_gone_with_all_its_versions_when_the_call_returns() {
    let scene = Scene::set().await;
    let other = scene.server.create(&scene.acme.bob, BOB, "OTHER", "value-3").await;
    let db = scene.database.store.reader();
    let other = version::by_number(db, scene.acme.organization, other.uid.parse().unwrap(), 1).await.unwrap().unwrap();
    let records = [scene.record(1).await, scene.record(2).await];
    assert!(records.iter().all(|record| scene.files_with(record) > 0));
    let purge = v1::DeleteSecretRequest { name: TOKEN.into(), purge: true, ..Default::default() };
    scene.server.secrets(&scene.acme.bob).delete_secret(purge).await.unwrap();
    assert!(records.iter().all(|record| scene.files_with(record) == 0));
    assert!(scene.files_with(&other.blob) > 0, "the search finds what is there");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_was_deleted_before_is_gone_when_its_purge_returns() {
    let scene = Scene::set().await;
    let records = [scene.record(1).await, scene.record(2).await];
    scene.server.delete(&scene.acme.bob, TOKEN).await;
    assert!(records.iter().all(|record| scene.files_with(record) > 0));
    let purge = v1::DeleteSecretRequest { name: TOKEN.into(), purge: true, ..Default::default() };
    scene.server.secrets(&scene.acme.bob).delete_secret(purge).await.unwrap();
    assert!(records.iter().all(|record| scene.files_with(record) == 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_data_key_of_a_deleted_organization_is_gone_when_the_call_returns() {
    let scene = Scene::set().await;
    let stored = key::data_keys(scene.database.store.reader(), scene.acme.organization).await.unwrap();
    let sealed = stored[0].sealed.as_slice();
    assert!(scene.files_with(sealed) > 0);
    let request = v1::DeleteOrganizationRequest { name: "organizations/acme".into(), ..Default::default() };
    scene.server.directory(&scene.server.operator).delete_organization(request).await.unwrap();
    assert_eq!(scene.files_with(sealed), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_goes_with_its_workspace_is_gone_when_the_call_returns() {
    let scene = Scene::set().await;
    let created = scene.server.create(&scene.acme.bob, WS1, "OTHER", "value-3").await;
    let db = scene.database.store.reader();
    let uid = created.uid.parse().unwrap();
    let record = version::by_number(db, scene.acme.organization, uid, 1).await.unwrap().unwrap().blob;
    assert!(scene.files_with(&record) > 0);
    let request = v1::DeleteWorkspaceRequest { name: WS1.into(), ..Default::default() };
    scene.server.directory(&scene.acme.bob).delete_workspace(request).await.unwrap();
    assert_eq!(scene.files_with(&record), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_purged_is_gone_soon_after() {
    let scene = Scene::set().await;
    let records = [scene.record(1).await, scene.record(2).await];
    scene.server.delete(&scene.acme.bob, TOKEN).await;
    scene.server.wait(7 * DAY);
    assert!(records.iter().all(|record| scene.files_with(record) > 0));
    assert_eq!(scene.server.app.jobs.purge().await.unwrap(), 1);
    for record in &records {
        scene.gone(record).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_is_truncated_when_nobody_writes() {
    let scene = Scene::set().await;
    let DatabaseConfig::Sqlite { path, .. } = &scene.database.config else { panic!("not SQLite") };
    let log = path.with_extension("db-wal");
    assert!(fs::metadata(&log).unwrap().len() > 0);
    let waiting = async {
        while fs::metadata(&log).unwrap().len() > 0 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), waiting).await.expect("it is as long as before");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_puts_it_off_until_it_ends() {
    let scene = Scene::set().await;
    let first = scene.record(1).await;
    let snapshot = scene.server.app.store().snapshot().await.unwrap();
    assert!(secret::by_uid(&snapshot, scene.acme.organization, scene.secret).await.unwrap().is_some());
    // It is destroyed and answered, and the reader still sees it.
    scene.destroy_first_version().await;
    assert!(scene.files_with(&first) > 0);
    let seen = version::by_number(&snapshot, scene.acme.organization, scene.secret, 1).await.unwrap().unwrap();
    assert_eq!(seen.blob, first);
    drop(snapshot);
    scene.gone(&first).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_that_reads_on_and_on_is_interrupted() {
    let scene = Scene::set().await;
    let first = scene.record(1).await;
    let snapshot = scene.server.app.store().snapshot().await.unwrap();
    // From here on it needs the log.
    assert!(secret::by_uid(&snapshot, scene.acme.organization, scene.secret).await.unwrap().is_some());
    let endless = tokio::spawn(async move {
        let sql =
            "WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers) SELECT count(*) FROM numbers";
        let statement = Statement::from_string(DatabaseBackend::Sqlite, sql);
        snapshot.query_one_raw(statement).await.map_err(StoreError::from).map(drop)
    });
    scene.destroy_first_version().await;
    assert!(scene.files_with(&first) > 0);
    scene.gone(&first).await;
    let interrupted = endless.await.unwrap();
    assert!(matches!(interrupted, Err(StoreError::Unavailable(_))), "{interrupted:?}");
    let after = secret::by_uid(scene.server.app.store().reader(), scene.acme.organization, scene.secret).await;
    assert!(after.unwrap().is_some(), "the connection reads again");
}
