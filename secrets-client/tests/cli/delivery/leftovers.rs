//! What is left of a program's files when it has ended, however it did.

use std::time::{Duration, Instant};

use super::{end, leftovers, mode, server, stays};

/// Something hung.
const TIMEOUT: Duration = Duration::from_secs(60);

#[test]
fn a_terminated_run_removes_its_files() {
    let server = server();
    let bob = server.person("bob");
    let child = stays(&bob, &[]);
    assert!(bob.home.join(".ssh/deploy_key").exists());
    end(child);
    assert!(!bob.home.join(".ssh").exists() && leftovers(&bob).is_empty());
}

#[test]
fn what_a_killed_run_left_is_removed_by_the_next_one() {
    let server = server();
    let bob = server.person("bob");
    let mut child = stays(&bob, &[]);
    child.kill().unwrap();
    child.wait().unwrap();
    let left = leftovers(&bob);
    assert_eq!((left.len(), mode(&left[0]), mode(&left[0].join("docker/config.json"))), (1, 0o700, 0o600));
    assert_eq!(mode(&left[0].join("containers/auth.json")), 0o600);
    assert_eq!(mode(&bob.home.join(".ssh/deploy_key")), 0o600);

    bob.set("plain", "PLAIN");
    let begun = Instant::now();
    // A run without files leaves it to the next one where another process has a lock for long: here that of the directory that all of the
    // user's processes know, other tests' too.
    while bob.home.join(".ssh").exists() || !leftovers(&bob).is_empty() {
        assert!(begun.elapsed() < TIMEOUT, "{:?}", leftovers(&bob));
        bob.run_ok("run --only PLAIN -- true");
    }
    assert!(!bob.home.join(".tool").exists());
}
