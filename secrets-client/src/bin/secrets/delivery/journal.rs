//! What a process made and uses, kept so that another one can remove it, or go on with it.
//!
//! A record is its kind and a number of fields that follows from it, each ended by a NUL, which no path can hold. What
//! is being written has a name that nobody else would choose and is recorded before it is made; a target is recorded
//! before it gets its name. A record that was cut off says nothing, and is gone before another one is written.
//!
//! Journals are written under the lock of [`RuntimeLock`](super::runtime_dir::RuntimeLock), also by another process: what
//! somebody leaves behind that others still use becomes a record of theirs.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, OFlags};
use rustix::io::Errno;

use super::file_id::FileId;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Record {
    /// The process that wrote the journal.
    Process(Process),
    /// A directory that was missing, and was made.
    Directory(PathBuf, FileId),
    /// A file that has no content yet, or not its name yet, and the name that it is to get in its directory.
    Writing(PathBuf, OsString),
    /// A target, in its place.
    File(FileRecord),
}

/// A process that files are delivered by, and what for: what a person is told who finds them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Process {
    pub(super) number: u32,
    /// The name of the program.
    pub(super) program: String,
    /// The service that the values come from.
    pub(super) endpoint: String,
}

/// A target that a process uses. Of several for one path, the last is what it got last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FileRecord {
    pub(super) path: PathBuf,
    pub(super) file_id: FileId,
    /// The resource name of the secret.
    pub(super) secret: String,
    pub(super) version: u32,
}

/// The journal of this process. It is locked as long as it is open, which distinguishes living processes from dead ones,
/// whatever number a later process gets.
pub(super) struct Journal {
    file: File,
    directory: PathBuf,
    records: Vec<Record>,
}

impl Journal {
    pub(super) const FILE: &str = "journal";
    /// One that is to become the journal.
    const UNFINISHED: &str = "journal.new";
    /// Thousands of files with long paths; what is larger is no journal.
    const MAX_BYTES: u64 = 16 << 20;

    /// A new journal in a directory of its own.
    pub(super) fn create(directory: &Path, process: Process) -> io::Result<Self> {
        let file = create(&directory.join(Self::FILE))?;
        let mut journal = Self { file, directory: directory.to_owned(), records: Vec::new() };
        journal.note(&[Record::Process(process)])?;
        Ok(journal)
    }

    /// Writes records, durably, before what they describe happens.
    pub(super) fn note(&mut self, records: &[Record]) -> io::Result<()> {
        append(&mut self.file, records)?;
        self.records.extend_from_slice(records);
        Ok(())
    }

    /// Reads what others have added.
    pub(super) fn reload(&mut self) -> io::Result<()> {
        self.records = parse(&read_all(&mut self.file)?).0;
        Ok(())
    }

    /// Replaces all records by these, in one step.
    pub(super) fn rewrite(&mut self, records: Vec<Record>) -> io::Result<()> {
        let unfinished = self.directory.join(Self::UNFINISHED);
        let _ = std::fs::remove_file(&unfinished);
        // Locked before it has the name by which others look whether this process lives.
        let mut file = create(&unfinished)?;
        append(&mut file, &records)?;
        std::fs::rename(unfinished, self.directory.join(Self::FILE))?;
        (self.file, self.records) = (file, records);
        Ok(())
    }

    pub(super) fn records(&self) -> &[Record] {
        &self.records
    }
}

/// The records of a living or dead process's journal.
pub(super) fn read(directory: &Path) -> io::Result<Vec<Record>> {
    Ok(parse(&read_all(&mut open(directory, OpenOptions::new().read(true))?)?).0)
}

/// Opens the journal of a dead process and locks it; none if its process lives.
pub(super) fn take_over(directory: &Path) -> io::Result<Option<File>> {
    let file = open(directory, OpenOptions::new().read(true))?;
    match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(Some(file)),
        Err(Errno::WOULDBLOCK) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Adds a record to the journal of another process.
pub(super) fn bequeath(directory: &Path, record: &Record) -> io::Result<()> {
    append(&mut open(directory, OpenOptions::new().read(true).append(true))?, std::slice::from_ref(record))
}

/// A new file for a journal, locked.
fn create(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new().read(true).append(true).create_new(true).mode(0o600).open(path)?;
    rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive)?;
    Ok(file)
}

fn open(directory: &Path, options: &mut OpenOptions) -> io::Result<File> {
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
    options.custom_flags(flags).open(directory.join(Journal::FILE))
}

