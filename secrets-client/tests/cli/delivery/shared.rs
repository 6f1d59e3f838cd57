//! Several programs of one home that get the same file.

use std::io::Read as _;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use super::{end, kill, leftovers, mode, server, stays};
use crate::support::{Person, RunningCommand, TestServer};

/// Something hung.
const TIMEOUT: Duration = Duration::from_secs(60);

fn key(bob: &Person<'_>) -> Option<String> {
    std::fs::read_to_string(bob.home.join(".ssh/deploy_key")).ok()
}

/// Nothing is left of any of them.
fn expect_nothing_left(bob: &Person<'_>) {
    assert!(!bob.home.join(".ssh").exists() && !bob.home.join(".tool").exists());
    assert_eq!(leftovers(bob), Vec::<std::path::PathBuf>::new());
}

fn watch(bob: &Person<'_>) -> RunningCommand {
    let script = "trap 'cat ~/.ssh/deploy_key; echo' HUP; echo ready; for i in $(seq 1200); do sleep 0.05; done";
    let words = ["run", "--watch", "--signal", "HUP", "--no-masking", "--", "sh", "-c", script];
    let running = RunningCommand::start(bob.command_words(&words));
    assert_eq!(running.next_line(), "ready");
    running
}

#[test]
fn a_second_terminal_shares_the_files_and_the_last_run_removes_them() {
    let server = server();
    let bob = server.person("bob");
    let (first, second) = (stays(&bob, &[]), stays(&bob, &[]));
    bob.run_ok("run -- cat .ssh/deploy_key .tool/settings.json");
    end(first);
    assert_eq!(key(&bob).as_deref(), Some("-----BEGIN"));
    assert_eq!((mode(&bob.home.join(".ssh")), mode(&bob.home.join(".tool/settings.json"))), (0o700, 0o640));
    // Whoever needs no files leaves them alone as well.
    bob.set("plain", "PLAIN");
    bob.run_ok("run --only PLAIN -- true");
    assert_eq!(key(&bob).as_deref(), Some("-----BEGIN"));
    end(second);
    expect_nothing_left(&bob);
}

#[test]
fn a_run_within_a_run_and_many_at_once_share_them_too() {
    let server = server();
    let bob = server.person("bob");
    let program = env!("CARGO_BIN_EXE_secrets");
    // As `make -j` does, eight at once; then the outer one still finds its file.
    let script = format!(
        "for i in 1 2 3 4 5 6 7 8; do {program} run --no-masking -- cat .ssh/deploy_key & jobs=\"$jobs $!\"; done; \
         for job in $jobs; do wait $job || exit 9; done; echo; cat .ssh/deploy_key"
    );
    let ended = bob.run_words(&["run", "--no-masking", "--", "sh", "-c", &script]).expect_success("run");
    assert_eq!(ended.stdout, format!("{}\n-----BEGIN", "-----BEGIN".repeat(8)));
    expect_nothing_left(&bob);
}

#[test]
fn a_killed_run_leaves_the_files_to_the_others_and_the_last_one_killed_to_the_next() {
    let server = server();
    let bob = server.person("bob");
    let (first, second, third) = (stays(&bob, &[]), stays(&bob, &[]), stays(&bob, &[]));
    kill(first);
    bob.run_ok("run -- true");
    assert_eq!(key(&bob).as_deref(), Some("-----BEGIN"));
    kill(second);
    end(third);
    expect_nothing_left(&bob);

    let (first, last) = (stays(&bob, &[]), stays(&bob, &[]));
    end(first);
    kill(last);
    assert_eq!(key(&bob).as_deref(), Some("-----BEGIN"));
    bob.set("plain", "PLAIN");
    let begun = Instant::now();
    // A run without files leaves it to the next one where another process has a lock for long: here that of the directory that all of the
    // user's processes know, other tests' too.
    while !leftovers(&bob).is_empty() && begun.elapsed() < TIMEOUT {
        bob.run_ok("run --only PLAIN -- true");
    }
    expect_nothing_left(&bob);
}

