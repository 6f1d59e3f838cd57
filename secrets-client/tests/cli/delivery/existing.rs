//! What is at a path before the program starts.

use std::os::unix::fs::symlink;
use std::path::PathBuf;

use super::{leftovers, server};

#[test]
fn an_existing_file_is_refused_and_nothing_is_started() {
    let server = server();
    let bob = server.person("bob");
    let key = bob.home.join(".ssh/deploy_key");
    std::fs::create_dir(bob.home.join(".ssh")).unwrap();
    let refused = |why: &str| {
        bob.run_words(&["run", "--", "sh", "-c", "touch started"]).expect_failure(125).expect_text(&[
            "DEPLOY_KEY",
            "deploy_key`",
            why,
        ]);
        assert!(!bob.home.join("started").exists() && !bob.home.join(".tool").exists(), "{why}");
        assert_eq!(leftovers(&bob), Vec::<PathBuf>::new());
    };
    std::fs::write(&key, "theirs").unwrap();
    refused("a file already");
    assert_eq!(std::fs::read_to_string(&key).unwrap(), "theirs");
    std::fs::remove_file(&key).unwrap();
    symlink("elsewhere", &key).unwrap();
    refused("a symbolic link");
    assert!(!bob.home.join(".ssh/elsewhere").exists());
    std::fs::remove_file(&key).unwrap();
    std::fs::create_dir(&key).unwrap();
    refused("a directory");
}

#[test]
fn paths_in_each_others_way_are_refused_before_anything_is_written() {
    let server = server();
    let bob = server.person("bob");
    bob.set("x", "BELOW --file ~/.ssh/deploy_key/below");
    bob.run("run -- true").expect_failure(125).expect_text(&["DEPLOY_KEY", "BELOW"]).reject_text("-----BEGIN");
    assert!(!bob.home.join(".ssh").exists());
}
