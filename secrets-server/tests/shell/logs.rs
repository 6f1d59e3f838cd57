use rustix::process::Signal;
use secrets_proto::v1::WhoAmIRequest;
use secrets_proto::v1::access_service_client::AccessServiceClient;
use tonic::Request;
use tonic::transport::Endpoint;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

use crate::support::process::{ServerProcess, serve};

#[tokio::test(flavor = "multi_thread")]
async fn a_call_is_logged_with_who_made_it() {
    let directory = tempfile::tempdir().unwrap();
    let mut server = ServerProcess::start(serve(directory.path(), &[]));
    let token = std::fs::read_to_string(directory.path().join("data/operator-token")).unwrap();
    let channel = Endpoint::from_shared(server.endpoint()).unwrap().connect().await.unwrap();
    let mut client = AccessServiceClient::new(channel);
    for authorization in [format!("Bearer {}", token.trim()), "Bearer sopr_unknown".to_owned()] {
        let mut request = Request::new(WhoAmIRequest {});
        request.metadata_mut().insert("authorization", authorization.parse().unwrap());
        let _ = client.who_am_i(request).await;
    }
    server.send_signal(Signal::TERM);
    tokio::task::block_in_place(|| server.wait());
    let events = server.events();
    let principals: Vec<_> = events
        .iter()
        .filter(|event| event["method"] == "secretsapi.v1.AccessService/WhoAmI")
        .map(|event| (event["code"].as_str().unwrap(), event["principal"].as_str()))
        .collect();
    assert_eq!(principals, [("OK", Some("operator")), ("UNAUTHENTICATED", None)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_line_is_json_and_a_call_is_logged_without_its_metadata() {
    let directory = tempfile::tempdir().unwrap();
    let mut server = ServerProcess::start(serve(directory.path(), &["--log-level", "trace"]));
    let channel = Endpoint::from_shared(server.endpoint()).unwrap().connect().await.unwrap();
    let mut request = Request::new(HealthCheckRequest { service: "hunter2-body".to_owned() });
    request.metadata_mut().insert("x-request-id", "trace-7".parse().unwrap());
    request.metadata_mut().insert("authorization", "Bearer hunter2-token".parse().unwrap());
    let answer = HealthClient::new(channel).check(request).await.unwrap_err();
    let request_id = answer.metadata().get("x-request-id").unwrap().to_str().unwrap().to_owned();
    assert_ne!(request_id, "trace-7", "the caller's stands beside it");

    server.send_signal(Signal::TERM);
    tokio::task::block_in_place(|| server.wait());
    let events = server.events();
    let call = events.iter().find(|event| event["message"] == "call").expect("an event for the call");
    assert_eq!(call["method"], "grpc.health.v1.Health/Check");
    assert_eq!(call["code"], "NOT_FOUND");
    assert_eq!(call["span"]["request_id"], request_id.as_str());
    assert_eq!(call["span"]["caller_request_id"], "trace-7");
    assert!(call["principal"].is_null(), "nobody is known by an unknown token: {call}");
    assert!(call["duration_us"].is_u64() && call["peer"].is_string(), "{call}");
    assert!(!server.lines().concat().contains("hunter2"));
}