#[test]
fn another_version_is_refused_with_the_run_that_has_the_older_one() {
    let server = server();
    let bob = server.person("bob");
    let first = stays(&bob, &[]);
    bob.set("-----BEGIN-2", "DEPLOY_KEY");
    let refused = bob.run("run -- touch started").expect_failure(125);
    let who =
        format!("another `secrets run` (process {}, `sh`) has version 1 there, and this is version 2", first.id());
    refused.expect_text(&["DEPLOY_KEY", &who, "end that run first"]);
    assert!(!bob.home.join("started").exists());
    assert_eq!(key(&bob).as_deref(), Some("-----BEGIN"));
    end(first);
    assert_eq!(bob.run_ok("run --no-masking -- cat .ssh/deploy_key").stdout, "-----BEGIN-2");
    expect_nothing_left(&bob);
}

#[test]
fn a_file_that_a_program_changed_is_not_shared() {
    let server = server();
    let bob = server.person("bob");
    let first = stays(&bob, &[]);
    std::fs::write(bob.home.join(".tool/settings.json"), "{\"token\":1}").unwrap();
    for flags in ["run -- true", "run --watch -- true"] {
        bob.run(flags).expect_failure(125).expect_text(&["SETTINGS", "(process ", "and it was changed since"]);
    }
    assert_eq!(std::fs::read_to_string(bob.home.join(".tool/settings.json")).unwrap(), "{\"token\":1}");
    end(first);
    expect_nothing_left(&bob);
}

#[test]
fn a_run_that_wants_another_mode_says_so() {
    let server = TestServer::acme();
    server.person("ann").set("#!/bin/sh\n", "TOOL --org --file ~/.tools/tool --mode 0755");
    let bob = server.person("bob");
    let first = stays(&bob, &[]);
    let other = bob.run("run --allow-executable -- true").expect_failure(125);
    other.expect_text(&["TOOL", "(process ", "with mode 0644, where 0755 is asked for"]);
    end(first);
    bob.run_ok("run --allow-executable -- test -x .tools/tool");
    assert!(!bob.home.join(".tools").exists());
}

#[test]
fn a_watch_replaces_the_file_of_others_who_leave_the_newer_one_alone() {
    let server = server();
    let bob = server.person("bob");
    let (plain, watching) = (stays(&bob, &[]), watch(&bob));
    bob.set("-----BEGIN-2", "DEPLOY_KEY");
    assert_eq!(watching.next_line(), "-----BEGIN-2");
    // The other program's path leads to the newer file, and its end is none of the newer one.
    end(plain);
    assert_eq!(key(&bob).as_deref(), Some("-----BEGIN-2"));
    let late = stays(&bob, &[]);
    drop(watching);
    assert_eq!(key(&bob).as_deref(), Some("-----BEGIN-2"));
    end(late);
    expect_nothing_left(&bob);
}

#[test]
fn a_watch_that_starts_late_brings_its_version_and_a_kill_of_it_leaves_that_to_the_others() {
    let server = server();
    let bob = server.person("bob");
    let first = stays(&bob, &[]);
    bob.set("-----BEGIN-2", "DEPLOY_KEY");
    kill(stays(&bob, &["--watch"]));
    assert_eq!(key(&bob).as_deref(), Some("-----BEGIN-2"));
    bob.run_ok("run -- true");
    assert_eq!(key(&bob).as_deref(), Some("-----BEGIN-2"));
    end(first);
    expect_nothing_left(&bob);
}

#[test]
fn a_run_does_not_wait_for_ever_for_one_that_hangs() {
    let server = server();
    let bob = server.person("bob");
    let runtime = bob.home.join(".runtime/secrets");
    bob.run_ok("run -- true");
    let script = "exec 9>\"$0/lock\"; flock 9; echo $$ >&9; echo ready; exec sleep 60";
    let mut command = bob.program(Path::new("sh"), &["-c", script, runtime.to_str().unwrap()]);
    let mut holder = command.stdout(Stdio::piped()).spawn().unwrap();
    holder.stdout.as_mut().unwrap().read_exact(&mut [0; 6]).unwrap();
    let refused = bob.run("run -- true").expect_failure(125);
    let who = format!("another `secrets` (process {})", holder.id());
    refused.expect_text(&[&who, "for more than 10 s"]);
    // Whoever needs no files does not wait for it.
    bob.set("plain", "PLAIN");
    let begun = Instant::now();
    bob.run_ok("run --only PLAIN -- true");
    assert!(begun.elapsed() < Duration::from_secs(9));
    kill(holder);
    bob.run_ok("run -- true");
    expect_nothing_left(&bob);
}
