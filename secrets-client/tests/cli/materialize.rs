//! The set in a directory: what an init container writes and other programs read.

use std::path::Path;
use std::process::Command;

use crate::support::TestServer;

fn server() -> TestServer {
    let server = TestServer::acme();
    let bob = server.person("bob");
    bob.set("lin_1", "LINEAR_API_KEY");
    bob.set("-----BEGIN", "DEPLOY_KEY --file ~/.ssh/deploy_key --mode 0400");
    bob.set("ghp_1", "GH_REGISTRY --registry ghcr.io --username bob");
    server
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn a_directory_has_the_set_and_then_the_next_one() {
    let server = server();
    let bob = server.person("bob");
    let dir = bob.home.join("run/secrets");
    let ended = bob
        .run_ok("materialize --dir run/secrets -o json")
        .reject_text("lin_1")
        .expect_text(&["3 secrets in run/secrets"]);
    assert_eq!(
        ended.json()["files"],
        serde_json::json!([".env", "DEPLOY_KEY", "GH_REGISTRY", "LINEAR_API_KEY", "config.json", "env.sh"])
    );
    assert_eq!(
        (read(&dir.join("LINEAR_API_KEY")), read(&dir.join("DEPLOY_KEY"))),
        ("lin_1".into(), "-----BEGIN".into())
    );
    assert_eq!(read(&dir.join(".env")), "LINEAR_API_KEY=lin_1\n");
    assert!(read(&dir.join("config.json")).contains("ghcr.io"));
    let script = ". run/secrets/env.sh; printenv LINEAR_API_KEY";
    let sourced = Command::new("sh").args(["-c", script]).current_dir(&bob.home).output().unwrap();
    assert_eq!(sourced.stdout, b"lin_1\n");
    // A file's own path is for `run`; here nothing is written but the directory.
    assert!(!bob.home.join(".ssh").exists());

    bob.set("lin_2", "LINEAR_API_KEY");
    bob.run_ok("rm DEPLOY_KEY --yes");
    bob.run_ok("materialize --dir run/secrets");
    assert_eq!(read(&dir.join("LINEAR_API_KEY")), "lin_2");
    assert!(!dir.join("DEPLOY_KEY").exists() && std::fs::read_link(dir.join("DEPLOY_KEY")).is_err());
    bob.run_ok("materialize --dir run/secrets --only LINEAR_API_KEY");
    assert!(!dir.join("config.json").exists() && dir.join("LINEAR_API_KEY").exists());
}

#[test]
fn a_set_that_cannot_be_resolved_changes_nothing() {
    let server = server();
    let bob = server.person("bob");
    bob.run_ok("materialize --dir secrets");
    bob.run("materialize --dir secrets --only NOPE").expect_failure(5).expect_text(&["NOPE"]);
    bob.run("materialize --dir secrets --workspace nope").expect_failure(4);
    assert_eq!(read(&bob.home.join("secrets/LINEAR_API_KEY")), "lin_1");
    bob.run("materialize --dir new --only NOPE").expect_failure(5);
    assert!(!bob.home.join("new").exists());
}

#[test]
fn a_directory_of_somebody_else_is_refused() {
    let server = server();
    let bob = server.person("bob");
    std::fs::create_dir(bob.home.join("src")).unwrap();
    std::fs::write(bob.home.join("src/LINEAR_API_KEY"), "theirs").unwrap();
    bob.run("materialize --dir src").expect_failure(1).expect_text(&["`src` can't be written", "did not write"]);
    assert_eq!(read(&bob.home.join("src/LINEAR_API_KEY")), "theirs");
    bob.run("materialize --dir src/LINEAR_API_KEY").expect_failure(1);
    for mode in ["0602", "0800", "1777"] {
        bob.run(&format!("materialize --dir new --mode {mode}")).expect_failure(2);
    }
}

#[test]
fn a_variable_that_dotenv_readers_would_misread_is_reported() {
    let server = server();
    let bob = server.person("bob");
    bob.set("it's $5", "ODD");
    bob.run_ok("materialize --dir secrets").expect_text(&["no .env was written", "ODD"]).reject_text("$5");
    assert!(!bob.home.join("secrets/.env").exists());
    assert!(read(&bob.home.join("secrets/env.sh")).contains("export ODD='it'\\''s $5'\n"));
}
