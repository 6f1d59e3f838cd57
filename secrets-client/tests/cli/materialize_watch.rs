use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::running::Running;
use super::world::World;

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
    let mut world = World::acme();
    let bob = world.person("bob");
    bob.sets("lin_bob_1", "LINEAR_API_KEY");
    let dir = bob.home.join("run");
    let mut sidecar = Running::start(bob.command("materialize --dir run --workspace ws1 --watch"));
    becomes(&dir.join("LINEAR_API_KEY"), "lin_bob_1");
    let first = fs::read_link(dir.join("..data")).unwrap();

    bob.does("edit LINEAR_API_KEY --description words");
    std::thread::sleep(Duration::from_secs(4));
    assert_eq!(fs::read_link(dir.join("..data")).unwrap(), first, "a description is nothing to a program");

    bob.sets("lin_bob_2", "LINEAR_API_KEY");
    becomes(&dir.join("LINEAR_API_KEY"), "lin_bob_2");
    sidecar.warns("Changed: LINEAR_API_KEY");
    assert_ne!(fs::read_link(dir.join("..data")).unwrap(), first);

    world.restart(Duration::from_secs(1));
    let bob = world.person("bob");
    bob.sets("value", "ANOTHER");
    becomes(&dir.join("ANOTHER"), "value");
    bob.does("rm ANOTHER --yes");
    let begun = Instant::now();
    while dir.join("ANOTHER").exists() {
        assert!(begun.elapsed() < Duration::from_secs(40));
        std::thread::sleep(Duration::from_millis(20));
    }
    sidecar.sent(Signal::TERM);
    assert_eq!(sidecar.ends(), 0);
    becomes(&dir.join("LINEAR_API_KEY"), "lin_bob_2");
}

#[test]
fn a_sidecar_ends_with_its_right_and_leaves_what_is_there() {
    let world = World::acme();
    let bob = world.person("bob");
    bob.sets("lin_bob_1", "LINEAR_API_KEY");
    let session = bob.does("session create --workspace ws1").line();
    let sandbox = world.person("sandbox").with("SECRETS_TOKEN", &session);
    let mut sidecar = Running::start(sandbox.command("materialize --dir run --watch"));
    let file = sandbox.home.join("run/LINEAR_API_KEY");
    becomes(&file, "lin_bob_1");
    let name = bob.does("session list").row_of("bob");
    bob.does(&format!("session revoke {name} --yes"));
    assert_eq!(sidecar.ends(), 4);
    becomes(&file, "lin_bob_1");
    bob.types("materialize --dir run --splay 1m").fails(2).shows(&["--watch"]);
}
