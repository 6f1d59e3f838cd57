use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::support::RunningCommand;
use crate::support::TestServer;

/// Waits until a file has this content.
#[track_caller]
fn becomes(file: &Path, content: &str) {
    let begun = Instant::now();
    while fs::read(file).ok().as_deref() != Some(content.as_bytes()) {
        assert!(begun.elapsed() < Duration::from_secs(40), "{:?} in {}", fs::read(file), file.display());
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_sidecar_replaces_the_whole_set_when_it_changes() {
    let mut server = TestServer::acme();
    let bob = server.person("bob");
    bob.set("lin_bob_1", "LINEAR_API_KEY");
    let dir = bob.home.join("run");
    let mut sidecar = RunningCommand::start(bob.command("materialize --dir run --workspace ws1 --watch"));
    becomes(&dir.join("LINEAR_API_KEY"), "lin_bob_1");
    let first = fs::read_link(dir.join("..data")).unwrap();

    bob.run_ok("edit LINEAR_API_KEY --description words");
    std::thread::sleep(Duration::from_secs(4));
    assert_eq!(fs::read_link(dir.join("..data")).unwrap(), first, "a description is nothing to a program");

    bob.set("lin_bob_2", "LINEAR_API_KEY");
    becomes(&dir.join("LINEAR_API_KEY"), "lin_bob_2");
    sidecar.wait_for_warning("Changed: LINEAR_API_KEY");
    assert_ne!(fs::read_link(dir.join("..data")).unwrap(), first);

    server.restart(Duration::from_secs(1));
    let bob = server.person("bob");
    bob.set("value", "ANOTHER");
    becomes(&dir.join("ANOTHER"), "value");
    bob.run_ok("rm ANOTHER --yes");
    let begun = Instant::now();
    while dir.join("ANOTHER").exists() {
        assert!(begun.elapsed() < Duration::from_secs(40));
        std::thread::sleep(Duration::from_millis(20));
    }
    sidecar.send_signal(Signal::TERM);
    assert_eq!(sidecar.wait_for_exit(), 0);
    becomes(&dir.join("LINEAR_API_KEY"), "lin_bob_2");
}

#[test]
fn a_sidecar_ends_with_its_right_and_leaves_what_is_there() {
    let server = TestServer::acme();
    let bob = server.person("bob");
    bob.set("lin_bob_1", "LINEAR_API_KEY");
    let session = bob.run_ok("session create --workspace ws1").line();
    let sandbox = server.person("sandbox").with("SECRETS_TOKEN", &session);
    let mut sidecar = RunningCommand::start(sandbox.command("materialize --dir run --watch"));
    let file = sandbox.home.join("run/LINEAR_API_KEY");
    becomes(&file, "lin_bob_1");
    let name = bob.run_ok("session list").row_of("bob");
    bob.run_ok(&format!("session revoke {name} --yes"));
    assert_eq!(sidecar.wait_for_exit(), 4);
    becomes(&file, "lin_bob_1");
    bob.run("materialize --dir run --splay 1m").expect_failure(2).expect_text(&["--watch"]);
}
