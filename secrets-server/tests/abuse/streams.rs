//! Health and reflection: what nobody needs a credential for is small, bounded in number, and ends.

use std::num::NonZeroU32;
use std::time::Duration;

use secrets_server::config::Limits;
use tokio_stream::StreamExt as _;
use tonic::{Code, Status, Streaming};
use tonic_health::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};
use tonic_reflection::pb::v1::ServerReflectionRequest;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_types::StatusExt as _;

use crate::attacker::Attacker;
use crate::support::database::TestDatabase;
use crate::support::on_both::on_both;
use crate::support::server::TestServer;

on_both!(
    a_health_watch_stays_open_also_of_an_unknown_service,
    health_watches_are_few_a_connection_and_bounded_in_all,
    a_reflection_stream_ends_when_nobody_asks_anything,
    what_needs_no_credential_is_small,
);

const CHECK: &str = "/grpc.health.v1.Health/Check";
const WATCH: &str = "/grpc.health.v1.Health/Watch";
const REFLECTION: &str = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";

fn limit(status: &Status) -> String {
    let details = status.get_error_details();
    let info = details.error_info().unwrap();
    assert_eq!((status.code(), info.reason.as_str()), (Code::ResourceExhausted, "LIMIT_EXCEEDED"));
    info.metadata["limit"].clone()
}

/// Opens a watch over a connection of the client.
async fn watch(client: &mut HealthClient<tonic::transport::Channel>) -> Result<Streaming<HealthCheckResponse>, Status> {
    Ok(client.watch(HealthCheckRequest::default()).await?.into_inner())
}

async fn a_health_watch_stays_open_also_of_an_unknown_service(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let mut health = HealthClient::new(server.another_channel());
    for (service, expected) in [("secretsapi.v1.ResolveService", ServingStatus::Serving as i32), ("no.Service", 3)] {
        let mut watched = health.watch(HealthCheckRequest { service: service.into() }).await.unwrap().into_inner();
        assert_eq!(watched.next().await.unwrap().unwrap().status, expected, "{service}");
        assert!(tokio::time::timeout(Duration::from_millis(50), watched.next()).await.is_err(), "{service} is open");
    }
}

async fn health_watches_are_few_a_connection_and_bounded_in_all(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let mut open = Vec::new();
    for _ in 0..64 {
        let mut client = HealthClient::new(server.another_channel());
        let mut own = Vec::new();
        for _ in 0..4 {
            own.push(watch(&mut client).await.unwrap());
        }
        assert_eq!(limit(&watch(&mut client).await.unwrap_err()), "anonymous_streams");
        open.push((client, own));
    }
    let mut late = HealthClient::new(server.another_channel());
    assert_eq!(limit(&watch(&mut late).await.unwrap_err()), "anonymous_streams");
    late.check(HealthCheckRequest::default()).await.unwrap();
    open.pop();
    // The server learns of it with the frames that end the streams.
    for _ in 0..1000 {
        match watch(&mut late).await {
            Ok(_) => return,
            Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
        }
    }
    panic!("a watch that ended gives its permit back");
}

async fn a_reflection_stream_ends_when_nobody_asks_anything(database: &TestDatabase) {
    let limits = Limits { reflection_silence: Duration::from_millis(200), ..Limits::default() };
    let server = TestServer::start_with(database, limits).await;
    let mut reflection = ServerReflectionClient::new(server.another_channel());
    let list = MessageRequest::ListServices(String::new());
    let question = ServerReflectionRequest { host: String::new(), message_request: Some(list) };
    // More often than a connection may have streams at a time: each that ended is gone on both sides.
    for _ in 0..10 {
        let questions = tokio_stream::iter([question.clone(), question.clone()]).chain(tokio_stream::pending());
        let mut answers = reflection.server_reflection_info(questions).await.unwrap().into_inner();
        answers.next().await.unwrap().unwrap();
        answers.next().await.unwrap().unwrap();
        assert_eq!(limit(&answers.next().await.unwrap().unwrap_err()), "reflection_seconds");
    }
}

async fn what_needs_no_credential_is_small(database: &TestDatabase) {
    let limits = Limits {
        request_time: Duration::from_millis(200),
        code_attempts_per_minute: NonZeroU32::MAX,
        ..Limits::default()
    };
    let server = TestServer::start_with(database, limits).await;
    let mut attacker = Attacker::connect(server.address()).await;
    // The length alone is refused: none of its bytes is sent.
    let prefix = [&[0][..], &16_385_u32.to_be_bytes()].concat();
    for path in [CHECK, WATCH, REFLECTION] {
        let mut request = attacker.open(path, &[]).await;
        request.push(prefix.clone());
        let refused = request.outcome().await;
        assert_eq!((refused.code, refused.limit.as_str()), (Code::ResourceExhausted, "request_bytes"), "{path}");
    }
    for path in [CHECK, WATCH] {
        let refused = attacker.open(path, &[]).await.outcome().await;
        assert_eq!((refused.code, refused.limit.as_str()), (Code::ResourceExhausted, "request_seconds"), "{path}");
    }
}