/// Adds records behind the last whole one. On a failure none of them is there.
fn append(file: &mut File, records: &[Record]) -> io::Result<()> {
    let whole = parse(&read_all(file)?).1;
    let bytes: Vec<u8> = records.iter().flat_map(Record::to_bytes).collect();
    if whole + bytes.len() as u64 > Journal::MAX_BYTES {
        return Err(io::Error::other("there are too many files for one journal"));
    }
    if file.metadata()?.len() != whole {
        file.set_len(whole)?;
    }
    let written = file.write_all(&bytes).and_then(|()| file.sync_data());
    if written.is_err() {
        let _ = file.set_len(whole);
    }
    written.map_err(|error| io::Error::new(error.kind(), format!("the journal of files can't be written: {error}")))
}

fn read_all(file: &mut File) -> io::Result<Vec<u8>> {
    file.rewind()?;
    let mut bytes = Vec::new();
    file.take(Journal::MAX_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > Journal::MAX_BYTES {
        return Err(io::Error::other("the journal is too large to be one"));
    }
    Ok(bytes)
}

impl Record {
    fn to_bytes(&self) -> Vec<u8> {
        let number = |number: u64| number.to_string().into_bytes();
        let path = |path: &Path| path.as_os_str().as_bytes().to_vec();
        let id = |id: &FileId| [number(id.device), number(id.inode), number(id.born)];
        let text = |text: &str| text.replace('\0', "").into_bytes();
        let fields = match self {
            Self::Process(process) => {
                let Process { number: pid, program, endpoint } = process;
                vec![b"process".to_vec(), number((*pid).into()), text(program), text(endpoint)]
            }
            Self::Directory(at, file_id) => [vec![b"directory".to_vec(), path(at)], id(file_id).to_vec()].concat(),
            Self::Writing(at, name) => vec![b"writing".to_vec(), path(at), name.as_bytes().to_vec()],
            Self::File(FileRecord { path: at, file_id, secret, version }) => {
                let origin = vec![text(secret), number((*version).into())];
                [vec![b"file".to_vec(), path(at)], id(file_id).to_vec(), origin].concat()
            }
        };
        fields.into_iter().flat_map(|field| field.into_iter().chain([0])).collect()
    }

    /// The path of what others use as well.
    pub(super) fn path(&self) -> Option<&Path> {
        match self {
            Self::Process(_) => None,
            Self::Directory(path, _) | Self::Writing(path, _) => Some(path),
            Self::File(file) => Some(&file.path),
        }
    }
}

/// The whole records at the beginning of a journal, and how many bytes they are.
fn parse(bytes: &[u8]) -> (Vec<Record>, u64) {
    let (mut fields, mut records, mut whole) = (Fields(bytes), Vec::new(), 0);
    while let Some(record) = record(&mut fields) {
        records.push(record);
        whole = bytes.len() - fields.0.len();
    }
    (records, whole as u64)
}

fn record(fields: &mut Fields<'_>) -> Option<Record> {
    Some(match fields.next()? {
        b"process" => Record::Process(Process {
            number: fields.number()?.try_into().ok()?,
            program: fields.text()?,
            endpoint: fields.text()?,
        }),
        b"directory" => Record::Directory(fields.path()?, fields.file_id()?),
        b"writing" => Record::Writing(fields.path()?, fields.path()?.into()),
        b"file" => Record::File(FileRecord {
            path: fields.path()?,
            file_id: fields.file_id()?,
            secret: fields.text()?,
            version: fields.number()?.try_into().ok()?,
        }),
        _ => return None,
    })
}

/// Fields that are still to be read.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn next(&mut self) -> Option<&'a [u8]> {
        let end = self.0.iter().position(|byte| *byte == 0)?;
        let (field, rest) = self.0.split_at_checked(end)?;
        self.0 = rest.get(1..)?;
        Some(field)
    }

    fn text(&mut self) -> Option<String> {
        String::from_utf8(self.next()?.to_vec()).ok()
    }

    fn number(&mut self) -> Option<u64> {
        self.text()?.parse().ok()
    }

    fn path(&mut self) -> Option<PathBuf> {
        Some(OsString::from_vec(self.next()?.to_vec()).into())
    }

    fn file_id(&mut self) -> Option<FileId> {
        Some(FileId { device: self.number()?, inode: self.number()?, born: self.number()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOME: FileId = FileId { device: 1, inode: u64::MAX, born: 3 };

    fn process() -> Process {
        Process { number: std::process::id(), program: "npm".to_owned(), endpoint: "http://localhost".to_owned() }
    }

    fn file(path: &str) -> Record {
        Record::File(FileRecord {
            path: path.into(),
            file_id: SOME,
            secret: "organizations/acme/secrets/KEY".to_owned(),
            version: 7,
        })
    }

    #[test]
    fn reads_back_what_it_wrote_and_nothing_that_was_cut_off() {
        let directory = tempfile::tempdir().unwrap();
        let mut journal = Journal::create(directory.path(), process()).unwrap();
        let odd = PathBuf::from(OsString::from_vec(b"/a\n\xff b".to_vec()));
        let records = [Record::Directory(odd.clone(), SOME), Record::Writing(odd, "a".into()), file("/a")];
        journal.note(&records).unwrap();
        assert_eq!(read(directory.path()).unwrap(), journal.records());
        assert_eq!((&journal.records()[0], &journal.records()[1..]), (&Record::Process(process()), &records[..]));
        let bytes = std::fs::read(directory.path().join(Journal::FILE)).unwrap();
        for cut in 0..bytes.len() {
            let (some, whole) = parse(&bytes[..cut]);
            assert!(some.len() < 4 && some == journal.records()[..some.len()] && whole <= cut as u64, "{cut}");
        }
    }

    #[test]
    fn writes_behind_a_record_that_was_cut_off() {
        let directory = tempfile::tempdir().unwrap();
        let mut journal = Journal::create(directory.path(), process()).unwrap();
        let path = directory.path().join(Journal::FILE);
        let cut = file("/lost").to_bytes();
        OpenOptions::new().append(true).open(&path).unwrap().write_all(&cut[..cut.len() - 3]).unwrap();
        bequeath(directory.path(), &file("/theirs")).unwrap();
        journal.note(&[file("/ours")]).unwrap();
        journal.reload().unwrap();
        assert_eq!(journal.records()[1..], [file("/theirs"), file("/ours")]);
    }

    #[test]
    fn is_taken_over_only_from_the_dead_whoever_has_their_number() {
        let directory = tempfile::tempdir().unwrap();
        // The number of a process that lives: this one.
        let mut journal = Journal::create(directory.path(), process()).unwrap();
        assert!(take_over(directory.path()).unwrap().is_none());
        journal.rewrite(vec![Record::Process(process())]).unwrap();
        assert!(take_over(directory.path()).unwrap().is_none());
        drop(journal);
        assert!(take_over(directory.path()).unwrap().is_some());
    }

    #[test]
    fn is_replaced_as_a_whole() {
        let directory = tempfile::tempdir().unwrap();
        let mut journal = Journal::create(directory.path(), process()).unwrap();
        journal.note(&[file("/a"), file("/b")]).unwrap();
        // As somebody left it who was killed meanwhile.
        std::fs::write(directory.path().join(Journal::UNFINISHED), "file\0/c").unwrap();
        journal.rewrite(vec![Record::Process(process()), file("/b")]).unwrap();
        journal.note(&[file("/d")]).unwrap();
        assert_eq!(read(directory.path()).unwrap()[1..], [file("/b"), file("/d")]);
    }

    #[test]
    fn is_bounded_in_size_and_leaves_nothing_of_what_does_not_fit() {
        let directory = tempfile::tempdir().unwrap();
        let mut journal = Journal::create(directory.path(), process()).unwrap();
        let many = vec![file(&format!("/{}", "x".repeat(4095))); 4096];
        assert!(journal.note(&many).unwrap_err().to_string().contains("too many files"));
        assert_eq!(read(directory.path()).unwrap(), [Record::Process(process())]);
        File::options().write(true).open(directory.path().join(Journal::FILE)).unwrap().set_len(1 << 40).unwrap();
        assert!(read(directory.path()).is_err() && journal.reload().is_err() && journal.note(&[file("/a")]).is_err());
    }

    #[test]
    fn says_that_it_can_not_be_written() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join(Journal::FILE), "").unwrap();
        let only_read = File::open(directory.path().join(Journal::FILE)).unwrap();
        let mut journal = Journal { file: only_read, directory: directory.path().to_owned(), records: Vec::new() };
        let error = journal.note(&[file("/a")]).unwrap_err();
        assert!(error.to_string().contains("the journal of files can't be written"), "{error}");
        assert!(journal.records().is_empty());
    }
}
