//! Readiness, with much to do.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use prost::Message as _;
use sea_orm::ConnectionTrait;
use secrets_server::store::{self, commit};

use crate::support::database::TestDatabase;
use crate::support::on_both::on_both;
use crate::support::raw_call::send_raw;
use crate::support::server::TestServer;

on_both!(
    a_server_with_much_to_do_is_ready,
    a_server_that_can_not_write_is_not_ready,
    the_health_of_all_services_is_listed,
);

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

/// The answer of `grpc.health.v1.Health/List`, by its field numbers.
#[derive(Clone, PartialEq, prost::Message)]
struct HealthList {
    #[prost(btree_map = "string, message", tag = "1")]
    statuses: BTreeMap<String, Health>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Health {
    #[prost(int32, tag = "1")]
    status: i32,
}

async fn the_health_of_all_services_is_listed(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let list = async |message: Vec<u8>| {
        send_raw(server.another_channel(), "/grpc.health.v1.Health/List", tonic::Request::new(message)).await
    };
    let listed = HealthList::decode(list(Vec::new()).await.unwrap().as_slice()).unwrap().statuses;
    assert!(listed.contains_key("") && listed.contains_key("secretsapi.v1.ResolveService"), "{listed:?}");
    assert!(listed.len() >= 6 && listed.values().all(|health| health.status == 1), "{listed:?}");
    // It is as anonymous as the other two, and as small.
    assert_eq!(list(vec![0; 16_385]).await.unwrap_err().code(), tonic::Code::ResourceExhausted);
}
