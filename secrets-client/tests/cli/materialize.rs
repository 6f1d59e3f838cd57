//! The set in a directory: what an init container writes and other programs read.

use std::path::Path;
use std::process::Command;

use super::world::World;

fn world() -> World {
    let world = World::acme();
    let bob = world.person("bob");
    bob.sets("lin_1", "LINEAR_API_KEY");
    bob.sets("-----BEGIN", "DEPLOY_KEY --file ~/.ssh/deploy_key --mode 0400");
    bob.sets("ghp_1", "GH_REGISTRY --registry ghcr.io --username bob");
    world
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn a_directory_holds_the_set_and_the_next_one_in_its_place() {
    let world = world();
    let bob = world.person("bob");
    let dir = bob.home.join("run/secrets");
    let ended = bob.does("materialize --dir run/secrets -o json").hides("lin_1").shows(&["3 secrets in run/secrets"]);
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

    bob.sets("lin_2", "LINEAR_API_KEY");
    bob.does("rm DEPLOY_KEY --yes");
    bob.does("materialize --dir run/secrets");
    assert_eq!(read(&dir.join("LINEAR_API_KEY")), "lin_2");
    assert!(!dir.join("DEPLOY_KEY").exists() && std::fs::read_link(dir.join("DEPLOY_KEY")).is_err());
    bob.does("materialize --dir run/secrets --only LINEAR_API_KEY");
    assert!(!dir.join("config.json").exists() && dir.join("LINEAR_API_KEY").exists());
}

#[test]
fn a_set_that_can_t_be_had_changes_nothing() {
    let world = world();
    let bob = world.person("bob");
    bob.does("materialize --dir secrets");
    bob.types("materialize --dir secrets --only NOPE").fails(5).shows(&["NOPE"]);
    bob.types("materialize --dir secrets --workspace nope").fails(4);
    assert_eq!(read(&bob.home.join("secrets/LINEAR_API_KEY")), "lin_1");
    bob.types("materialize --dir new --only NOPE").fails(5);
    assert!(!bob.home.join("new").exists());
}

#[test]
fn a_directory_of_somebody_else_is_refused() {
    let world = world();
    let bob = world.person("bob");
    std::fs::create_dir(bob.home.join("src")).unwrap();
    std::fs::write(bob.home.join("src/LINEAR_API_KEY"), "theirs").unwrap();
    bob.types("materialize --dir src").fails(1).shows(&["`src` can't be written", "did not write"]);
    assert_eq!(read(&bob.home.join("src/LINEAR_API_KEY")), "theirs");
    bob.types("materialize --dir src/LINEAR_API_KEY").fails(1);
    for mode in ["0602", "0800", "1777"] {
        bob.types(&format!("materialize --dir new --mode {mode}")).fails(2);
    }
}

#[test]
fn a_variable_that_dotenv_readers_would_misread_is_told() {
    let world = world();
    let bob = world.person("bob");
    bob.sets("it's $5", "ODD");
    bob.does("materialize --dir secrets").shows(&["no .env was written", "ODD"]).hides("$5");
    assert!(!bob.home.join("secrets/.env").exists());
    assert!(read(&bob.home.join("secrets/env.sh")).contains("export ODD='it'\\''s $5'\n"));
}
