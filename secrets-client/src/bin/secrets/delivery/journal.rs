//! What a process made, kept so that another one can remove it.
//!
//! A record is five fields, each ended by a NUL, which no path can hold: kind, path, device, inode, time of birth. What
//! is being written has a name that nobody else would choose and is recorded before it is made; a target is recorded
//! before it gets its name. A record that was cut off says nothing.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use super::directory::{Directory, Entry, name};
use super::file_id::FileId;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Record {
    /// The process that wrote the journal, for a person to read.
    Process(u32),
    /// A directory that was missing, and was made.
    Directory(PathBuf, FileId),
    /// A file that has no content yet, or not its name yet.
    Writing(PathBuf),
    /// A target, in its place.
    File(PathBuf, FileId),
}

/// What could not be removed, and why.
#[derive(Debug)]
pub(super) struct NotRemoved {
    pub(super) path: PathBuf,
    pub(super) why: String,
    /// Another process may try again; what somebody replaced is not ours any more.
    pub(super) is_ours: bool,
}

/// The journal of this process. It is locked as long as it is open, which distinguishes living processes from dead ones.
pub(super) struct Journal {
    file: File,
    records: Vec<Record>,
}

impl Journal {
    pub(super) const FILE: &str = "journal";

    /// A new journal in a directory of its own.
    pub(super) fn create(directory: &Path) -> io::Result<Self> {
        let path = directory.join(Self::FILE);
        let file = OpenOptions::new().append(true).create_new(true).mode(0o600).open(path)?;
        rustix::fs::flock(&file, rustix::fs::FlockOperation::NonBlockingLockExclusive)?;
        let mut journal = Self { file, records: Vec::new() };
        journal.note(Record::Process(std::process::id()))?;
        Ok(journal)
    }

    /// Writes a record before what it describes happens.
    pub(super) fn note(&mut self, record: Record) -> io::Result<()> {
        self.file.write_all(&record.to_bytes())?;
        self.records.push(record);
        Ok(())
    }

    pub(super) fn records(&self) -> &[Record] {
        &self.records
    }

    /// Whether the file at `path` is one that this journal names.
    pub(super) fn created(&self, path: &Path, file_id: FileId) -> bool {
        self.records.iter().any(|record| matches!(record, Record::File(p, i) if p == path && *i == file_id))
    }
}

/// The records of a journal.
pub(super) fn read(directory: &Path) -> io::Result<Vec<Record>> {
    Ok(parse(&std::fs::read(directory.join(Journal::FILE))?))
}

