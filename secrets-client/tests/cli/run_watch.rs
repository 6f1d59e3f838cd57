use std::path::Path;
use std::time::Duration;

use rustix::process::Signal;

use crate::support::RunningCommand;
use crate::support::{Person, TestServer};

fn server() -> TestServer {
    let server = TestServer::acme();
    server.person("bob").set("lin_bob_1", "LINEAR_API_KEY");
    server
}

/// `secrets run --watch … -- sh -c SCRIPT` in `ws1`.
fn run(person: &Person<'_>, flags: &[&str], script: &str) -> RunningCommand {
    let words = [&["run", "--watch"], flags, &["--", "sh", "-c", script]].concat();
    RunningCommand::start(person.command_words(&words))
}

/// Says how long its key is, and stays.
const STAYS: &str = r#"echo "started with ${#LINEAR_API_KEY}"; exec sleep 300"#;

#[test]
fn a_program_is_started_again_when_what_it_gets_changes_and_not_for_a_description() {
    let server = server();
    let bob = server.person("bob");
    let running = run(&bob, &["--workspace", "ws1"], STAYS);
    assert_eq!(running.next_line(), "started with 9");
    bob.run_ok("edit LINEAR_API_KEY --description words");
    std::thread::sleep(Duration::from_secs(4));
    assert!(running.is_silent(), "a description is nothing to a program");
    bob.set("lin_bob_two", "LINEAR_API_KEY");
    assert_eq!(running.next_line(), "started with 11");
    assert!(running.wait_for_warning("LINEAR_API_KEY changed").contains("started again"));
    // Somebody else's change counts as well.
    bob.run_ok("rm LINEAR_API_KEY --yes");
    assert_eq!(running.next_line(), "started with 0");
    assert!(running.is_silent());
}

