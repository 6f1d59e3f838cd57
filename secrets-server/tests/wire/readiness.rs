//! Readiness, with much to do.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sea_orm::ConnectionTrait;
use secrets_server::store::{self, commit};

use crate::support::database::TestDatabase;
use crate::support::on_both::on_both;
use crate::support::server::TestServer;

on_both!(a_server_with_much_to_do_is_ready, a_server_that_can_not_write_is_not_ready);

/// Every connection is taken, and so is the writer; but others get through.
async fn a_server_with_much_to_do_is_ready(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let stop = Arc::new(AtomicBool::new(false));
    let writers = (0..64).map(|_| {
        let (store, stop) = (database.store.clone(), Arc::clone(&stop));
        tokio::spawn(async move {
            while !stop.load(Ordering::Relaxed) {
                // Who waits for too long is refused, and tries again.
                if let Ok(transaction) = store.begin().await {
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    let _ = commit(transaction).await;
                }
            }
        })
    });
    let writers: Vec<_> = writers.collect();
    server.app.service.check_readiness(true).await.unwrap();
    stop.store(true, Ordering::Relaxed);
    for writer in writers {
        writer.await.unwrap();
    }
}

async fn a_server_that_can_not_write_is_not_ready(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let service = &server.app.service;
    service.check_readiness(true).await.unwrap();
    let transaction = database.store.begin().await.unwrap();
    transaction.execute_unprepared("ALTER TABLE audit_events RENAME TO gone").await.unwrap();
    store::commit(transaction).await.unwrap();
    service.check_readiness(false).await.unwrap();
    let refused = service.check_readiness(true).await.unwrap_err().to_string();
    assert!(refused.starts_with("audit events can't be written"), "{refused}");
}