/// Opens the journal of a dead process and locks it; none if its process lives.
pub(super) fn take_over(directory: &Path) -> io::Result<Option<File>> {
    let flags = rustix::fs::OFlags::NOFOLLOW.bits().cast_signed();
    let file = OpenOptions::new().read(true).custom_flags(flags).open(directory.join(Journal::FILE))?;
    match rustix::fs::flock(&file, rustix::fs::FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(Some(file)),
        Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Removes what the records name, the latest first, as far as it is still the same, and says what is left.
pub(super) fn undo<'a>(records: impl DoubleEndedIterator<Item = &'a Record> + Clone) -> Vec<NotRemoved> {
    let mut left: Vec<NotRemoved> = Vec::new();
    for record in records.clone().rev() {
        let (path, undone) = match record {
            Record::Process(_) => continue,
            Record::Writing(path) => (path, remove(path, |_| true)),
            Record::Directory(path, file_id) => (path, remove_directory(path, *file_id)),
            Record::File(path, _) if left.iter().any(|known| known.path == *path) => continue,
            Record::File(path, _) => {
                // A target that was replaced has been several files.
                let is_ours =
                    |found| records.clone().any(|r| matches!(r, Record::File(p, i) if p == path && *i == found));
                (path, remove(path, is_ours))
            }
        };
        match undone {
            Ok(true) => {}
            Ok(false) => {
                let why = "somebody put another file there".to_owned();
                left.push(NotRemoved { path: path.clone(), why, is_ours: false });
            }
            Err(error) => left.push(NotRemoved { path: path.clone(), why: error.to_string(), is_ours: true }),
        }
    }
    left
}

/// Removes a file if it is ours; false if another one is there.
fn remove(path: &Path, is_ours: impl Fn(FileId) -> bool) -> io::Result<bool> {
    let directory = match Directory::containing(path) {
        Ok(directory) => directory,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(true),
        Err(error) => return Err(error),
    };
    match directory.entry(name(path))? {
        None => Ok(true),
        Some(Entry::File(file_id)) if is_ours(file_id) => directory.remove(name(path)).map(|()| true),
        Some(_) => Ok(false),
    }
}

fn remove_directory(path: &Path, file_id: FileId) -> io::Result<bool> {
    match Directory::containing(path).and_then(|above| above.remove_directory(name(path), file_id)) {
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(true),
        removed => removed.map(|()| true),
    }
}

impl Record {
    fn to_bytes(&self) -> Vec<u8> {
        let pid;
        let (kind, path, file_id) = match self {
            Self::Process(number) => {
                pid = PathBuf::from(number.to_string());
                ("process", &pid, None)
            }
            Self::Directory(path, file_id) => ("directory", path, Some(file_id)),
            Self::Writing(path) => ("writing", path, None),
            Self::File(path, file_id) => ("file", path, Some(file_id)),
        };
        let mut bytes = kind.as_bytes().to_vec();
        bytes.push(0);
        bytes.extend(path.as_os_str().as_bytes());
        bytes.push(0);
        let FileId { device, inode, born } = file_id.copied().unwrap_or(FileId { device: 0, inode: 0, born: 0 });
        for number in [device, inode, born] {
            bytes.extend(number.to_string().bytes());
            bytes.push(0);
        }
        bytes
    }
}

fn parse(bytes: &[u8]) -> Vec<Record> {
    let whole = bytes.iter().rposition(|byte| *byte == 0).and_then(|end| bytes.get(..end)).unwrap_or_default();
    let fields: Vec<&[u8]> = whole.split(|byte| *byte == 0).collect();
    fields.chunks_exact(5).filter_map(record).collect()
}

fn record(fields: &[&[u8]]) -> Option<Record> {
    let &[kind, path, device, inode, born] = fields else { return None };
    let number = |text: &[u8]| std::str::from_utf8(text).ok()?.parse::<u64>().ok();
    let file_id = FileId { device: number(device)?, inode: number(inode)?, born: number(born)? };
    let path = PathBuf::from(OsString::from_vec(path.to_vec()));
    match kind {
        b"process" => Some(Record::Process(path.to_str()?.parse().ok()?)),
        b"directory" => Some(Record::Directory(path, file_id)),
        b"writing" => Some(Record::Writing(path)),
        b"file" => Some(Record::File(path, file_id)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file_id(path: &Path) -> FileId {
        FileId::from_file(&File::open(path).unwrap()).unwrap()
    }

    #[test]
    fn reads_back_what_it_wrote_and_nothing_that_was_cut_off() {
        let directory = tempfile::tempdir().unwrap();
        let mut journal = Journal::create(directory.path()).unwrap();
        let some = FileId { device: 1, inode: u64::MAX, born: 3 };
        let odd = PathBuf::from(OsString::from_vec(b"/a\n\xff b".to_vec()));
        let records = [Record::Directory(odd.clone(), some), Record::Writing(odd.clone()), Record::File(odd, some)];
        for record in records.clone() {
            journal.note(record).unwrap();
        }
        assert_eq!(read(directory.path()).unwrap(), journal.records());
        assert_eq!(journal.records()[1..], records);
        let bytes = std::fs::read(directory.path().join(Journal::FILE)).unwrap();
        for cut in 0..bytes.len() {
            let some = parse(&bytes[..cut]);
            assert!(some.len() < 4 && some == journal.records()[..some.len()], "{cut}");
        }
    }

    #[test]
    fn is_taken_over_only_from_the_dead() {
        let directory = tempfile::tempdir().unwrap();
        let journal = Journal::create(directory.path()).unwrap();
        assert!(take_over(directory.path()).unwrap().is_none());
        drop(journal);
        assert!(take_over(directory.path()).unwrap().is_some());
    }

    #[test]
    fn removes_what_is_still_the_same() {
        let top = tempfile::tempdir().unwrap();
        let at = |name: &str| top.path().join(name);
        for directory in ["empty", "full"] {
            std::fs::create_dir(at(directory)).unwrap();
        }
        for file in ["full/x", "ours", "theirs", "half"] {
            std::fs::write(at(file), "x").unwrap();
        }
        let records = [
            Record::Directory(at("empty"), file_id(&at("empty"))),
            Record::Directory(at("full"), file_id(&at("full"))),
            Record::Writing(at("half")),
            Record::File(at("ours"), FileId { inode: 0, ..file_id(&at("ours")) }),
            Record::File(at("ours"), file_id(&at("ours"))),
            Record::File(at("theirs"), FileId { inode: 0, ..file_id(&at("theirs")) }),
            Record::File(at("gone/already"), file_id(&at("ours"))),
        ];
        let left = undo(records.iter());
        assert_eq!(left.len(), 1, "{left:?}");
        assert_eq!((&left[0].path, left[0].is_ours), (&at("theirs"), false));
        for (name, there) in [("empty", false), ("full/x", true), ("ours", false), ("theirs", true), ("half", false)] {
            assert_eq!(at(name).exists(), there, "{name}");
        }
    }
}
