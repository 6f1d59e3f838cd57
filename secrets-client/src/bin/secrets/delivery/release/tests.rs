use std::fs::File;

use super::super::journal::Journal;
use super::*;

struct TestDir(tempfile::TempDir);

impl TestDir {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str) -> Record {
        std::fs::write(self.at(name), "x").unwrap();
        self.record(name, file_id(&self.at(name)))
    }

    fn record(&self, name: &str, file_id: FileId) -> Record {
        let secret = "organizations/acme/secrets/KEY".to_owned();
        Record::File(FileRecord { path: self.at(name), file_id, secret, version: 1 })
    }

    fn create_dir(&self, name: &str) -> Record {
        std::fs::create_dir(self.at(name)).unwrap();
        Record::Directory(self.at(name), file_id(&self.at(name)))
    }

    /// What is being written, to get this name.
    fn writing(&self, name: &str) -> Record {
        Record::Writing(self.at(&format!(".secrets-{name}")), name.into())
    }

    /// A process with these records; its journal is open.
    fn living(&self, name: &str, records: &[Record]) -> (Living, Journal) {
        let directory = self.at(name);
        std::fs::create_dir(&directory).unwrap();
        let process = Process { number: 1, program: "sh".to_owned(), endpoint: String::new() };
        let mut journal = Journal::create(&directory, process).unwrap();
        journal.note(records).unwrap();
        (Living { directory, records: journal.records().to_vec() }, journal)
    }
}

fn file_id(path: &Path) -> FileId {
    FileId::from_file(&File::open(path).unwrap()).unwrap()
}

fn with_other_id(record: &Record) -> Record {
    let Record::File(file) = record else { unreachable!() };
    Record::File(FileRecord { file_id: FileId { inode: 0, ..file.file_id }, ..file.clone() })
}

#[test]
fn removes_what_is_still_the_same() {
    let dir = TestDir::new();
    let (empty, full) = (dir.create_dir("empty"), dir.create_dir("full"));
    let (_, ours, theirs, _) = (dir.write("full/x"), dir.write("ours"), dir.write("theirs"), dir.write("half"));
    let records = [
        empty,
        full,
        Record::Writing(dir.at("half"), "whole".into()),
        with_other_id(&ours),
        ours.clone(),
        with_other_id(&theirs),
        dir.record("gone/already", file_id(&dir.at("ours"))),
    ];
    let left = release(&records, &mut []);
    assert_eq!(left.len(), 1, "{left:?}");
    assert_eq!((&left[0].path, left[0].is_ours), (&dir.at("theirs"), false));
    for (name, there) in [("empty", false), ("full/x", true), ("ours", false), ("theirs", true), ("half", false)] {
        assert_eq!(dir.at(name).exists(), there, "{name}");
    }
}

#[test]
fn finishes_a_removal_that_a_kill_interrupted() {
    let dir = TestDir::new();
    let (directory, key) = (dir.create_dir("new"), dir.write("new/key"));
    let aside = aside(file_id(&dir.at("new/key")));
    std::fs::rename(dir.at("new/key"), dir.at("new").join(aside)).unwrap();
    assert!(release(&[directory, key], &mut []).is_empty());
    assert!(!dir.at("new").exists());
}

#[test]
fn gives_back_what_a_removal_took_and_was_not_ours() {
    let dir = TestDir::new();
    let key = dir.write("key");
    let aside = dir.at("").join(aside(file_id(&dir.at("key"))));
    let swapped = |content: &str| {
        // Somebody replaced the file before its first step, and a kill came before the second one.
        let _ = std::fs::remove_file(dir.at("key"));
        std::fs::write(dir.at("theirs"), content).unwrap();
        std::fs::rename(dir.at("theirs"), &aside).unwrap();
    };
    swapped("theirs");
    let left = release(std::slice::from_ref(&key), &mut []);
    assert!(left.len() == 1 && !left[0].is_ours, "{left:?}");
    assert_eq!(std::fs::read_to_string(dir.at("key")).unwrap(), "theirs");
    assert!(!aside.exists());
    // Where the name was taken meanwhile, neither is lost, and it is said where it is.
    swapped("theirs");
    std::fs::write(dir.at("key"), "another").unwrap();
    let left = release(std::slice::from_ref(&key), &mut []);
    assert!(left.len() == 1 && !left[0].is_ours, "{left:?}");
    assert!(left[0].why.contains(aside.file_name().unwrap().to_str().unwrap()), "{left:?}");
    assert_eq!(std::fs::read_to_string(dir.at("key")).unwrap(), "another");
    assert_eq!(std::fs::read_to_string(&aside).unwrap(), "theirs");
}

