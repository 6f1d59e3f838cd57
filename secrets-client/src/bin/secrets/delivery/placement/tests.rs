use std::os::unix::fs::{MetadataExt as _, symlink};
use std::path::PathBuf;

use super::*;
use crate::args::executable::ExecutableArgs;
use crate::test_set;

mod shared;

/// A home, and a runtime directory that is not the tester's.
struct TestDir {
    top: tempfile::TempDir,
}

impl TestDir {
    fn new() -> Self {
        let top = tempfile::tempdir().unwrap();
        std::fs::create_dir(top.path().join("home")).unwrap();
        Self { top }
    }

    fn home(&self, path: &str) -> PathBuf {
        self.top.path().join("home").join(path)
    }

    fn plan(files: &[(&str, u32, &str)], home: &Path) -> Plan {
        let secrets: Vec<_> = files
            .iter()
            .map(|(path, mode, value)| {
                let target = match path.strip_prefix("registry:") {
                    Some(host) => test_set::registry(host),
                    None => test_set::file(path, *mode),
                };
                test_set::secret("KEY", value.as_bytes(), &target)
            })
            .collect();
        Plan::new(&secrets, Some(home), &ExecutableArgs::default()).unwrap()
    }

    fn place(&self, files: &[(&str, u32, &str)]) -> Result<Placement, CliError> {
        self.place_for("npm", false, &Self::plan(files, &self.home("")))
    }

    fn place_for(&self, program: &str, watches: bool, plan: &Plan) -> Result<Placement, CliError> {
        let endpoint = "http://localhost".to_owned();
        let recipient = Recipient { program: program.to_owned(), endpoint, watches };
        let runtime = RuntimeDir::at(self.top.path().join("runtime"));
        let registries = UserFiles::docker_alone(self.home(".docker"));
        Placement::within(runtime, plan, registries, recipient)
    }

    /// Everything below the home, and what is left in the runtime directory.
    fn files(&self) -> Vec<String> {
        let mut found = Vec::new();
        let mut ahead = vec![self.home(""), self.top.path().join("runtime")];
        while let Some(directory) = ahead.pop() {
            for entry in std::fs::read_dir(directory).into_iter().flatten() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    ahead.push(path.clone());
                }
                found.push(path.strip_prefix(self.top.path()).unwrap().display().to_string());
            }
        }
        found.retain(|path| path != "runtime/lock"); // which stays
        found.sort();
        found
    }
}

fn read(path: &Path) -> (String, u32) {
    (std::fs::read_to_string(path).unwrap(), std::fs::metadata(path).unwrap().mode() & 0o7777)
}

#[test]
fn writes_with_the_exact_mode_and_removes_every_trace() {
    let dir = TestDir::new();
    let placement = dir.place(&[("~/.ssh/key", 0o600, "k"), ("~/a/b/c", 0o664, "c"), ("~/d", 0o400, "d")]).unwrap();
    assert_eq!(read(&dir.home(".ssh/key")), ("k".into(), 0o600));
    assert_eq!(read(&dir.home("a/b/c")), ("c".into(), 0o664));
    assert_eq!(std::fs::metadata(dir.home("d")).unwrap().mode() & 0o7777, 0o400);
    assert_eq!(std::fs::metadata(dir.home(".ssh")).unwrap().mode() & 0o777, 0o700);
    placement.remove().unwrap();
    assert_eq!(dir.files(), Vec::<String>::new());
}

#[test]
fn keeps_a_directory_that_was_there_or_that_somebody_uses() {
    let dir = TestDir::new();
    std::fs::create_dir(dir.home("was")).unwrap();
    let placement = dir.place(&[("~/was/key", 0o600, "k"), ("~/new/key", 0o600, "k")]).unwrap();
    std::fs::write(dir.home("new/theirs"), "x").unwrap();
    drop(placement);
    assert_eq!(dir.files(), ["home/new", "home/new/theirs", "home/was"]);
}

#[test]
fn refuses_what_is_there_and_then_writes_nothing() {
    let dir = TestDir::new();
    std::fs::write(dir.home("file"), "theirs").unwrap();
    std::fs::create_dir(dir.home("directory")).unwrap();
    symlink("nowhere", dir.home("link")).unwrap();
    symlink("file", dir.home("link-to-file")).unwrap();
    let before = dir.files();
    for (path, why) in [
        ("~/file", "a file already"),
        ("~/directory", "a directory"),
        ("~/link", "a symbolic link"),
        ("~/link-to-file", "a symbolic link"),
        ("~/file/below", "Not a directory"),
    ] {
        let error = format!("{:?}", dir.place(&[("~/other/a", 0o600, "a"), (path, 0o600, "b")]).err().unwrap());
        assert!(error.contains(why), "{error}");
        assert_eq!(dir.files(), before, "{path}");
    }
    assert_eq!(read(&dir.home("file")).0, "theirs");
}

#[test]
fn two_at_once_share_a_path() {
    let dir = TestDir::new();
    for _ in 0..50 {
        let both = std::thread::scope(|scope| {
            let begin = || scope.spawn(|| dir.place(&[("~/new/key", 0o600, "same")]).unwrap());
            [begin(), begin()].map(|thread| thread.join().unwrap())
        });
        let [first, second] = both;
        assert_eq!(read(&dir.home("new/key")).0, "same");
        drop(first);
        assert_eq!(read(&dir.home("new/key")).0, "same");
        drop(second);
        assert_eq!(dir.files(), Vec::<String>::new());
    }
}