#[test]
fn changes_that_come_together_start_it_once() {
    let server = server();
    let bob = server.person("bob");
    let running = run(&bob, &["--workspace", "ws1"], r#"echo "started with $(env | grep -c ^KEY_)"; exec sleep 120"#);
    assert_eq!(running.next_line(), "started with 0");
    for number in 1..4 {
        bob.set("value", &format!("KEY_{number}"));
    }
    assert_eq!(running.next_line(), "started with 3");
}

#[test]
fn a_program_is_sent_a_signal_and_finds_its_files_changed() {
    let server = server();
    let bob = server.person("bob");
    bob.set("config-one", "CONFIG --file ~/app.conf");
    let script = r#"trap 'echo "now $(cat ~/app.conf) $LINEAR_API_KEY"' HUP; cat ~/app.conf; echo; for i in $(seq 1200); do sleep 0.05; done"#;
    let plain = run(&bob, &["--no-masking", "--signal", "HUP", "--workspace", "ws1"], script);
    assert_eq!(plain.next_line(), "config-one");
    bob.set("config-two", "CONFIG --file ~/app.conf");
    assert_eq!(plain.next_line(), "now config-two lin_bob_1");
    drop(plain);
    assert!(!bob.home.join("app.conf").exists());

    // What it had before stays masked: its variables do not change.
    let masked = run(&bob, &["--signal", "SIGHUP", "--workspace", "ws1"], script);
    assert_eq!(masked.next_line(), "***");
    bob.set("lin_bob_two", "LINEAR_API_KEY");
    assert_eq!(masked.next_line(), "now *** ***");
    bob.set("config-three", "CONFIG --file ~/app.conf");
    assert_eq!(masked.next_line(), "now *** ***");
}

#[test]
fn a_set_that_cannot_be_delivered_stops_nothing() {
    let server = server();
    let bob = server.person("bob");
    let mut running = run(&bob, &["--only", "LINEAR_API_KEY", "--workspace", "ws1"], STAYS);
    assert_eq!(running.next_line(), "started with 9");
    bob.run_ok("rm LINEAR_API_KEY --yes");
    let line = running.wait_for_warning("keeps what it has");
    assert!(line.contains("LINEAR_API_KEY"), "{line}");
    assert!(running.is_running() && running.is_silent());
    bob.set("lin_bob_two", "LINEAR_API_KEY");
    assert_eq!(running.next_line(), "started with 11");

    // A file is in the way of the next one.
    let mut running = run(&bob, &["--workspace", "ws1"], STAYS);
    assert_eq!(running.next_line(), "started with 11");
    std::fs::write(bob.home.join("taken"), "somebody's").unwrap();
    bob.set("value", "IN_THE_WAY --file ~/taken");
    running.wait_for_warning("IN_THE_WAY changed, and the program keeps what it has");
    assert!(running.is_running() && running.is_silent());
    assert_eq!(std::fs::read_to_string(bob.home.join("taken")).unwrap(), "somebody's");
}

#[test]
fn a_broken_watch_does_not_stop_the_program() {
    let server = server();
    let bob = server.person("bob");
    let session = bob.run_ok("session create --workspace ws1").line();
    let sandbox = server.person("sandbox").with("SECRETS_TOKEN", &session);
    let mut running = run(&sandbox, &[], STAYS);
    assert_eq!(running.next_line(), "started with 9");
    // The watch is opened after the program was started: by the first change that it tells of it is open.
    bob.set("lin_bob_two", "LINEAR_API_KEY");
    assert_eq!(running.next_line(), "started with 11");
    let name = bob.run_ok("session list").row_of("bob");
    bob.run_ok(&format!("session revoke {name} --yes"));
    running.wait_for_warning("stopped watching for changes");
    bob.set("lin_bob_three", "LINEAR_API_KEY");
    std::thread::sleep(Duration::from_secs(4));
    assert!(running.is_running() && running.is_silent());
    running.send_signal(Signal::TERM);
    assert_eq!(running.wait_for_exit(), 143);
}

#[test]
fn run_watch_continues_through_a_minute_without_a_server() {
    let mut server = server();
    let mut running = run(&server.person("bob"), &["--workspace", "ws1"], STAYS);
    assert_eq!(running.next_line(), "started with 9");
    server.restart(Duration::from_secs(60));
    assert!(running.is_running() && running.is_silent());
    server.person("bob").set("lin_bob_two", "LINEAR_API_KEY");
    assert_eq!(running.next_line(), "started with 11");
}

#[test]
fn a_program_that_does_not_end_is_killed_after_its_grace() {
    let server = server();
    let bob = server.person("bob");
    let script = r#"trap '' TERM; echo "started with ${#LINEAR_API_KEY}"; for i in $(seq 1200); do sleep 0.05; done"#;
    let mut running = run(&bob, &["--grace", "1s", "--workspace", "ws1"], script);
    assert_eq!(running.next_line(), "started with 9");
    bob.set("lin_bob_two", "LINEAR_API_KEY");
    assert_eq!(running.next_line(), "started with 11");
    // The second one takes no TERM either: HUP ends it.
    running.send_signal(Signal::HUP);
    assert_eq!(running.wait_for_exit(), 129);
}

#[test]
fn a_signal_during_a_restart_ends_it() {
    let server = server();
    let bob = server.person("bob");
    let script = r#"trap 'sleep 3; exit 9' TERM; echo "started with ${#LINEAR_API_KEY}"; for i in $(seq 1200); do sleep 0.05; done"#;
    let mut running = run(&bob, &["--workspace", "ws1"], script);
    assert_eq!(running.next_line(), "started with 9");
    bob.set("lin_bob_two", "LINEAR_API_KEY");
    running.wait_for_warning("started again");
    running.send_signal(Signal::TERM);
    assert_eq!(running.wait_for_exit(), 9);
    assert!(running.is_silent(), "no other was started");
}

#[test]
fn what_a_program_left_running_ends_before_it_is_started_again() {
    let server = server();
    let bob = server.person("bob");
    let script =
        r#"sh -c 'trap "sleep 1; exit" TERM; while :; do sleep 0.05; done' & echo "$! ${#LINEAR_API_KEY}"; wait"#;
    let secrets = bob.command_words(&["run", "--watch", "--workspace", "ws1", "--shell", script]);
    let words: Vec<&str> = secrets.get_args().map(|word| word.to_str().unwrap()).collect();
    // Without a terminal, as a service: there the program can have a group of its own.
    let alone = [&[env!("CARGO_BIN_EXE_secrets")], words.as_slice()].concat();
    let running = RunningCommand::start(bob.program(Path::new("setsid"), &alone));
    let said = running.next_line();
    let (descendant, length) = said.split_once(' ').unwrap();
    assert_eq!(length, "9");
    bob.set("lin_bob_two", "LINEAR_API_KEY");
    assert!(running.next_line().ends_with(" 11"));
    assert!(!Path::new("/proc").join(descendant).exists(), "it ended before");
}

#[test]
fn a_new_set_says_what_is_not_masked_and_what_a_log_is_to_mask() {
    let server = server();
    let bob = server.person("bob");
    let running = run(&bob, &["--ci", "github", "--workspace", "ws1"], STAYS);
    assert_eq!(running.next_line(), "started with 9");
    assert_eq!(running.wait_for_warning("::add-mask::"), "::add-mask::lin_bob_1");
    bob.set("abc", "TINY");
    running.wait_for_warning("not masked: TINY (too short)");
    assert_eq!(running.next_line(), "started with 9");
    bob.set("lin_bob_two", "LINEAR_API_KEY");
    assert_eq!(running.wait_for_warning("::add-mask::lin_bob_t"), "::add-mask::lin_bob_two");
    assert_eq!(running.next_line(), "started with 11");
}

#[test]
fn a_session_is_renewed_while_its_program_runs() {
    let server = server();
    let bob = server.person("bob");
    let session = bob.run_ok("session create --workspace ws1 --ttl 9s").line();
    let running = run(&server.person("sandbox").with("SECRETS_TOKEN", &session), &[], STAYS);
    assert_eq!(running.next_line(), "started with 9");
    std::thread::sleep(Duration::from_secs(12));
    bob.set("lin_bob_two", "LINEAR_API_KEY");
    assert_eq!(running.next_line(), "started with 11");
}

#[test]
fn what_belongs_to_a_watch_needs_one() {
    let server = server();
    let bob = server.person("bob");
    for line in ["run --signal HUP -- true", "run --splay 1m -- true", "run --grace 1s -- true"] {
        bob.run(line).expect_failure(2).expect_text(&["--watch"]);
    }
    bob.run("run --watch --signal NOPE -- true").expect_failure(2).expect_text(&["HUP"]);
    // One that ends by itself is not started again.
    assert_eq!(bob.run("run --watch --workspace ws1 -- sh -c exit").code, 0);
}
