//! What is at a path before the program starts.

use std::fs::Permissions;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown, symlink};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::fs::{CWD, FileType, Mode, RenameFlags, mknodat, renameat_with};

use super::{end, kill, leftovers, server, stays};
use crate::support::{Person, RunningCommand};

/// Writes what the deploy key's path has before anything runs.
fn write_key(bob: &Person<'_>, content: &str, mode: u32) -> PathBuf {
    std::fs::create_dir_all(bob.home.join(".ssh")).unwrap();
    let key = bob.home.join(".ssh/deploy_key");
    std::fs::write(&key, content).unwrap();
    std::fs::set_permissions(&key, Permissions::from_mode(mode)).unwrap();
    key
}

fn make_pipe(path: &Path) {
    mknodat(CWD, path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
}

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
    refused("there is a file already, which allows more (mode 0644) than is asked for (0600) and has other content");
    refused("--skip-files");
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

#[test]
fn a_file_with_the_very_bytes_is_taken_as_it_is_and_left_there() {
    let server = server();
    let bob = server.person("bob");
    for mode in [0o600, 0o400] {
        let key = write_key(&bob, "-----BEGIN", mode);
        let inode = std::fs::metadata(&key).unwrap().ino();
        let (first, second) = (stays(&bob, &[]), stays(&bob, &[]));
        end(first);
        kill(second);
        bob.run_ok("run -- cat .ssh/deploy_key");
        let metadata = std::fs::metadata(&key).unwrap();
        assert_eq!((metadata.ino(), metadata.mode() & 0o7777), (inode, mode));
        assert_eq!(std::fs::read_to_string(&key).unwrap(), "-----BEGIN");
        assert!(!bob.home.join(".tool").exists());
        assert_eq!(leftovers(&bob), Vec::<PathBuf>::new());
        std::fs::remove_file(key).unwrap();
    }
}

#[test]
fn a_watch_does_not_replace_a_file_that_was_there() {
    let server = server();
    let bob = server.person("bob");
    let key = write_key(&bob, "-----BEGIN", 0o600);
    let words = ["run", "--watch", "--", "sh", "-c", "echo ready; exec sleep 300"];
    let running = RunningCommand::start(bob.command_words(&words));
    assert_eq!(running.next_line(), "ready");
    bob.set("-----BEGIN-2", "DEPLOY_KEY");
    let line = running.wait_for_warning("keeps what it has");
    assert!(line.contains("there is a file already, which has other content"), "{line}");
    drop(running);
    assert_eq!(std::fs::read_to_string(key).unwrap(), "-----BEGIN");
}

#[test]
fn a_refusal_says_what_about_the_file_is_otherwise() {
    let server = server();
    let bob = server.person("bob");
    let refused = |why: &str| {
        let refused = bob.run("run -- true").expect_failure(125);
        refused.expect_text(&["DEPLOY_KEY", &format!("there is {why}")]).reject_text("BEGIN");
        assert_eq!(leftovers(&bob), Vec::<PathBuf>::new());
    };
    let key = write_key(&bob, "-----BEGIM", 0o600);
    refused("a file already, which has other content");
    write_key(&bob, "-----BEGIN\n", 0o600);
    refused("a file already, which has other content");
    write_key(&bob, "-----BEGIN", 0o644);
    refused("a file already, which allows more (mode 0644) than is asked for (0600)");
    bob.run("run -- true").expect_text(&["hint: nothing was written; narrow it with `chmod 0600`, or leave files out"]);
    write_key(&bob, "-----BEGIN", 0o600);
    std::fs::hard_link(&key, bob.home.join("linked")).unwrap();
    refused("a file already, which has other names as well (2 links)");
    std::fs::remove_file(bob.home.join("linked")).unwrap();
    // Only root can play somebody else.
    if chown(&key, Some(12345), None).is_ok() {
        refused("a file already, which belongs to another user (uid 12345)");
    }
    std::fs::remove_file(&key).unwrap();
    make_pipe(&key);
    refused("a named pipe of this name");
}

#[test]
fn what_is_swapped_under_a_run_is_neither_followed_nor_replaced() {
    let server = server();
    let bob = server.person("bob");
    let key = write_key(&bob, "-----BEGIN", 0o600);
    let (victim, at) = (bob.home.join("victim"), |name: &str| bob.home.join(".ssh").join(name));
    std::fs::write(&victim, "victim").unwrap();
    std::fs::write(at("own"), "-----BEGIN").unwrap();
    std::fs::set_permissions(at("own"), Permissions::from_mode(0o600)).unwrap();
    symlink("../victim", at("link")).unwrap();
    make_pipe(&at("pipe"));
    std::fs::create_dir(bob.home.join("elsewhere")).unwrap();
    symlink("elsewhere", bob.home.join("link-to-directory")).unwrap();
    let swap = |a: &Path, b: &Path| renameat_with(CWD, a, CWD, b, RenameFlags::EXCHANGE).unwrap();
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                for name in ["own", "link", "pipe"] {
                    swap(&key, &at(name));
                    std::thread::yield_now();
                    swap(&key, &at(name));
                }
                swap(&bob.home.join(".ssh"), &bob.home.join("link-to-directory"));
                swap(&bob.home.join(".ssh"), &bob.home.join("link-to-directory"));
            }
        });
        let codes: Vec<i32> = (0..25).map(|_| bob.run("run --only DEPLOY_KEY -- true").code).collect();
        stop.store(true, Ordering::Relaxed);
        assert!(codes.iter().all(|code| [0, 125].contains(code)), "{codes:?}");
    });
    assert_eq!(std::fs::read_to_string(&victim).unwrap(), "victim");
    assert_eq!(std::fs::read_to_string(at("own")).unwrap(), "-----BEGIN");
    assert_eq!(std::fs::read_link(at("link")).unwrap(), Path::new("../victim"));
    assert_eq!(std::fs::read_to_string(&key).unwrap(), "-----BEGIN");
}