#[test]
fn removes_a_file_whose_name_for_a_removal_somebody_took() {
    for squatter in ["file", "directory", "link", "link to ours"] {
        let dir = TestDir::new();
        let key = dir.write("key");
        let aside = dir.at("").join(aside(file_id(&dir.at("key"))));
        match squatter {
            "file" => std::fs::write(&aside, "theirs").unwrap(),
            "directory" => std::fs::create_dir(&aside).unwrap(),
            "link" => std::os::unix::fs::symlink("nowhere", &aside).unwrap(),
            _ => std::fs::hard_link(dir.at("key"), &aside).unwrap(),
        }
        // As long as another process uses it, it stays, and nobody has to come back for it.
        let (other, _journal) = dir.living("other", std::slice::from_ref(&key));
        assert!(release(std::slice::from_ref(&key), &mut [other]).is_empty(), "{squatter}");
        assert_eq!(std::fs::read_to_string(dir.at("key")).unwrap(), "x", "{squatter}");
        std::fs::remove_dir_all(dir.at("other")).unwrap();
        let left = release(std::slice::from_ref(&key), &mut []);
        assert!(left.iter().all(|left| !left.is_ours), "{squatter} {left:?}");
        // What is not ours has got the name that was free.
        assert!(left.is_empty() == (squatter == "link to ours"), "{squatter} {left:?}");
        let there: Vec<_> = std::fs::read_dir(dir.at("")).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert!(there.iter().all(|path| *path == dir.at("key")), "{squatter} {there:?}");
        assert!(std::fs::read_to_string(dir.at("key")).ok().is_none_or(|text| text == "theirs"), "{squatter}");
    }
}

/// As in `/tmp`, where nobody may rename what others own.
#[test]
#[cfg(target_os = "linux")]
fn says_nothing_of_what_others_own_and_it_could_not_have_put_there() {
    use std::os::unix::fs::{PermissionsExt as _, chown};

    let dir = TestDir::new();
    std::fs::set_permissions(dir.at(""), std::fs::Permissions::from_mode(0o1777)).unwrap();
    let key = dir.write("key");
    let aside = dir.at("").join(aside(file_id(&dir.at("key"))));
    std::fs::write(&aside, "theirs").unwrap();
    // Only root can play two others.
    if chown(dir.at("key"), Some(23456), None).and_then(|()| chown(&aside, Some(12345), None)).is_err() {
        return;
    }
    let left = std::thread::spawn(move || {
        rustix::thread::set_thread_uid(rustix::process::Uid::from_raw(23456)).unwrap();
        release(&[key], &mut [])
    });
    let left = left.join().unwrap();
    assert!(left.is_empty(), "{left:?}");
    assert!(!dir.at("key").exists());
    assert_eq!(std::fs::read_to_string(&aside).unwrap(), "theirs");
}

