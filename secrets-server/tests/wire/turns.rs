//! One organization that writes without pause does not stop another one's calls.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sea_orm::{ConnectionTrait, Statement};
use secrets_proto::v1;
use secrets_server::store::revision;

use crate::support::acme::Acme;
use crate::support::calls::context;
use crate::support::database::TestDatabase;
use crate::support::on_both::on_both;
use crate::support::server::TestServer;
use crate::wire::secrets::{ACME, BOB, creation};

/// Changes of an organization that wait for its lock hold few connections: the others have the rest.
#[tokio::test]
async fn changes_that_wait_for_their_organizations_lock_leave_the_connections_to_others() {
    let database = TestDatabase::postgres().await;
    let server = TestServer::start(&database).await;
    let acme = Acme::make(&server).await;
    server.create(&acme.eve, RIVAL, "CALM", "value-1").await;
    let lock = database.store.begin().await.unwrap();
    revision::lock(&lock, acme.organization).await.unwrap().unwrap();
    let waiting: Vec<_> = (0..32)
        .map(|n| {
            let mut secrets = server.secrets(&acme.bob);
            tokio::spawn(async move { secrets.create_secret(creation(BOB, &format!("N{n}"), "value-1")).await })
        })
        .collect();
    tokio::time::sleep(A_WHILE).await;
    let context = v1::Context { organization: "rival".into(), ..context("", "") };
    let request = v1::ResolveRequest { context: Some(context), ..Default::default() };
    let resolved = server.resolver(&acme.eve).resolve(request).await.unwrap().into_inner();
    assert_eq!(resolved.secrets.len(), 1);
    let at_the_lock = waiting_connections(&database).await;
    assert!((1..=2).contains(&at_the_lock), "{at_the_lock}");
    drop(lock);
    for created in waiting {
        created.await.unwrap().unwrap();
    }
}

/// How many connections wait for a lock.
async fn waiting_connections(database: &TestDatabase) -> i64 {
    let db = database.store.reader();
    let query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    let row = db.query_one_raw(Statement::from_string(db.get_database_backend(), query)).await.unwrap().unwrap();
    row.try_get_by_index(0).unwrap()
}

on_both!(imports_of_one_organization_keep_no_other_from_reading_and_writing);

/// Enough for calls on loopback to arrive.
const A_WHILE: Duration = Duration::from_millis(300);
/// Imports in flight at once.
const IMPORTERS: usize = 8;
/// Calls of the other organization.
const CALLS: usize = 10;
const RIVAL: &str = "organizations/rival";

async fn imports_of_one_organization_keep_no_other_from_reading_and_writing(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    server.create(&acme.eve, RIVAL, "CALM", "value-1").await;

    let ended = Arc::new(AtomicBool::new(false));
    let importers: Vec<_> = (0..IMPORTERS)
        .map(|importer| {
            let (mut secrets, ended) = (server.secrets(&acme.ann), Arc::clone(&ended));
            tokio::spawn(async move {
                let lines: String = (0..100).map(|n| format!("N{importer}_{n}=value\n")).collect();
                while !ended.load(Ordering::Relaxed) {
                    let request = v1::ImportSecretsRequest {
                        parent: ACME.into(),
                        source: Some(v1::import_secrets_request::Source::Dotenv(lines.clone().into_bytes())),
                        conflict_policy: v1::ConflictPolicy::Overwrite.into(),
                        ..Default::default()
                    };
                    // Whether its own calls succeed is the importer's affair.
                    let _ = secrets.import_secrets(request).await;
                }
            })
        })
        .collect();

    for call in 0..CALLS {
        let context = v1::Context { organization: "rival".into(), ..context("", "") };
        let request = v1::ResolveRequest { context: Some(context), ..Default::default() };
        let resolved = server.resolver(&acme.eve).resolve(request).await.unwrap().into_inner();
        assert_eq!(resolved.secrets.len(), 1 + call);
        server.try_create(&acme.eve, creation(RIVAL, &format!("NAME_{call}"), "value-1")).await.unwrap();
    }
    ended.store(true, Ordering::Relaxed);
    for importer in importers {
        importer.await.unwrap();
    }
}
