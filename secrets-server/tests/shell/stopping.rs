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

use crate::support::process::{ServerProcess, serve};
use crate::support::program::run;

/// Far below the 20 s that a stop may take, far above what it takes on a busy machine.
const MAX_STOP_TIME: Duration = Duration::from_secs(3);

#[tokio::test(flavor = "multi_thread")]
async fn both_signals_end_it_quickly_with_idle_connections_and_open_streams() {
    for signal in [Signal::TERM, Signal::INT] {
        let directory = tempfile::tempdir().unwrap();
        let mut server = ServerProcess::start(serve(directory.path(), &[]));
        let mut silent = TcpStream::connect(server.address).unwrap();
        let mut stalled = TcpStream::connect(server.address).unwrap();
        stalled.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").unwrap();
        let channel = Endpoint::from_shared(server.endpoint()).unwrap().connect().await.unwrap();
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

        server.send_signal(signal);
        let (status, took) = tokio::task::block_in_place(|| server.wait());
        assert!(status.success(), "{status}");
        assert!(took < MAX_STOP_TIME, "{took:?}");

        assert!(watched.next().await.unwrap().is_ok(), "it is told that nothing serves any more");
        assert_eq!(watched.next().await.unwrap().unwrap_err().code(), Code::Unavailable);
        assert_eq!(reflected.next().await.unwrap().unwrap_err().code(), Code::Unavailable);
        let _ = silent.read_to_end(&mut Vec::new()); // it returns: the connection is closed
        assert!(TcpStream::connect(server.address).is_err());
        let messages: Vec<_> = server.events().into_iter().map(|event| event["message"].clone()).collect();
        assert!(messages.contains(&"stopped".into()), "{messages:?}");
    }
}

/// A call that can't end: its caller leaves no room for the answer.
async fn stall(server: &ServerProcess) -> (Channel, Streaming<HealthCheckResponse>) {
    let endpoint = Endpoint::from_shared(server.endpoint()).unwrap().initial_stream_window_size(0);
    let channel = endpoint.connect().await.unwrap();
    let request = HealthCheckRequest { service: String::new() };
    let watched = HealthClient::new(channel.clone()).watch(request).await.unwrap().into_inner();
    (channel, watched)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_never_ends_is_cut_off_within_twenty_seconds() {
    let directory = tempfile::tempdir().unwrap();
    let mut server = ServerProcess::start(serve(directory.path(), &[]));
    let _stalled = stall(&server).await;
    let _silent = TcpStream::connect(server.address).unwrap();
    server.send_signal(Signal::TERM);
    let (status, took) = tokio::task::block_in_place(|| server.wait());
    assert!(status.success(), "{status}");
    assert!(took > Duration::from_secs(15) && took < Duration::from_secs(20), "{took:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_signal_ends_it_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let mut server = ServerProcess::start(serve(directory.path(), &[]));
    let _stalled = stall(&server).await;
    server.send_signal(Signal::INT);
    while !server.lines().concat().contains("asked to stop") {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    server.send_signal(Signal::INT);
    let (status, took) = tokio::task::block_in_place(|| server.wait());
    assert_eq!(status.code(), Some(1));
    assert!(took < MAX_STOP_TIME, "{took:?}");
}

#[test]
fn signals_that_ask_for_nothing_are_ignored() {
    let directory = tempfile::tempdir().unwrap();
    let mut server = ServerProcess::start(serve(directory.path(), &[]));
    for signal in [Signal::USR1, Signal::USR2, Signal::HUP] {
        server.send_signal(signal);
    }
    assert_eq!(run(&["healthcheck", "--endpoint", &server.endpoint()]).code, Some(0));
    server.send_signal(Signal::TERM);
    assert!(server.wait().0.success());
}

#[test]
fn a_health_check_reports_with_its_exit_code() {
    let directory = tempfile::tempdir().unwrap();
    let mut server = ServerProcess::start(serve(directory.path(), &[]));
    let endpoint = server.endpoint();
    let check = |arguments: &[&str]| run(&[&["healthcheck", "--endpoint", &endpoint], arguments].concat());

    assert_eq!(check(&[]).code, Some(0));
    assert_eq!(check(&["--service", "secretsapi.v1.ResolveService"]).code, Some(0));
    let unknown = check(&["--service", "secretsapi.v1.NoService"]);
    assert_eq!(unknown.code, Some(1));
    assert!(unknown.stderr.contains("does not report its health"), "{}", unknown.stderr);

    server.send_signal(Signal::TERM);
    server.wait();
    let gone = check(&[]);
    assert_eq!(gone.code, Some(1));
    assert!(gone.stderr.contains("cannot connect"), "{}", gone.stderr);
    assert_eq!(run(&["healthcheck", "--endpoint", "nonsense"]).code, Some(1));
    let secret = run(&["healthcheck", "--endpoint", "http://bob:hunter2/x@127.0.0.1:1"]);
    assert!(secret.code == Some(1) && !secret.stderr.contains("hunter2") && !secret.stdout.contains("hunter2"));
}

#[test]
fn a_health_check_of_a_server_that_does_not_answer_ends() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", silent.local_addr().unwrap());
    let ended = run(&["healthcheck", "--endpoint", &endpoint, "--timeout", "1"]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("within 1 s"), "{}", ended.stderr);
}
