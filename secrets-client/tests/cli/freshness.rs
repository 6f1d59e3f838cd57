use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::support::{Person, TestServer};

fn file(person: &Person<'_>) -> PathBuf {
    person.home.join(".local/state/secrets/revisions.json")
}

fn kept(person: &Person<'_>) -> Value {
    serde_json::from_slice(&fs::read(file(person)).unwrap()).unwrap()
}

#[test]
fn a_command_keeps_the_revision_for_the_next_one() {
    let server = TestServer::acme();
    let bob = server.person("bob");
    assert!(!file(&bob).exists(), "nothing was changed yet");
    bob.set("v", "LINEAR_API_KEY");
    let first = kept(&bob)[&server.endpoint]["acme"].clone();
    assert!(first.is_string(), "{first}");
    assert_eq!(fs::metadata(file(&bob)).unwrap().permissions().mode() & 0o777, 0o600);
    bob.run_ok("resolve --workspace ws1");
    bob.run_ok("explain --workspace ws1");
    assert_eq!(kept(&bob)[&server.endpoint]["acme"], first);
    bob.run_ok("edit LINEAR_API_KEY --description new");
    assert_ne!(kept(&bob)[&server.endpoint]["acme"], first);
}

#[test]
fn a_revision_that_the_service_has_lost_locks_nobody_out() {
    let server = TestServer::acme();
    let bob = server.person("bob");
    bob.set("v", "LINEAR_API_KEY");
    // As after a restore: the number was there, the change was another; or it never was; or it is no revision at all.
    for revision in ["1.00000000000000000000000000000007", "999999.00000000000000000000000000000007", "nonsense"] {
        let mut all = kept(&bob);
        all[&server.endpoint] = json!({ "acme": revision });
        fs::write(file(&bob), all.to_string()).unwrap();
        bob.run_ok("resolve LINEAR_API_KEY --workspace ws1 --show-values").expect_text(&["LINEAR_API_KEY"]);
        assert_eq!(kept(&bob).get(&server.endpoint), None, "it is forgotten");
        bob.run_ok("explain --workspace ws1");
    }
}

#[test]
fn no_command_fails_without_a_state_directory() {
    let server = TestServer::acme();
    let bob = server.person("bob").with("XDG_STATE_HOME", "/proc/nowhere");
    bob.set("v", "LINEAR_API_KEY");
    bob.run_ok("resolve LINEAR_API_KEY --workspace ws1 --raw");
    fs::create_dir_all(file(&bob).parent().unwrap()).unwrap();
    fs::write(file(&bob), "{broken").unwrap();
    server.person("bob").run_ok("resolve --workspace ws1");
}
