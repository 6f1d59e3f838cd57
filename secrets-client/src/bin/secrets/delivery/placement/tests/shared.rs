//! Several processes that use one path.

use super::*;

/// A version of a secret whose file is `~/new/key`.
fn version(dir: &TestDir, version: u32, mode: u32, value: &str) -> Plan {
    secret_version(dir, "KEY", version, mode, value)
}

fn secret_version(dir: &TestDir, name: &str, version: u32, mode: u32, value: &str) -> Plan {
    let mut secret = test_set::secret(name, value.as_bytes(), &test_set::file("~/new/key", mode));
    secret.version = version;
    Plan::new(&[secret], Some(&dir.home("")), &ExecutableArgs::default()).unwrap()
}

/// As a kill does: the journal is closed, and nothing else happens.
pub(super) fn kill(mut placement: Placement) {
    drop(placement.run.take());
}

/// The key as it is there, and whether its directory is.
fn key(dir: &TestDir) -> (Option<String>, bool) {
    (std::fs::read_to_string(dir.home("new/key")).ok(), dir.home("new").exists())
}

fn there(value: &str) -> (Option<String>, bool) {
    (Some(value.to_owned()), true)
}

const GONE: (Option<String>, bool) = (None, false);

#[test]
fn the_last_one_removes_the_file_and_its_directory_whoever_ends_first() {
    for killed in [[false, false, false], [true, false, false], [false, true, true], [true, true, true]] {
        let dir = TestDir::new();
        let place = || dir.place_for("npm", false, &version(&dir, 1, 0o600, "k")).unwrap();
        let mut placements = vec![place(), place(), place()];
        for (left, killed) in [2, 1, 0].into_iter().zip(killed) {
            let first = placements.remove(0);
            if killed {
                kill(first)
            } else {
                first.remove().unwrap()
            }
            drop(dir.place(&[]).unwrap());
            assert_eq!(key(&dir), if left > 0 { there("k") } else { GONE }, "{killed} {left}");
        }
        assert_eq!(dir.files(), Vec::<String>::new());
    }
}

#[test]
fn those_with_other_variables_share_a_file_whoever_ends_first() {
    for session_ends_first in [true, false] {
        let dir = TestDir::new();
        let usual = || vec![dir.top.path().join("session"), dir.top.path().join("temporary")];
        let place = |own: &str| {
            let runtime = RuntimeDir::among(vec![dir.top.path().join(own)], usual());
            let endpoint = "http://localhost".to_owned();
            let recipient = Recipient { program: "npm".to_owned(), endpoint, watches: false };
            Placement::within(runtime, &version(&dir, 1, 0o600, "k"), UserFiles::default(), recipient).unwrap()
        };
        let (session, bare) = (place("session"), place("temporary"));
        let (first, last) = if session_ends_first { (session, bare) } else { (bare, session) };
        first.remove().unwrap();
        assert_eq!(key(&dir), there("k"), "{session_ends_first}");
        last.remove().unwrap();
        assert_eq!(key(&dir), GONE, "{session_ends_first}");
    }
}

#[test]
fn a_directory_stays_for_the_files_of_others_and_goes_with_the_last() {
    let dir = TestDir::new();
    let first = dir.place(&[("~/new/below/a", 0o600, "a")]).unwrap();
    let second = dir.place(&[("~/new/below/b", 0o600, "b")]).unwrap();
    drop(first);
    assert_eq!(read(&dir.home("new/below/b")).0, "b");
    drop(second);
    assert_eq!(dir.files(), Vec::<String>::new());
}

#[test]
fn another_version_is_refused_with_the_program_that_has_the_older_one() {
    let dir = TestDir::new();
    let _first = dir.place_for("npm", false, &version(&dir, 1, 0o600, "old")).unwrap();
    let number = std::process::id();
    let holder = format!("another `secrets run` (process {number}, `npm`)");
    for (plan, why) in [
        (version(&dir, 2, 0o600, "new"), "has version 1 there, and this is version 2"),
        (version(&dir, 1, 0o640, "old"), "has it there with mode 0600, where 0640 is asked for"),
        (version(&dir, 1, 0o600, "odd"), "has it there, and it was changed since"),
        (secret_version(&dir, "OTHER", 1, 0o600, "new"), "has another secret there: KEY (organization)"),
    ] {
        for watches in [false, true].into_iter().take(if why.contains("version 2") { 1 } else { 2 }) {
            let error = dir.place_for("make", watches, &plan).err().unwrap();
            assert!(error.message().contains(&format!("{holder} {why}")), "{error:?}");
            assert_eq!(key(&dir), there("old"), "{why}");
        }
    }
    // The same file from another service is another secret.
    let recipient = Recipient { program: "npm".to_owned(), endpoint: "http://elsewhere".to_owned(), watches: true };
    let runtime = RuntimeDir::at(dir.top.path().join("runtime"));
    let error =
        Placement::within(runtime, &version(&dir, 2, 0o600, "new"), UserFiles::default(), recipient).err().unwrap();
    assert!(error.message().contains("has a file of another service there"), "{error:?}");
}