#[test]
fn removes_its_own_before_it_says_what_is_not() {
    let dir = TestDir::new();
    let key = dir.write("key");
    // Another one of the same path, whose name for a removal somebody took.
    let earlier = dir.record("key", FileId { device: 1, inode: 1, born: 1 });
    let aside = aside(FileId { device: 1, inode: 1, born: 1 });
    std::fs::write(dir.at("").join(&aside), "theirs").unwrap();
    let records = [earlier, key];
    let left = release(&records, &mut []);
    assert!(left.len() == 1 && !left[0].is_ours, "{left:?}");
    assert_eq!(std::fs::read_to_string(dir.at("key")).unwrap(), "theirs");
    // What can't be handed over is kept, also where somebody took that name.
    std::fs::rename(dir.at("key"), dir.at("").join(&aside)).unwrap();
    let key = dir.write("key");
    let (mut other, _journal) = dir.living("other", &[with_other_id(&key)]);
    other.directory = dir.at("nowhere");
    let [earlier, _] = records;
    let left = release(&[earlier, key], &mut [other]);
    assert!(left.len() == 1 && left[0].is_ours, "{left:?}");
    assert_eq!(std::fs::read_to_string(dir.at("key")).unwrap(), "x");
}

/// The journal and the files of a process that was killed while it replaced three files, when the second one had got its name
/// and what it replaced had come to light.
fn killed_while_replacing(dir: &TestDir, what_it_replaced: &str) -> (Vec<Record>, Vec<Record>) {
    let old: Vec<Record> = ["a", "b", "c"].map(|name| dir.write(name)).into();
    let new: Vec<Record> = ["a", "b", "c"]
        .map(|name| {
            let unfinished = format!(".secrets-{name}");
            dir.write(&unfinished);
            dir.record(name, file_id(&dir.at(&unfinished)))
        })
        .into();
    std::fs::rename(dir.at(".secrets-a"), dir.at("a")).unwrap();
    std::fs::rename(dir.at(".secrets-b"), dir.at("new b")).unwrap();
    std::fs::write(dir.at("what b was"), what_it_replaced).unwrap();
    let came_to_light = if what_it_replaced == "ours" { "b" } else { "what b was" };
    std::fs::rename(dir.at(came_to_light), dir.at(".secrets-b")).unwrap();
    std::fs::rename(dir.at("new b"), dir.at("b")).unwrap();
    let _ = std::fs::remove_file(dir.at("what b was"));
    let writing = ["a", "b", "c"].map(|name| dir.writing(name));
    (old.clone(), [old, writing.into(), new].concat())
}

#[test]
fn finishes_a_replacement_that_a_kill_interrupted() {
    // What it replaced may be its own, or that of a process that lives or is dead.
    for whose in ["own", "living", "dead"] {
        let dir = TestDir::new();
        let (old, mut records) = killed_while_replacing(&dir, "ours");
        let (mut others, mut of_dead) = (Vec::new(), Vec::new());
        let mut journals = Vec::new();
        if whose != "own" {
            records.drain(..old.len());
        }
        match whose {
            "living" => {
                let (other, journal) = dir.living("other", &old);
                others.push(other);
                journals.push(journal);
            }
            "dead" => of_dead.extend(files(&old).map(|file| file.file_id)),
            _ => {}
        }
        assert!(release_beside(&records, &mut others, &of_dead).iter().all(|left| !left.is_ours), "{whose}");
        for name in ["a", "b", "c"] {
            assert!(!dir.at(&format!(".secrets-{name}")).exists(), "{whose}");
        }
        assert!(dir.at("b").exists() == (whose == "living"), "{whose}");
    }
}

#[test]
fn gives_back_what_a_replacement_took_and_was_nobodys() {
    let dir = TestDir::new();
    let (_, records) = killed_while_replacing(&dir, "theirs");
    let left = release(&records, &mut []);
    assert!(left.len() == 1 && left[0].path == dir.at("b") && !left[0].is_ours, "{left:?}");
    assert_eq!(std::fs::read_to_string(dir.at("b")).unwrap(), "theirs");
    for gone in ["a", "c", ".secrets-a", ".secrets-b", ".secrets-c"] {
        assert!(!dir.at(gone).exists(), "{gone}");
    }
}

#[test]
fn removes_what_was_being_written() {
    let dir = TestDir::new();
    for name in [".secrets-a", ".secrets-b"] {
        dir.write(name);
    }
    let writing = ["a", "b"].map(|name| dir.writing(name));
    // Files of a replacement before.
    let earlier = dir.record("a", FileId { device: 1, inode: 1, born: 1 });
    assert!(release(&[vec![earlier], writing.to_vec()].concat(), &mut []).is_empty());
    assert!(!dir.at(".secrets-a").exists() && !dir.at(".secrets-b").exists());
}

