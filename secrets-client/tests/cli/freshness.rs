use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::world::{Person, World};

fn file(person: &Person<'_>) -> PathBuf {
    person.home.join(".local/state/secrets/revisions.json")
}

fn kept(person: &Person<'_>) -> Value {
    serde_json::from_slice(&fs::read(file(person)).unwrap()).unwrap()
}

#[test]
fn a_command_remembers_what_it_changed_for_the_next_one() {
    let world = World::acme();
    let bob = world.person("bob");
    assert!(!file(&bob).exists(), "nothing was changed yet");
    bob.sets("v", "LINEAR_API_KEY");
    let first = kept(&bob)[&world.endpoint]["acme"].clone();
    assert!(first.is_string(), "{first}");
    assert_eq!(fs::metadata(file(&bob)).unwrap().permissions().mode() & 0o777, 0o600);
    bob.does("resolve --workspace ws1");
    bob.does("explain --workspace ws1");
    assert_eq!(kept(&bob)[&world.endpoint]["acme"], first);
    bob.does("edit LINEAR_API_KEY --description new");
    assert_ne!(kept(&bob)[&world.endpoint]["acme"], first);
}

#[test]
fn a_revision_that_the_service_has_lost_locks_nobody_out() {
    let world = World::acme();
    let bob = world.person("bob");
    bob.sets("v", "LINEAR_API_KEY");
    // As after a restore: the number was there, the change was another; or it never was; or it is no revision at all.
    for revision in ["1.00000000000000000000000000000007", "999999.00000000000000000000000000000007", "nonsense"] {
        let mut all = kept(&bob);
        all[&world.endpoint] = json!({ "acme": revision });
        fs::write(file(&bob), all.to_string()).unwrap();
        bob.does("resolve LINEAR_API_KEY --workspace ws1 --show-values").shows(&["LINEAR_API_KEY"]);
        assert_eq!(kept(&bob).get(&world.endpoint), None, "it is forgotten");
        bob.does("explain --workspace ws1");
    }
}

#[test]
fn no_command_fails_because_there_is_no_place_to_remember() {
    let world = World::acme();
    let bob = world.person("bob").with("XDG_STATE_HOME", "/proc/nowhere");
    bob.sets("v", "LINEAR_API_KEY");
    bob.does("resolve LINEAR_API_KEY --workspace ws1 --raw");
    fs::create_dir_all(file(&bob).parent().unwrap()).unwrap();
    fs::write(file(&bob), "{broken").unwrap();
    world.person("bob").does("resolve --workspace ws1");
}