#[test]
fn files_are_left_out_on_request_and_said_once() {
    let server = server();
    let bob = server.person("bob");
    let key = write_key(&bob, "theirs", 0o600);
    bob.set("plain", "PLAIN");
    // Nor do files in each other's way matter then.
    bob.set("x", "BELOW --file ~/.ssh/deploy_key/below");
    let script = "echo $PLAIN; test -e .tool && exit 9; grep -c ghcr.io $DOCKER_CONFIG/config.json";
    let ended = bob.run_words(&["run", "--no-masking", "--skip-files", "--", "sh", "-c", script]);
    let ended = ended.expect_success("run");
    assert_eq!(ended.stdout, "plain\n1\n");
    let said: Vec<&str> = ended.stderr.lines().filter(|line| line.contains("DEPLOY_KEY")).collect();
    assert_eq!(said.len(), 1, "{ended:?}");
    assert!(said[0].starts_with("secrets: left out by --skip-files: BELOW (file "), "{said:?}");
    assert!(said[0].ends_with("SETTINGS (file ~/.tool/settings.json (0640))"), "{said:?}");
    assert_eq!(std::fs::read_to_string(&key).unwrap(), "theirs");
    // Nothing is said where nothing is left out.
    bob.run_ok("run --only PLAIN --skip-files -- true").reject_text("left out");
}

#[test]
fn a_watch_leaves_files_out_as_well() {
    let server = server();
    let bob = server.person("bob");
    bob.set("plain", "PLAIN");
    let words = ["run", "--watch", "--skip-files", "--no-masking", "--", "sh", "-c", "echo $PLAIN; exec sleep 300"];
    let running = RunningCommand::start(bob.command_words(&words));
    assert_eq!(running.next_line(), "plain");
    running.wait_for_warning("left out by --skip-files: DEPLOY_KEY");
    bob.set("other", "PLAIN");
    assert_eq!(running.next_line(), "other");
    assert!(!bob.home.join(".ssh").exists());
    assert!(!running.remaining_stderr().iter().any(|line| line.contains("left out")));
}
