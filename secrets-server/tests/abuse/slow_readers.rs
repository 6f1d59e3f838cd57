//! Callers who take no answers: what was made for them does not wait for long.

use std::time::Duration;

use prost::Message as _;
use secrets_proto::v1;
use secrets_server::config::Limits;
use tokio::time::timeout;
use tonic::Code;

use crate::attacker::{Attacker, framed};
use crate::support::database::TestDatabase;
use crate::support::on_both::on_both;
use crate::support::server::TestServer;

on_both!(
    a_connection_whose_answers_are_not_taken_is_closed,
    whoever_takes_answers_in_small_pieces_gets_them_whole,
    a_watch_that_is_taken_stays_open,
);

const RESOLVE: &str = "/secretsapi.v1.ResolveService/Resolve";
const WATCH: &str = "/secretsapi.v1.ResolveService/Watch";
const RESPONSE_TIME: Duration = Duration::from_secs(1);
const HANDSHAKE_TIME: Duration = Duration::from_secs(1);
const VALUES: usize = 4;
const VALUE_BYTES: usize = 60_000;

/// A server with an organization that has more than fits any window, and its administrator's token.
async fn start(database: &TestDatabase, response_time: Duration) -> (TestServer, String) {
    // A connection is checked for the first time when its handshake has to be done.
    let limits = Limits { handshake_time: HANDSHAKE_TIME, response_time, ..Limits::default() };
    let server = TestServer::start_with(database, limits).await;
    let ann = server.organization("acme").await;
    for n in 0..VALUES {
        let value = v1::SecretValue { value: Some(v1::secret_value::Value::Text("x".repeat(VALUE_BYTES))) };
        let request = v1::CreateSecretRequest {
            parent: "organizations/acme".into(),
            secret_id: format!("N{n}"),
            value: Some(value),
            ..Default::default()
        };
        server.secrets(&ann).create_secret(request).await.unwrap();
    }
    (server, ann)
}

fn context() -> Option<v1::Context> {
    Some(v1::Context { organization: "acme".into(), ..Default::default() })
}

async fn a_connection_whose_answers_are_not_taken_is_closed(database: &TestDatabase) {
    let (server, ann) = start(database, Duration::from_millis(300)).await;
    let resolve = v1::ResolveRequest { context: context(), ..Default::default() }.encode_to_vec();
    let watch = v1::WatchRequest { context: context(), ..Default::default() }.encode_to_vec();
    for (path, message) in [(RESOLVE, resolve), (WATCH, watch)] {
        // It acknowledges pings and settings, and opens no window.
        let mut attacker = Attacker::with_window(server.address(), 16).await;
        let mut held = Vec::new();
        for _ in 0..8 {
            let mut request = attacker.open(path, &[&ann]).await;
            request.body.send_data(framed(&message).into(), true).unwrap();
            held.push(request);
        }
        attacker.closed().await;
    }
    let mut calm = Attacker::connect(server.address()).await;
    assert_eq!(calm.open("/grpc.health.v1.Health/Check", &[]).await.finish(b"").await.code, Code::Ok);
}

async fn whoever_takes_answers_in_small_pieces_gets_them_whole(database: &TestDatabase) {
    let (server, ann) = start(database, Duration::from_secs(30)).await;
    let resolve = v1::ResolveRequest { context: context(), ..Default::default() }.encode_to_vec();
    let mut reader = Attacker::with_window(server.address(), 4_096).await;
    for _ in 0..3 {
        assert_eq!(reader.open(RESOLVE, &[&ann]).await.finish(&resolve).await.code, Code::Ok);
    }
    assert!(!reader.is_closed());
}

async fn a_watch_that_is_taken_stays_open(database: &TestDatabase) {
    let (server, ann) = start(database, RESPONSE_TIME).await;
    let request = v1::WatchRequest { context: context(), ..Default::default() };
    let mut watch = server.resolver(&ann).watch(request).await.unwrap().into_inner();
    watch.message().await.unwrap().unwrap();
    assert!(
        timeout(HANDSHAKE_TIME + RESPONSE_TIME * 2, watch.message()).await.is_err(),
        "nothing happens, and it is open"
    );
    let purge = v1::DeleteSecretRequest { name: "organizations/acme/secrets/N0".into(), ..Default::default() };
    server.secrets(&ann).delete_secret(purge).await.unwrap();
    watch.message().await.unwrap().unwrap();
}
