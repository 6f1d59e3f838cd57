use std::os::unix::fs::{MetadataExt as _, symlink};

use secrets_client::v1::{self, target::Kind};

use super::*;

/// A home, and a runtime folder that is not the tester's.
struct Place {
    top: tempfile::TempDir,
}

impl Place {
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
                let kind = match path.strip_prefix("registry:") {
                    Some(host) => Kind::Registry(v1::RegistryTarget { host: host.into(), username: "bob".into() }),
                    None => Kind::File(v1::FileTarget { path: (*path).into(), mode: *mode }),
                };
                let target = Some(v1::Target { kind: Some(kind) });
                let value = value.as_bytes().to_vec();
                v1::ResolvedSecret { secret_id: "KEY".into(), value, target, ..Default::default() }.into()
            })
            .collect();
        Plan::of(&secrets, Some(home)).unwrap()
    }

    fn place(&self, files: &[(&str, u32, &str)]) -> Result<Placed, CliError> {
        let runtime = Runtime::at(self.top.path().join("runtime"));
        Placed::within(runtime, &Self::plan(files, &self.home("")), Some(&self.home(".docker")))
    }

    /// Everything below the home, and what is left in the runtime folder.
    fn files(&self) -> Vec<String> {
        let mut found = Vec::new();
        let mut ahead = vec![self.home(""), self.top.path().join("runtime")];
        while let Some(folder) = ahead.pop() {
            for entry in std::fs::read_dir(folder).into_iter().flatten() {
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
    let place = Place::new();
    let placed = place.place(&[("~/.ssh/key", 0o600, "k"), ("~/a/b/c", 0o664, "c"), ("~/d", 0o400, "d")]).unwrap();
    assert_eq!(read(&place.home(".ssh/key")), ("k".into(), 0o600));
    assert_eq!(read(&place.home("a/b/c")), ("c".into(), 0o664));
    assert_eq!(std::fs::metadata(place.home("d")).unwrap().mode() & 0o7777, 0o400);
    assert_eq!(std::fs::metadata(place.home(".ssh")).unwrap().mode() & 0o777, 0o700);
    placed.remove().unwrap();
    assert_eq!(place.files(), Vec::<String>::new());
}

#[test]
fn keeps_a_folder_that_was_there_or_that_somebody_uses() {
    let place = Place::new();
    std::fs::create_dir(place.home("was")).unwrap();
    let placed = place.place(&[("~/was/key", 0o600, "k"), ("~/new/key", 0o600, "k")]).unwrap();
    std::fs::write(place.home("new/theirs"), "x").unwrap();
    drop(placed);
    assert_eq!(place.files(), ["home/new", "home/new/theirs", "home/was"]);
}

#[test]
fn refuses_what_is_there_and_then_writes_nothing() {
    let place = Place::new();
    std::fs::write(place.home("file"), "theirs").unwrap();
    std::fs::create_dir(place.home("folder")).unwrap();
    symlink("nowhere", place.home("link")).unwrap();
    symlink("file", place.home("link-to-file")).unwrap();
    let before = place.files();
    for (path, why) in [
        ("~/file", "a file already"),
        ("~/folder", "a folder"),
        ("~/link", "a symbolic link"),
        ("~/link-to-file", "a symbolic link"),
        ("~/file/below", "Not a directory"),
    ] {
        let failure = format!("{:?}", place.place(&[("~/other/a", 0o600, "a"), (path, 0o600, "b")]).err().unwrap());
        assert!(failure.contains(why), "{failure}");
        assert_eq!(place.files(), before, "{path}");
    }
    assert_eq!(read(&place.home("file")).0, "theirs");
}

#[test]
fn names_the_process_that_uses_a_path() {
    let place = Place::new();
    let _first = place.place(&[("~/key", 0o600, "first")]).unwrap();
    let failure = format!("{:?}", place.place(&[("~/key", 0o600, "second")]).err().unwrap());
    assert!(failure.contains(&format!("another `secrets` (process {})", std::process::id())), "{failure}");
    assert_eq!(read(&place.home("key")).0, "first");
}

#[test]
fn lets_one_of_two_at_once_have_a_path() {
    let place = Place::new();
    for _ in 0..50 {
        let both = std::thread::scope(|scope| {
            let begin = || scope.spawn(|| place.place(&[("~/key", 0o600, "same")]));
            [begin(), begin()].map(|thread| thread.join().unwrap())
        });
        let (placed, refused): (Vec<_>, Vec<_>) = both.into_iter().partition(Result::is_ok);
        let refused = format!("{:?}", refused[0].as_ref().err().unwrap());
        assert!(placed.len() == 1 && refused.contains("another `secrets`"), "{refused}");
        assert_eq!(read(&place.home("key")).0, "same");
        drop(placed);
        assert_eq!(place.files(), Vec::<String>::new());
    }
}

#[test]
fn replaces_what_changed_and_leaves_the_rest_untouched() {
    let place = Place::new();
    let mut placed = place.place(&[("~/same", 0o600, "s"), ("~/new", 0o600, "1"), ("~/gone", 0o600, "g")]).unwrap();
    let same = std::fs::metadata(place.home("same")).unwrap().ino();
    let plan = [("~/same", 0o600, "s"), ("~/new", 0o640, "2"), ("~/more", 0o600, "m")];
    placed.replace(&Place::plan(&plan, &place.home(""))).unwrap();
    assert_eq!(std::fs::metadata(place.home("same")).unwrap().ino(), same);
    assert_eq!((read(&place.home("new")), place.home("gone").exists()), (("2".into(), 0o640), false));
    assert_eq!(read(&place.home("more")).0, "m");

    // Somebody else's file stops the next change before anything is written.
    std::fs::remove_file(place.home("new")).unwrap();
    std::fs::write(place.home("new"), "theirs").unwrap();
    let plan = [("~/same", 0o600, "changed"), ("~/new", 0o600, "3")];
    assert!(placed.replace(&Place::plan(&plan, &place.home(""))).is_err());
    assert_eq!((read(&place.home("same")).0, read(&place.home("new")).0), ("s".into(), "theirs".into()));
    let failure = format!("{:?}", placed.remove().unwrap_err());
    assert!(failure.contains("home/new` (somebody put another file there)"), "{failure}");
    assert_eq!(place.files(), ["home/new"]);
}

#[test]
fn begins_with_what_a_dead_process_left() {
    let place = Place::new();
    let mut placed = place.place(&[("~/new/key", 0o600, "k"), ("registry:ghcr.io", 0, "t")]).unwrap();
    std::fs::write(place.home("new/.secrets-unfinished"), "k").unwrap();
    let run = placed.run.as_mut().unwrap();
    run.journal.note(Record::Writing(place.home("new/.secrets-unfinished"))).unwrap();
    // As a kill does: the journal is closed, and nothing else happens.
    drop(placed.run.take());
    assert!(place.home("new/key").exists());
    drop(place.place(&[]).unwrap());
    assert_eq!(place.files(), Vec::<String>::new());
}

#[test]
fn gives_registries_a_private_configuration_over_the_callers_own() {
    let place = Place::new();
    std::fs::create_dir_all(place.home(".docker/contexts")).unwrap();
    std::fs::write(place.home(".docker/config.json"), r#"{"auths":{"quay.io":{"auth":"eA=="}}}"#).unwrap();
    let mut placed = place.place(&[("registry:ghcr.io", 0, "first")]).unwrap();
    let folder = PathBuf::from(placed.variables().next().unwrap().1);
    let (config, mode) = read(&folder.join("config.json"));
    assert!(config.contains("quay.io") && config.contains("ghcr.io") && mode == 0o600, "{config}");
    assert!(crate::delivery::runtime_dir::is_private(&folder).unwrap() && folder.join("contexts").is_dir());
    placed.replace(&Place::plan(&[("registry:ghcr.io", 0, "second")], Path::new("/"))).unwrap();
    assert_ne!(read(&folder.join("config.json")).0, config);
    drop(placed);
    assert!(!folder.exists() && place.home(".docker/contexts").is_dir());

    std::fs::write(place.home(".docker/config.json"), "{").unwrap();
    assert!(place.place(&[("registry:ghcr.io", 0, "t"), ("~/key", 0o600, "k")]).is_err());
    assert!(!place.home("key").exists());
}
