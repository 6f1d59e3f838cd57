//! Connections: how many there may be, of one address and in all, and how long one may keep its slot without using it.

use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;
use std::process::Command;
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, prlimit};
use secrets_server::config::Limits;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tonic::Code;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

use crate::attacker::Attacker;
use crate::support::database::TestDatabase;
use crate::support::on_both::on_both;
use crate::support::process::{ServerProcess, serve};
use crate::support::server::TestServer;

on_both!(
    silent_connections_leave_room_for_other_addresses,
    a_connection_that_does_not_begin_is_closed,
    a_connection_without_calls_is_closed,
    a_connection_that_resets_its_requests_harms_nobody_else,
    whoever_breaks_the_rules_again_and_again_connects_slowly,
);

const WHOAMI: &str = "/secretsapi.v1.AccessService/WhoAmI";
const CHECK: &str = "/grpc.health.v1.Health/Check";

fn limits() -> Limits {
    Limits { code_attempts_per_minute: NonZeroU32::MAX, ..Limits::default() }
}

async fn connect_from(from: Ipv4Addr, to: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::from((from, 0))).unwrap();
    socket.connect(to).await.unwrap()
}

/// Opens connections that say nothing, and keeps those that the server keeps.
async fn silent_connections(to: SocketAddr, count: usize) -> Vec<TcpStream> {
    let mut open = Vec::new();
    for _ in 0..count {
        open.push(connect_from(Ipv4Addr::LOCALHOST, to).await);
    }
    // The server accepts in order: once it has served this one, it has seen all others.
    assert_eq!(health_elsewhere(0, to).await, Code::Ok);
    let mut kept = Vec::new();
    for mut stream in open {
        if !is_closed(&mut stream).await {
            kept.push(stream);
        }
    }
    kept
}

/// Whether the server has closed a connection; it speaks first in HTTP/2, so there may be something to read before the end.
async fn is_closed(stream: &mut TcpStream) -> bool {
    let mut buffer = [0; 1024];
    loop {
        match tokio::time::timeout(Duration::from_millis(10), stream.read(&mut buffer)).await {
            Ok(Ok(0) | Err(_)) => return true,
            Ok(Ok(_)) => {}
            Err(_) => return false,
        }
    }
}

/// Waits until the server has closed a connection.
async fn closed(stream: &mut TcpStream) {
    let mut rest = Vec::new();
    let _ = tokio::time::timeout(Duration::from_secs(60), stream.read_to_end(&mut rest)).await.expect("closed");
}

/// The health that a machine with another address learns: on Linux, all of 127/8 is this one.
async fn health_elsewhere(number: u8, to: SocketAddr) -> Code {
    let mut calm = Attacker::over(connect_from(Ipv4Addr::new(127, 0, 1, number), to).await).await;
    let code = calm.open(CHECK, &[]).await.finish(b"").await.code;
    calm.leave().await;
    code
}

async fn silent_connections_leave_room_for_other_addresses(database: &TestDatabase) {
    let limits = Limits { connections: NonZeroU32::new(32), ..limits() };
    let server = TestServer::start_with(database, limits).await;
    let kept = silent_connections(server.address(), 60).await;
    assert!(kept.len() <= 25, "{} of 32", kept.len());
    for number in 0..20 {
        assert_eq!(health_elsewhere(number, server.address()).await, Code::Ok);
    }
    drop(kept);
}

async fn a_connection_that_does_not_begin_is_closed(database: &TestDatabase) {
    let limits = Limits { handshake_time: Duration::from_millis(200), ..limits() };
    let server = TestServer::start_with(database, limits).await;
    for begun in [&b""[..], b"PRI * HTTP/2.0\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n"] {
        let mut silent = TcpStream::connect(server.address()).await.unwrap();
        silent.write_all(begun).await.unwrap();
        closed(&mut silent).await;
    }
    // Whoever has begun may take longer for the first call.
    let mut attacker = Attacker::connect(server.address()).await;
    tokio::time::sleep(Duration::from_millis(400)).await;
    assert_eq!(attacker.open(CHECK, &[]).await.finish(b"").await.code, Code::Ok);
}

async fn a_connection_without_calls_is_closed(database: &TestDatabase) {
    let limits = Limits { idle_time: Duration::from_millis(300), ..limits() };
    let server = TestServer::start_with(database, limits).await;
    let mut watching = HealthClient::new(server.another_channel());
    let mut watch = watching.watch(HealthCheckRequest::default()).await.unwrap().into_inner();
    watch.message().await.unwrap().unwrap();
    let mut idle = Attacker::connect(server.address()).await;
    assert_eq!(idle.open(CHECK, &[]).await.finish(b"").await.code, Code::Ok);
    idle.closed().await;
    // The connection of an open stream is in use.
    assert!(tokio::time::timeout(Duration::from_millis(10), watch.message()).await.is_err());
    watching.check(HealthCheckRequest::default()).await.unwrap();
}