#[test]
fn a_watch_replaces_an_older_version_whose_users_leave_the_newer_one_alone() {
    let dir = TestDir::new();
    let old = || dir.place_for("npm", false, &version(&dir, 1, 0o600, "old")).unwrap();
    let (first, second, third) = (old(), old(), old());
    let mut watch = dir.place_for("make", true, &version(&dir, 2, 0o600, "newer")).unwrap();
    assert_eq!(key(&dir), there("newer"));
    first.remove().unwrap();
    kill(second);
    watch.replace(&version(&dir, 3, 0o640, "newest")).unwrap();
    assert_eq!(key(&dir), there("newest"));
    // It is still used by whoever began with the old one, and so goes with it.
    watch.remove().unwrap();
    assert_eq!(key(&dir), there("newest"));
    third.remove().unwrap();
    assert_eq!(dir.files(), Vec::<String>::new());
}

#[test]
fn two_watches_follow_a_change_one_after_the_other() {
    let dir = TestDir::new();
    let place = || dir.place_for("make", true, &version(&dir, 1, 0o600, "old")).unwrap();
    let (mut first, mut second) = (place(), place());
    first.replace(&version(&dir, 2, 0o600, "new")).unwrap();
    let inode = std::fs::metadata(dir.home("new/key")).unwrap().ino();
    second.replace(&version(&dir, 2, 0o600, "new")).unwrap();
    assert_eq!(std::fs::metadata(dir.home("new/key")).unwrap().ino(), inode);
    // One of them gets the file no longer.
    first.replace(&TestDir::plan(&[], &dir.home(""))).unwrap();
    assert_eq!(key(&dir), there("new"));
    kill(second);
    drop(first);
    drop(dir.place(&[]).unwrap());
    assert_eq!(dir.files(), Vec::<String>::new());
}

#[test]
fn a_kill_of_whoever_replaced_a_file_leaves_it_to_its_users() {
    let dir = TestDir::new();
    let first = dir.place_for("npm", false, &version(&dir, 1, 0o600, "old")).unwrap();
    kill(dir.place_for("make", true, &version(&dir, 2, 0o600, "new")).unwrap());
    let second = dir.place_for("npm", false, &version(&dir, 2, 0o600, "new")).unwrap();
    first.remove().unwrap();
    assert_eq!(key(&dir), there("new"));
    second.remove().unwrap();
    assert_eq!(dir.files(), Vec::<String>::new());
}

#[test]
fn a_kill_between_two_steps_of_a_replacement_leaves_nothing() {
    let dir = TestDir::new();
    let users = dir.place_for("npm", false, &version(&dir, 1, 0o600, "old")).unwrap();
    // Everything was written and noted, and nothing has its name yet.
    let mut watch =
        dir.place_for("make", true, &TestDir::plan(&[("registry:ghcr.io", 0, "t")], &dir.home(""))).unwrap();
    let newer = version(&dir, 2, 0o600, "new");
    let steps = [Step::Write(None)];
    let journal = &mut watch.run.as_mut().unwrap().journal;
    assert_eq!(stage_all(journal, newer.files(), &steps).unwrap().0.len(), 1);
    kill(watch);
    drop(dir.place(&[]).unwrap());
    assert_eq!(key(&dir), there("old"));
    assert_eq!(std::fs::read_dir(dir.home("new")).unwrap().count(), 1);
    users.remove().unwrap();
    assert_eq!(dir.files(), Vec::<String>::new());
}

#[test]
fn somebodys_own_file_in_the_place_of_a_shared_one_is_left_to_them() {
    let dir = TestDir::new();
    let place = || dir.place_for("npm", false, &version(&dir, 1, 0o600, "k")).unwrap();
    let (first, second) = (place(), place());
    std::fs::remove_file(dir.home("new/key")).unwrap();
    std::fs::write(dir.home("new/key"), "theirs").unwrap();
    for placement in [first, second] {
        let error = placement.remove().unwrap_err();
        assert!(error.message().contains("somebody put another file there"), "{error:?}");
    }
    assert_eq!(key(&dir), there("theirs"));
}

#[test]
fn a_home_that_a_link_leads_to_is_the_same_home() {
    let dir = TestDir::new();
    symlink("home", dir.top.path().join("linked")).unwrap();
    let files = [("~/key", 0o600, "k")];
    let linked = || {
        let plan = TestDir::plan(&files, &dir.top.path().join("linked"));
        dir.place_for("npm", false, &plan).unwrap()
    };
    let (first, second) = (linked(), dir.place(&files).unwrap());
    first.remove().unwrap();
    assert_eq!(read(&dir.home("key")).0, "k");
    second.remove().unwrap();
    assert_eq!(dir.files(), Vec::<String>::new());
}
