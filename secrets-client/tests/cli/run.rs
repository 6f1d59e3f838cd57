use std::process::Stdio;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::world::World;

fn world() -> World {
    let world = World::acme();
    world.person("ann").sets("sk_test", "STRIPE_SECRET --project api");
    world.person("bob").sets("lin_bob", "LINEAR_API_KEY");
    world
}

#[test]
fn a_program_gets_its_secrets_and_not_the_token() {
    let world = world();
    let bob = world.person("bob");
    let token = bob.does("token create").line();
    let bob = world.person("bob").with("SECRETS_TOKEN", &token).with("LINEAR_API_KEY", "inherited");
    let ended = bob.does("run --workspace ws1 --no-masking -- env");
    assert!(ended.stdout.contains("LINEAR_API_KEY=lin_bob\n") && ended.stdout.contains("STRIPE_SECRET=sk_test\n"));
    assert!(!ended.stdout.contains(&token) && !ended.stdout.contains("SECRETS_TOKEN"));
    ended.shows(&["LINEAR_API_KEY replaced"]);
    let only = bob.does("run --workspace ws1 --only STRIPE_SECRET --no-masking -- env");
    assert!(only.stdout.contains("LINEAR_API_KEY=inherited\n") && only.stderr.is_empty(), "{only:?}");
}

#[test]
fn what_a_program_prints_is_masked() {
    let world = world();
    let bob = world.person("bob");
    let script = "echo $LINEAR_API_KEY; echo $STRIPE_SECRET >&2; printf %s $LINEAR_API_KEY | base64";
    let ended = bob.types_words(&["run", "--workspace", "ws1", "--", "sh", "-c", script]);
    assert_eq!((ended.stdout.as_str(), ended.stderr.as_str()), ("***\n***\n", "***\n"));
}

#[test]
fn the_programs_own_code_is_passed_through() {
    let world = world();
    let bob = world.person("bob");
    assert_eq!(bob.types("run -- true").code, 0);
    assert_eq!(bob.types("run -- false").code, 1);
    assert_eq!(bob.types_words(&["run", "--", "sh", "-c", "exit 42"]).code, 42);
    assert_eq!(bob.types_words(&["run", "--", "sh", "-c", "kill -KILL $$"]).code, 137);
    bob.types("run -- /nonexistent/program").fails(127);
    bob.types("run -- /").fails(126);
    bob.types("run --only NOPE -- true").fails(5);
    bob.types("run --project nope -- true").fails(125);
}

#[test]
fn stdin_and_stdout_are_the_programs_own() {
    let world = world();
    assert_eq!(world.person("bob").pipes(b"a\0b\n", "run -- cat").stdout, "a\0b\n");
}

#[test]
fn a_signal_reaches_the_program_which_decides_how_it_ends() {
    let world = world();
    let bob = world.person("bob");
    for (signal, name) in [(Signal::TERM, "TERM"), (Signal::HUP, "HUP"), (Signal::USR1, "USR1")] {
        let script = format!("trap 'echo caught; exit 7' {name}; echo ready; while :; do sleep 0.05; done");
        let mut command = bob.command_of(&["run", "--", "sh", "-c", &script]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut stdout = child.stdout.take().unwrap();
        let mut ready = [0; 6];
        std::io::Read::read_exact(&mut stdout, &mut ready).unwrap();
        kill_process(Pid::from_child(&child), signal).unwrap();
        let mut rest = String::new();
        std::io::Read::read_to_string(&mut stdout, &mut rest).unwrap();
        assert_eq!((rest.as_str(), child.wait().unwrap().code()), ("caught\n", Some(7)), "{name}");
    }
}

#[test]
fn a_program_that_dies_of_a_signal_gives_128_and_its_number() {
    let world = world();
    let mut child = world.person("bob").command("run -- sleep 60").stderr(Stdio::null()).spawn().unwrap();
    let begun = Instant::now();
    // Until the program is there, the signal ends `secrets` itself, which has no code of its own then.
    while !has_child(child.id()) {
        assert!(begun.elapsed() < Duration::from_secs(20));
        std::thread::sleep(Duration::from_millis(10));
    }
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(143));
    assert!(begun.elapsed() < Duration::from_secs(30));
}

fn has_child(pid: u32) -> bool {
    let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    !children.trim().is_empty()
}