async fn a_connection_that_resets_its_requests_harms_nobody_else(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let ann = server.organization("acme").await;
    let mut calm = Attacker::connect(server.address()).await;
    for _ in 0..5 {
        let mut attacker = Attacker::connect(server.address()).await;
        for _ in 0..200 {
            if attacker.is_closed() {
                break;
            }
            attacker.open_and_reset(WHOAMI, &ann).await;
        }
        assert_eq!(calm.open(WHOAMI, &[&ann]).await.finish(b"").await.code, Code::Ok);
    }
}

/// Opens connections from an address that break the rules of HTTP/2, and waits until the server has closed them.
async fn break_rules(from: Ipv4Addr, to: SocketAddr, count: usize) {
    const SETTINGS: [u8; 9] = [0, 0, 0, 4, 0, 0, 0, 0, 0];
    /// Headers belong to a stream, and there is no stream 0.
    const HEADERS_OF_NO_STREAM: [u8; 9] = [0, 0, 0, 1, 4, 0, 0, 0, 0];
    let mut open = Vec::new();
    for _ in 0..count {
        let mut stream = connect_from(from, to).await;
        let sent = [&b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"[..], &SETTINGS, &HEADERS_OF_NO_STREAM].concat();
        stream.write_all(&sent).await.unwrap();
        open.push(stream);
    }
    for mut stream in open {
        closed(&mut stream).await;
    }
}

async fn whoever_breaks_the_rules_again_and_again_connects_slowly(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let (offender, address) = (Ipv4Addr::new(127, 0, 2, 1), server.address());
    let mut before = Attacker::over(connect_from(offender, address).await).await;
    assert_eq!(before.open(CHECK, &[]).await.finish(b"").await.code, Code::Ok);
    // What counts is how many within a second, and a machine may be slow.
    for _ in 0..20 {
        break_rules(offender, address, 50).await;
        let mut late = Attacker::over(connect_from(offender, address).await).await;
        let mut answer = Box::pin(late.open(CHECK, &[]).await.finish(b""));
        if tokio::time::timeout(Duration::from_millis(500), &mut answer).await.is_err() {
            // Other addresses do not wait, nor does what was open before.
            assert_eq!(health_elsewhere(1, address).await, Code::Ok);
            assert_eq!(before.open(CHECK, &[]).await.finish(b"").await.code, Code::Ok);
            assert_eq!(answer.await.code, Code::Ok);
            return;
        }
    }
    panic!("connections of an address that breaks the rules wait");
}

/// The real program, where descriptors are few: its soft limit is lower still, as a service manager's default is.
#[tokio::test]
async fn connections_never_take_the_descriptors_that_the_rest_needs() {
    const DESCRIPTORS: usize = 256;
    let directory = tempfile::tempdir().unwrap();
    let program = serve(directory.path(), &["--log-level", "debug"]);
    let mut limited = Command::new("sh");
    limited.args(["-c", &format!("ulimit -Sn 64; ulimit -Hn {DESCRIPTORS}; exec \"$0\" \"$@\"")]);
    limited.arg(program.get_program()).args(program.get_args());
    limited.stdin(std::process::Stdio::null()).stderr(std::process::Stdio::piped());
    let server = ServerProcess::start(limited);

    let kept = silent_connections(server.address, 200).await;
    assert!((64..DESCRIPTORS / 2).contains(&kept.len()), "{} of {DESCRIPTORS} descriptors", kept.len());
    for number in 0..20 {
        assert_eq!(health_elsewhere(number, server.address).await, Code::Ok);
    }
    let warnings: Vec<_> = server.lines().into_iter().filter(|line| line.contains("cannot accept")).collect();
    assert_eq!(warnings, Vec::<String>::new());
}

/// Accepting goes on when there are descriptors again; and until then nobody spins.
#[tokio::test]
async fn a_server_without_descriptors_waits_for_them() {
    let directory = tempfile::tempdir().unwrap();
    let server = ServerProcess::start(serve(directory.path(), &[]));
    assert_eq!(health_elsewhere(0, server.address).await, Code::Ok);
    let own = getrlimit(Resource::Nofile);
    let allow = |descriptors| {
        let limit = Rlimit { current: Some(descriptors), maximum: own.maximum };
        prlimit(Some(server.pid()), Resource::Nofile, limit).unwrap();
    };
    allow(lowest_free_descriptor(server.pid().as_raw_nonzero().get()));
    let mut waiting = Vec::new();
    for _ in 0..5 {
        waiting.push(TcpStream::connect(server.address).await.unwrap());
    }
    let failures = || server.lines().iter().filter(|line| line.contains("cannot accept connections")).count();
    while failures() < 3 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(failures() < 12, "{} attempts", failures());
    allow(own.current.unwrap_or(1_024));
    assert_eq!(health_elsewhere(1, server.address).await, Code::Ok);
    for stream in waiting {
        let mut attacker = Attacker::over(stream).await;
        assert_eq!(attacker.open(CHECK, &[]).await.finish(b"").await.code, Code::Ok);
    }
}

/// The number that the next descriptor of a process would have.
fn lowest_free_descriptor(process: i32) -> u64 {
    let open: std::collections::BTreeSet<u64> = std::fs::read_dir(format!("/proc/{process}/fd"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_str().unwrap().parse().unwrap())
        .collect();
    (0..).find(|number| !open.contains(number)).unwrap()
}