#[test]
fn gives_no_name_to_what_a_kill_left_before_all_of_it_was_recorded() {
    let names = ["a", "b", "c"];
    for recorded in 0..=names.len() {
        let dir = TestDir::new();
        let unfinished = names.map(|name| format!(".secrets-{name}"));
        let written: Vec<Record> = names
            .iter()
            .zip(&unfinished)
            .map(|(name, unfinished)| {
                dir.write(unfinished);
                dir.record(name, file_id(&dir.at(unfinished)))
            })
            .collect();
        let writing = names.map(|name| dir.writing(name));
        let left = release(&[&writing, &written[..recorded]].concat(), &mut []);
        assert!(left.is_empty(), "{recorded} {left:?}");
        let there: Vec<_> = std::fs::read_dir(dir.at("")).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert!(there.is_empty(), "{recorded} {there:?}");
    }
}

#[test]
fn gives_what_was_being_written_no_name_of_a_later_file() {
    let dir = TestDir::new();
    dir.write(".secrets-a");
    let another = dir.write("b");
    // Of its own target, nothing was recorded until the next attempt.
    std::fs::write(dir.at("next"), "x").unwrap();
    let next = [Record::Writing(dir.at(".secrets-next"), "a".into()), dir.record("a", file_id(&dir.at("next")))];
    std::fs::rename(dir.at("next"), dir.at("a")).unwrap();
    let records = [vec![dir.writing("a"), another], next.into()].concat();
    assert!(release(&records, &mut []).is_empty());
    for gone in [".secrets-a", "a", "b"] {
        assert!(!dir.at(gone).exists(), "{gone}");
    }
}

#[test]
fn leaves_what_others_use_to_them_with_its_directory() {
    let dir = TestDir::new();
    let (directory, shared) = (dir.create_dir("new"), dir.write("new/shared"));
    let (other, mut journal) = dir.living("other", std::slice::from_ref(&shared));
    let mut others = [other];
    assert!(release(&[directory.clone(), shared.clone()], &mut others).is_empty());
    journal.reload().unwrap();
    assert_eq!(journal.records()[1..], [shared.clone(), directory.clone()]);
    // A second time changes nothing, as after a kill in the middle.
    assert!(release(&[directory, shared], &mut others).is_empty());
    assert_eq!(journal.records().len(), 3);
    assert!(release(&others[0].records, &mut []).is_empty());
    assert!(!dir.at("new").exists());
}

#[test]
fn hands_over_what_replaced_a_file_that_others_use() {
    let dir = TestDir::new();
    let newer = dir.write("key");
    let older = with_other_id(&newer);
    let (other, journal) = dir.living("other", std::slice::from_ref(&older));
    // Whoever has the older one leaves the newer one alone, and says nothing of it.
    let (holder, _open) = dir.living("holder", &[older.clone(), newer.clone()]);
    assert!(release(&other.records, &mut [holder]).is_empty());
    assert!(dir.at("key").exists());
    let mut others = [other];
    assert!(release(&[older, newer.clone()], &mut others).is_empty());
    assert!(dir.at("key").exists() && others[0].records.contains(&newer));
    drop(journal);
    assert!(release(&others[0].records, &mut []).is_empty());
    assert!(!dir.at("key").exists());
}

#[test]
fn keeps_for_the_next_process_what_it_can_not_hand_over() {
    let dir = TestDir::new();
    let shared = dir.write("shared");
    let (mut other, _journal) = dir.living("other", &[with_other_id(&shared)]);
    other.directory = dir.at("nowhere");
    let left = release(std::slice::from_ref(&shared), &mut [other]);
    assert!(left.len() == 1 && left[0].is_ours, "{left:?}");
    assert!(dir.at("shared").exists());
}