#[test]
fn replaces_what_changed_and_leaves_the_rest_untouched() {
    let dir = TestDir::new();
    let mut placement = dir.place(&[("~/same", 0o600, "s"), ("~/new", 0o600, "1"), ("~/gone", 0o600, "g")]).unwrap();
    let same = std::fs::metadata(dir.home("same")).unwrap().ino();
    let plan = [("~/same", 0o600, "s"), ("~/new", 0o640, "2"), ("~/more", 0o600, "m")];
    placement.replace(&TestDir::plan(&plan, &dir.home(""))).unwrap();
    assert_eq!(std::fs::metadata(dir.home("same")).unwrap().ino(), same);
    assert_eq!((read(&dir.home("new")), dir.home("gone").exists()), (("2".into(), 0o640), false));
    assert_eq!(read(&dir.home("more")).0, "m");

    // Somebody else's file stops the next change before anything is written.
    std::fs::remove_file(dir.home("new")).unwrap();
    std::fs::write(dir.home("new"), "theirs").unwrap();
    let plan = [("~/same", 0o600, "changed"), ("~/new", 0o600, "3")];
    assert!(placement.replace(&TestDir::plan(&plan, &dir.home(""))).is_err());
    assert_eq!((read(&dir.home("same")).0, read(&dir.home("new")).0), ("s".into(), "theirs".into()));
    let error = format!("{:?}", placement.remove().unwrap_err());
    assert!(error.contains("home/new` (somebody put another file there)"), "{error}");
    assert_eq!(dir.files(), ["home/new"]);
}

#[test]
fn begins_with_what_a_dead_process_left() {
    let dir = TestDir::new();
    let mut placement = dir.place(&[("~/new/key", 0o600, "k"), ("registry:ghcr.io", 0, "t")]).unwrap();
    std::fs::write(dir.home("new/.secrets-unfinished"), "k").unwrap();
    let run = placement.run.as_mut().unwrap();
    run.journal.note(&[Record::Writing(dir.home("new/.secrets-unfinished"), "key".into())]).unwrap();
    // As a kill does: the journal is closed, and nothing else happens.
    drop(placement.run.take());
    assert!(dir.home("new/key").exists());
    drop(dir.place(&[]).unwrap());
    assert_eq!(dir.files(), Vec::<String>::new());
}

#[test]
fn gives_registries_a_private_configuration_over_the_callers_own() {
    let dir = TestDir::new();
    std::fs::create_dir_all(dir.home(".docker/contexts")).unwrap();
    std::fs::write(dir.home(".docker/config.json"), r#"{"auths":{"quay.io":{"auth":"eA=="}}}"#).unwrap();
    let mut placement = dir.place(&[("registry:ghcr.io", 0, "first")]).unwrap();
    let directory = PathBuf::from(placement.variables().next().unwrap().1);
    let (config, mode) = read(&directory.join("config.json"));
    assert!(config.contains("quay.io") && config.contains("ghcr.io") && mode == 0o600, "{config}");
    assert!(crate::delivery::runtime_dir::is_private(&directory).unwrap() && directory.join("contexts").is_dir());
    placement.replace(&TestDir::plan(&[("registry:ghcr.io", 0, "second")], Path::new("/"))).unwrap();
    assert_ne!(read(&directory.join("config.json")).0, config);
    drop(placement);
    assert!(!directory.exists() && dir.home(".docker/contexts").is_dir());

    std::fs::write(dir.home(".docker/config.json"), "{").unwrap();
    assert!(dir.place(&[("registry:ghcr.io", 0, "t"), ("~/key", 0o600, "k")]).is_err());
    assert!(!dir.home("key").exists());
}

#[test]
fn forgets_what_became_of_earlier_versions() {
    let dir = TestDir::new();
    let mut placement = dir.place(&[("~/new/key", 0o600, "0"), ("~/gone", 0o600, "g")]).unwrap();
    for number in 1..100 {
        let plan = TestDir::plan(&[("~/new/key", 0o600, &number.to_string())], &dir.home(""));
        placement.replace(&plan).unwrap();
    }
    // The process, the directory and the file.
    assert_eq!(placement.run.as_ref().unwrap().journal.records().len(), 3);
    drop(placement);
    assert_eq!(dir.files(), Vec::<String>::new());
}

#[test]
fn whoever_has_no_files_waits_a_moment_for_the_lock_to_clean_up() {
    use std::os::unix::fs::DirBuilderExt as _;
    let dir = TestDir::new();
    let placement = dir.place(&[("~/key", 0o600, "k")]).unwrap();
    shared::kill(placement);
    assert!(dir.home("key").exists());
    // A process with other variables, which does not know the directory, begins or ends.
    let usual = dir.top.path().join("usual");
    std::fs::DirBuilder::new().mode(0o700).create(&usual).unwrap();
    let held = RuntimeDir::at(usual.clone());
    let (locked, wait) = std::sync::mpsc::channel();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let lock = held.lock(Missing::Skip).unwrap();
            locked.send(()).unwrap();
            std::thread::sleep(std::time::Duration::from_millis(100));
            drop(lock);
        });
        wait.recv().unwrap();
        let runtime = RuntimeDir::among(vec![dir.top.path().join("runtime")], vec![usual]);
        let recipient = Recipient { program: "npm".to_owned(), endpoint: String::new(), watches: false };
        let plan = TestDir::plan(&[], &dir.home(""));
        drop(Placement::within(runtime, &plan, UserFiles::docker_alone(dir.home(".docker")), recipient).unwrap());
    });
    assert!(dir.files().is_empty(), "{:?}", dir.files());
}
