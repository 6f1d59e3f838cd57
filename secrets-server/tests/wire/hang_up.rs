//! Callers who hang up: what they were waiting for is given back, and what they had begun to write is written.

use std::time::Duration;

use sea_orm::{ConnectionTrait as _, Statement};
use secrets_proto::v1;
use secrets_server::store::{Writer, commit, revision};
use tokio::time::{sleep, timeout};

use crate::support::acme::Acme;
use crate::support::database::TestDatabase;
use crate::support::on_both::on_both;
use crate::support::server::TestServer;
use crate::wire::secrets::{ACME, creation};

on_both!(
    a_queue_of_writers_who_hung_up_is_no_queue,
    a_writer_who_hangs_up_after_the_first_write_has_written,
    whoever_hangs_up_leaves_no_half_of_a_change,
);

/// Enough for calls on loopback to arrive, or to be seen as gone.
const A_WHILE: Duration = Duration::from_millis(300);

async fn a_queue_of_writers_who_hung_up_is_no_queue(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    let own = format!("{ACME}/users/bob");
    let blocking = server.app.store().begin_for(Writer::Organization(acme.organization)).await.unwrap();
    let before = revision::lock(&blocking, acme.organization).await.unwrap().unwrap().current();
    let writers: Vec<_> = (0..60)
        .map(|n| {
            let mut client = server.secrets(&acme.bob);
            let request = creation(&own, &format!("N{n}"), "value-1");
            tokio::spawn(async move { client.create_secret(request).await })
        })
        .collect();
    sleep(A_WHILE).await;
    for writer in &writers {
        assert!(!writer.is_finished());
        writer.abort();
    }
    sleep(A_WHILE).await;
    let later = server.create(&acme.bob, &own, "LATER", "value-1");
    let release = async {
        sleep(A_WHILE / 10).await;
        commit(blocking).await.unwrap();
    };
    let both = async { tokio::join!(later, release) };
    timeout(Duration::from_secs(4), both).await.expect("nobody is before it");
    sleep(A_WHILE).await;
    let secrets = server.list(&acme.bob, &own).await;
    assert_eq!(secrets.len(), 1, "those who hung up changed nothing");
    let after = revision::current(database.store.reader(), acme.organization).await.unwrap().unwrap();
    assert_eq!(after.revision, before.revision + 1);
}

async fn a_writer_who_hangs_up_after_the_first_write_has_written(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    let store = server.app.store();
    if !store.is_shared() {
        // Nothing stops SQLite between two statements; when it is hung up there is left to chance below.
        return;
    }
    let own = format!("{ACME}/users/bob");
    let mut client = server.secrets(&acme.bob);
    let request = creation(&own, "TOKEN", "value-1");
    // Its secret is written; the event that belongs to it waits.
    let blocking = store.begin().await.unwrap();
    blocking.execute_unprepared("LOCK TABLE audit_events IN SHARE MODE").await.unwrap();
    let writer = tokio::spawn(async move { client.create_secret(request).await });
    until(|| async { is_waited_for(database, "audit_events").await }).await;
    writer.abort();
    sleep(A_WHILE).await;
    commit(blocking).await.unwrap();
    until(|| async { server.list(&acme.bob, &own).await.len() == 1 }).await;
}

/// Whether somebody waits for a lock of a table of PostgreSQL.
async fn is_waited_for(database: &TestDatabase, table: &str) -> bool {
    let db = database.store.reader();
    let query = format!("SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = '{table}'::regclass");
    let row = db.query_one_raw(Statement::from_string(db.get_database_backend(), query)).await.unwrap().unwrap();
    row.try_get_by_index::<i64>(0).unwrap() > 0
}

async fn until<F: Future<Output = bool>>(is_so: impl Fn() -> F) {
    for _ in 0..500 {
        if is_so().await {
            return;
        }
        sleep(Duration::from_millis(10)).await;
    }
    panic!("it does not become so");
}

/// Whenever it is: a change is made with its event, or not at all.
async fn whoever_hangs_up_leaves_no_half_of_a_change(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    let own = format!("{ACME}/users/bob");
    for n in 0..40 {
        let mut client = server.secrets(&acme.bob);
        let request = creation(&own, &format!("N{n}"), "value-1");
        let writer = tokio::spawn(async move { client.create_secret(request).await });
        sleep(Duration::from_millis(n)).await;
        writer.abort();
    }
    // Whatever had begun to write goes on to its end; after that nothing changes, and each change has its event.
    let mut before = (usize::MAX, 0);
    loop {
        sleep(A_WHILE).await;
        let created = server.list(&acme.bob, &own).await.len();
        let request = v1::ListAuditEventsRequest { parent: ACME.into(), ..Default::default() };
        let events = server.audit(&acme.ann).list_audit_events(request).await.unwrap().into_inner().events;
        let recorded = events.iter().filter(|event| event.action.ends_with("CreateSecret")).count();
        if (created, recorded) == before {
            assert_eq!(created, recorded);
            return;
        }
        before = (created, recorded);
    }
}
