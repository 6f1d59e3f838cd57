use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use rustix::process::Signal;
use tokio_stream::StreamExt;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Streaming};
use tonic_health::pb::health_client::HealthClient;
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};
use tonic_reflection::pb::v1::ServerReflectionRequest;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;

use super::program::{Serving, run};

/// Far below the 20 s that a stop may take, far above what it takes on a busy machine.
const QUICK: Duration = Duration::from_secs(3);

#[tokio::test(flavor = "multi_thread")]
async fn both_signals_end_it_quickly_with_idle_connections_and_open_streams() {
    for signal in [Signal::TERM, Signal::INT] {
        let folder = tempfile::tempdir().unwrap();
        let mut serving = Serving::start(folder.path(), &[]);
        let mut silent = TcpStream::connect(serving.address).unwrap();
        let mut stalled = TcpStream::connect(serving.address).unwrap();
        stalled.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").unwrap();
        let channel = Endpoint::from_shared(serving.endpoint()).unwrap().connect().await.unwrap();
        let mut watched = HealthClient::new(channel.clone())
            .watch(HealthCheckRequest { service: String::new() })
            .await
            .unwrap()
            .into_inner();
        watched.next().await.unwrap().unwrap();
        let mut reflected = ServerReflectionClient::new(channel.clone())
            .server_reflection_info(tokio_stream::pending::<ServerReflectionRequest>())
            .await
            .unwrap()
            .into_inner();

        serving.send(signal);
        let (status, took) = tokio::task::block_in_place(|| serving.ended());
        assert!(status.success(), "{status}");
        assert!(took < QUICK, "{took:?}");

        assert!(watched.next().await.unwrap().is_ok(), "it is told that nothing serves any more");
        assert_eq!(watched.next().await.unwrap().unwrap_err().code(), Code::Unavailable);
        assert_eq!(reflected.next().await.unwrap().unwrap_err().code(), Code::Unavailable);
        let _ = silent.read_to_end(&mut Vec::new()); // it returns: the connection is closed
        assert!(TcpStream::connect(serving.address).is_err());
        let messages: Vec<_> = serving.events().into_iter().map(|event| event["message"].clone()).collect();
        assert!(messages.contains(&"stopped".into()), "{messages:?}");
    }
}

/// A call that can't end: its caller leaves no room for the answer.
async fn stall(serving: &Serving) -> (Channel, Streaming<HealthCheckResponse>) {
    let endpoint = Endpoint::from_shared(serving.endpoint()).unwrap().initial_stream_window_size(0);
    let channel = endpoint.connect().await.unwrap();
    let request = HealthCheckRequest { service: String::new() };
    let watched = HealthClient::new(channel.clone()).watch(request).await.unwrap().into_inner();
    (channel, watched)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_never_ends_is_cut_off_within_twenty_seconds() {
    let folder = tempfile::tempdir().unwrap();
    let mut serving = Serving::start(folder.path(), &[]);
    let _stalled = stall(&serving).await;
    let _silent = TcpStream::connect(serving.address).unwrap();
    serving.send(Signal::TERM);
    let (status, took) = tokio::task::block_in_place(|| serving.ended());
    assert!(status.success(), "{status}");
    assert!(took > Duration::from_secs(15) && took < Duration::from_secs(20), "{took:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_signal_ends_it_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut serving = Serving::start(folder.path(), &[]);
    let _stalled = stall(&serving).await;
    serving.send(Signal::INT);
    while !serving.lines().concat().contains("asked to stop") {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    serving.send(Signal::INT);
    let (status, took) = tokio::task::block_in_place(|| serving.ended());
    assert_eq!(status.code(), Some(1));
    assert!(took < QUICK, "{took:?}");
}

#[test]
fn a_health_check_tells_by_its_exit_code() {
    let folder = tempfile::tempdir().unwrap();
    let mut serving = Serving::start(folder.path(), &[]);
    let endpoint = serving.endpoint();
    let check = |arguments: &[&str]| run(&[&["healthcheck", "--endpoint", &endpoint], arguments].concat());

    assert_eq!(check(&[]).code, Some(0));
    assert_eq!(check(&["--service", "secretsapi.v1.ResolveService"]).code, Some(0));
    let unknown = check(&["--service", "secretsapi.v1.NoService"]);
    assert_eq!(unknown.code, Some(1));
    assert!(unknown.stderr.contains("tell its health"), "{}", unknown.stderr);

    serving.send(Signal::TERM);
    serving.ended();
    let gone = check(&[]);
    assert_eq!(gone.code, Some(1));
    assert!(gone.stderr.contains("cannot connect"), "{}", gone.stderr);
    assert_eq!(run(&["healthcheck", "--endpoint", "nonsense"]).code, Some(1));
}

#[test]
fn a_health_check_of_something_silent_ends_too() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", silent.local_addr().unwrap());
    let ended = run(&["healthcheck", "--endpoint", &endpoint, "--timeout", "1"]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("within 1 s"), "{}", ended.stderr);
}
