//! A service that is there and says nothing, an address where nothing is, and a service that says why it can't answer.

use std::net::TcpListener;
use std::time::Duration;

use secrets_client::v1;
use tokio::net::{TcpSocket, TcpStream};
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

use super::answers::{VALUE, answer, variable};
use super::caller::Caller;
use crate::support::{HostileService, Reply, RunningCommand};

/// An address that answers no attempt to connect, as behind a firewall: the queue of its listener is full.
struct BlackHole {
    endpoint: String,
    _listener: tokio::net::TcpListener,
    _queued: Vec<TcpStream>,
    _runtime: tokio::runtime::Runtime,
}

impl BlackHole {
    fn open() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (listener, queued) = runtime.block_on(async {
            let socket = TcpSocket::new_v4().unwrap();
            socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
            let listener = socket.listen(1).unwrap();
            let (address, mut queued) = (listener.local_addr().unwrap(), Vec::new());
            while let Ok(connected) =
                tokio::time::timeout(Duration::from_millis(500), TcpStream::connect(address)).await
            {
                queued.push(connected.unwrap());
                assert!(queued.len() < 100, "the queue has no end");
            }
            (listener, queued)
        });
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        Self { endpoint, _listener: listener, _queued: queued, _runtime: runtime }
    }
}

#[test]
fn an_address_where_nothing_answers_is_named_while_it_is_waited_for_and_then_given_up() {
    let black_hole = BlackHole::open();
    let caller = Caller::at(&black_hole.endpoint);
    let waiting = format!("still waiting for {} …", black_hole.endpoint);
    let given_up = format!("error: the service at {} is unavailable: no connection within 5 s", black_hole.endpoint);
    for line in ["whoami", "whoami -o json", "project create api"] {
        let ended = caller.run(line).expect_failure(6);
        assert_eq!(ended.stdout, "");
        let lines: Vec<&str> = ended.stderr.lines().collect();
        let [first, error, hint] = lines.as_slice() else { panic!("{lines:#?}") };
        assert_eq!((*first, *error), (waiting.as_str(), given_up.as_str()), "{line}");
        assert!(hint.starts_with("hint: is the address right") && hint.contains("firewall"), "{hint}");
    }
    let ended = caller.run("doctor").expect_failure(6).expect_text(&["no connection within 5 s"]);
    assert!(!ended.stderr.contains("still waiting"), "it says itself what it finds: {ended:?}");
}

#[test]
fn a_service_that_accepts_and_says_nothing_is_named_while_it_is_waited_for() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let caller = Caller::at(&endpoint);
    for line in ["whoami", "wait A --timeout 1m", "run -- true"] {
        let running = RunningCommand::start(caller.command(line));
        assert_eq!(running.wait_for_warning("still"), format!("still waiting for {endpoint} …"), "{line}");
    }
    // One that is connected, and whose answer never ends.
    let service = HostileService::start(|_| Reply::stream(&[] as &[v1::WhoAmIResponse]));
    let running = RunningCommand::start(Caller::of(&service).command("whoami"));
    running.wait_for_warning(&format!("still waiting for {} …", service.endpoint));
}

#[test]
fn a_fallback_takes_the_place_of_an_answer_without_a_word_about_waiting() {
    use std::os::unix::fs::PermissionsExt as _;
    const RUN: &str = "run --fallback kept --fallback-key-file key --no-masking -- printenv A";
    let service = HostileService::start(|_| Reply::message(&answer(vec![variable("A")])));
    let caller = Caller::of(&service);
    let key = caller.home().join("key");
    std::fs::write(&key, "0".repeat(64)).unwrap();
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
    caller.run(RUN).expect_success(RUN);
    service.answer_with(|_| Reply::stream(&[] as &[v1::ResolveResponse]));
    let ended = caller.run(RUN).expect_success(RUN).expect_text(&["did not answer within 3 s; using what it gave"]);
    assert_eq!((ended.stdout.as_str(), ended.stderr.lines().count()), (format!("{VALUE}\n").as_str(), 1), "{ended:?}");
}

#[test]
fn a_service_without_its_database_says_so_itself() {
    const WHY: &str = "the database does not answer; nothing was done";
    let service = HostileService::start(|_| {
        let mut details = ErrorDetails::new();
        details.set_error_info("STORAGE_UNAVAILABLE", "secretsapi.v1", []);
        Reply::Refused(Status::with_error_details(Code::Unavailable, WHY, details))
    });
    for line in ["whoami", "project create api", "run -- true"] {
        let ended = Caller::of(&service).run(line);
        let expected = if line.starts_with("run") { 125 } else { 6 };
        let ended =
            ended.expect_failure(expected).expect_text(&[&format!("error: {WHY}"), "tell the operator of the service"]);
        for wrong in ["is the service running", "TLS", "connection"] {
            assert!(!ended.stderr.contains(wrong), "{line}: {ended:?}");
        }
    }
}
