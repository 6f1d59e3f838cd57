//! What a process leaves behind when it ends: what nobody else uses is removed, and the rest becomes theirs.

use std::io;
use std::path::{Path, PathBuf};

use super::directory::{Directory, Entry, name};
use super::file_id::FileId;
use super::journal::{self, FileRecord, Process, Record};

/// A living process, and what it made and uses.
pub(super) struct Living {
    pub(super) directory: PathBuf,
    pub(super) records: Vec<Record>,
}

/// What could not be removed, and why.
#[derive(Debug)]
pub(super) struct NotRemoved {
    pub(super) path: PathBuf,
    pub(super) why: String,
    /// Another process may try again; what somebody replaced is not ours any more.
    pub(super) is_ours: bool,
}

impl Living {
    pub(super) fn process(&self) -> Option<&Process> {
        self.records.iter().find_map(|record| match record {
            Record::Process(process) => Some(process),
            _ => None,
        })
    }

    fn files(&self) -> impl DoubleEndedIterator<Item = &FileRecord> {
        files(&self.records)
    }

    /// What the file at `path` is to this process, if it uses it. The process may know it by another path, as that of a home
    /// which a link leads to.
    pub(super) fn names(&self, path: &Path, file_id: FileId) -> Option<&FileRecord> {
        // Without a time of birth, a later file elsewhere may have the same number.
        self.files().rev().find(|file| file.file_id == file_id && (file.path == path || file_id.born != 0))
    }

    fn uses(&self, path: &Path) -> bool {
        self.files().any(|file| file.path == path)
    }

    fn uses_below(&self, directory: &Path) -> bool {
        self.records.iter().filter_map(Record::path).any(|path| path != directory && path.starts_with(directory))
    }

    /// Makes something of somebody else's this process's own.
    fn inherit(&mut self, record: &Record) -> io::Result<()> {
        if !self.records.contains(record) {
            journal::bequeath(&self.directory, record)?;
            self.records.push(record.clone());
        }
        Ok(())
    }
}

pub(super) fn files(records: &[Record]) -> impl DoubleEndedIterator<Item = &FileRecord> {
    records.iter().filter_map(|record| match record {
        Record::File(file) => Some(file),
        _ => None,
    })
}

/// Removes what the records of one process name, as far as it is still the same and none of the others uses it, and says
/// what is left that nobody uses.
///
/// A file belongs to all who use its path, also when one of them has replaced it: the last one removes it, so that whoever
/// ends before hands it over. So are the directories in which others have something.
pub(super) fn release(records: &[Record], others: &mut [Living]) -> Vec<NotRemoved> {
    let mut left = Vec::new();
    let mut fails = |path: &Path, error: &io::Error| {
        left.push(NotRemoved { path: path.to_owned(), why: error.to_string(), is_ours: true });
    };
    for record in records {
        if let Record::Writing(path) = record
            && let Err(error) = remove_unfinished(path)
        {
            fails(path, &error);
        }
    }
    let mut replaced = Vec::new();
    let mut paths: Vec<&Path> = files(records).map(|file| file.path.as_path()).collect();
    paths.sort();
    paths.dedup();
    for path in paths {
        match release_file(path, records, others) {
            Ok(true) => {}
            Ok(false) => replaced.push(path),
            Err(error) => fails(path, &error),
        }
    }
    // The inner ones first.
    let mut directories: Vec<(&PathBuf, FileId)> = records.iter().filter_map(directory).collect();
    directories.sort_by(|a, b| b.0.cmp(a.0));
    for (path, file_id) in directories {
        let released = remove_directory(path, file_id).and_then(|is_gone| {
            let heir = others.iter_mut().filter(|_| !is_gone).find(|other| other.uses_below(path));
            heir.map_or(Ok(()), |other| other.inherit(&Record::Directory(path.clone(), file_id)))
        });
        if let Err(error) = released {
            fails(path, &error);
        }
    }
    let other_file = |path: &Path| {
        let why = "somebody put another file there".to_owned();
        NotRemoved { path: path.to_owned(), why, is_ours: false }
    };
    left.extend(replaced.into_iter().map(other_file));
    left
}

fn directory(record: &Record) -> Option<(&PathBuf, FileId)> {
    match record {
        Record::Directory(path, file_id) => Some((path, *file_id)),
        _ => None,
    }
}

/// Removes the target at `path`, or hands it over; false if it is neither ours nor anybody's who is known.
fn release_file(path: &Path, records: &[Record], others: &mut [Living]) -> io::Result<bool> {
    let Some(directory) = containing(path)? else { return Ok(true) };
    // A kill may have come between the two steps of a removal.
    for file in files(records).filter(|file| file.path == path) {
        directory.remove_aside(file.file_id)?;
    }
    let file_id = match directory.entry(name(path))? {
        None => return Ok(true),
        Some(Entry::File(file_id)) => file_id,
        Some(_) => return Ok(false),
    };
    if others.iter().any(|other| other.names(path, file_id).is_some()) {
        return Ok(true);
    }
    // A target that was replaced has been several files.
    let Some(ours) = files(records).rev().find(|file| file.path == path && file.file_id == file_id) else {
        return Ok(false);
    };
    match others.iter_mut().find(|other| other.uses(path)) {
        Some(other) => other.inherit(&Record::File(ours.clone())).map(|()| true),
        None => directory.remove_file(name(path), file_id),
    }
}

/// Removes what has a name that nobody else would choose.
fn remove_unfinished(path: &Path) -> io::Result<()> {
    let Some(directory) = containing(path)? else { return Ok(()) };
    match directory.entry(name(path))? {
        Some(Entry::File(_)) => directory.remove(name(path)),
        _ => Ok(()),
    }
}

/// Removes a directory if it is this one and empty; false if it is not empty.
fn remove_directory(path: &Path, file_id: FileId) -> io::Result<bool> {
    match Directory::containing(path).and_then(|above| above.remove_directory(name(path), file_id)) {
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(true),
        removed => removed,
    }
}

fn containing(path: &Path) -> io::Result<Option<Directory>> {
    match Directory::containing(path) {
        Ok(directory) => Ok(Some(directory)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
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
            Record::Writing(dir.at("half")),
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
        let aside = super::super::directory::aside(file_id(&dir.at("new/key")));
        std::fs::rename(dir.at("new/key"), dir.at("new").join(aside)).unwrap();
        assert!(release(&[directory, key], &mut []).is_empty());
        assert!(!dir.at("new").exists());
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
}
