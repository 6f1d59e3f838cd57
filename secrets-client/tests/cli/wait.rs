use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use crate::support::{Person, ProgramOutput, TestServer};

/// Longer than anything here may take.
const TIMEOUT: Duration = Duration::from_secs(40);

/// `secrets wait …`, and the line it says first.
fn waiting(person: &Person<'_>, line: &str) -> (Child, String) {
    let mut child = person.command(line).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut first = String::new();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    stderr.read_line(&mut first).unwrap();
    std::thread::spawn(move || stderr.lines().for_each(drop));
    (child, first)
}

fn ends(mut child: Child) -> i32 {
    let begun = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status.code().unwrap_or(-1);
        }
        if begun.elapsed() > TIMEOUT {
            let _ = child.kill();
            panic!("it still waits");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn wait_ends_when_somebody_sets_what_is_missing() {
    let server = TestServer::acme();
    let bob = server.person("bob");
    bob.set("v", "LINEAR_API_KEY");
    let (child, first) = waiting(&bob, "wait GITHUB_TOKEN LINEAR_API_KEY --workspace ws1 --timeout 5m");
    assert_eq!(first, "Waiting for GITHUB_TOKEN.\n");
    bob.set("gh", "GITHUB_TOKEN");
    assert_eq!(ends(child), 0);
    // What is there needs no waiting.
    let ended = bob.run_ok("wait GITHUB_TOKEN LINEAR_API_KEY --workspace ws1");
    assert_eq!((ended.stdout.as_str(), ended.stderr.as_str()), ("", ""));
}

#[test]
fn a_session_waits_for_what_its_user_sets() {
    let server = TestServer::acme();
    let bob = server.person("bob");
    let session = bob.run_ok("session create --workspace ws1").line();
    let sandbox = server.person("sandbox").with("SECRETS_TOKEN", &session);
    let (child, _) = waiting(&sandbox, "wait GITHUB_TOKEN --timeout 5m");
    bob.set("gh", "GITHUB_TOKEN");
    assert_eq!(ends(child), 0);
}

#[test]
fn wait_ends_with_code_5_and_names_what_is_missing() {
    let server = TestServer::acme();
    let ended = server.person("bob").run("wait GITHUB_TOKEN --workspace ws1 --timeout 1s").expect_failure(5);
    ended.expect_text(&["GITHUB_TOKEN", "still missing after 1 s"]);
    server
        .person("bob")
        .run("wait GITHUB_TOKEN --timeout 0s")
        .expect_failure(5)
        .expect_text(&["GITHUB_TOKEN", "still missing"]);
}

#[test]
fn wait_ends_with_code_6_when_nobody_answers() {
    let mut server = TestServer::acme();
    server.stop();
    let ended = server.person("bob").run("wait GITHUB_TOKEN --workspace ws1 --timeout 4s").expect_failure(6);
    ended.expect_text(&["did not answer within 4 s"]);
}

#[test]
fn a_denial_ends_it_at_once() {
    let server = TestServer::acme();
    let bob = server.person("bob");
    let begun = Instant::now();
    server.person("ann").run("wait GITHUB_TOKEN --workspace ws1 --timeout 5m").expect_failure(4);
    server.person("stranger").run("wait GITHUB_TOKEN --timeout 5m").expect_failure(4);
    bob.run("wait github-token --timeout 5m").expect_failure(1).expect_text(&["GITHUB_TOKEN"]);
    assert!(begun.elapsed() < TIMEOUT);
    // Also one that comes later: the session it waits with ends.
    let session = bob.run_ok("session create --workspace ws1").line();
    let sandbox = server.person("sandbox").with("SECRETS_TOKEN", &session);
    let (child, _) = waiting(&sandbox, "wait GITHUB_TOKEN --timeout 5m");
    let name = bob.run_ok("session list").row_of("bob");
    bob.run_ok(&format!("session revoke {name} --yes"));
    assert_eq!(ends(child), 4);
}

#[test]
fn wait_continues_while_the_server_restarts() {
    let mut server = TestServer::acme();
    let home = server.person("bob").home;
    let endpoint = server.endpoint.clone();
    let mut command = server.person("bob").command("wait GITHUB_TOKEN --workspace ws1 --timeout 5m");
    let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    stderr.read_line(&mut String::new()).unwrap();
    server.restart(Duration::from_secs(2));
    assert_eq!((server.person("bob").home, &server.endpoint), (home, &endpoint));
    assert!(child.try_wait().unwrap().is_none(), "it waits on");
    server.person("bob").set("gh", "GITHUB_TOKEN");
    assert_eq!(ends(child), 0);
    let _: ProgramOutput = server.person("bob").run_ok("wait GITHUB_TOKEN --workspace ws1");
}
