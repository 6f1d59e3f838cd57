//! A file that is there already, compared with what is planned through one descriptor, so that nobody can change what it is
//! between one look and the next.

use std::fs::{File, Metadata};
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use zeroize::Zeroizing;

use super::directory::{Directory, Entry};
use super::file_id::FileId;
use super::names::name;
use super::runtime_dir::RuntimeDir;

/// A regular file that is open; no link led to it.
pub(super) struct ExistingFile {
    file: File,
    metadata: Metadata,
}

/// Why a file that is there is not what is planned: what follows "a file, which".
#[derive(Debug, thiserror::Error)]
pub(super) enum Difference {
    #[error("has other content")]
    Content,
    #[error("has mode {there:04o}, where {planned:04o} is asked for")]
    Mode { there: u32, planned: u32 },
    #[error("allows more (mode {there:04o}) than is asked for ({planned:04o})")]
    Wider { there: u32, planned: u32 },
    #[error("has other names as well ({links} links)")]
    Links { links: u64 },
    #[error("belongs to another user (uid {owner})")]
    Owner { owner: u32 },
    #[error("can't be read ({0})")]
    Unreadable(io::Error),
    #[error("is being replaced by something else")]
    Replaced,
}

/// What is at a path where a file would be written.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum InTheWay {
    /// It can't be taken as it is, and why.
    Surely(String),
    /// It is a file that is taken if it has the very bytes, which are not known.
    UnlessSame,
}

/// What keeps a path from being written to, if something is there that can't be taken as it is. What a run has put there, living or
/// dead, is none of that.
pub(crate) fn in_the_way(path: &Path, mode: u32, content: Option<&[u8]>) -> Option<InTheWay> {
    let directory = Directory::containing(path).ok()?;
    match directory.entry(name(path)).ok()?? {
        Entry::File(file_id) if RuntimeDir::for_caller().names(file_id) => None,
        Entry::File(file_id) => {
            let refusal = match ExistingFile::open(&directory, path, file_id) {
                Ok(mut file) => Some(file.differences(mode, content)).filter(|differences| !differences.is_empty()),
                Err(difference) => Some(vec![difference]),
            };
            match refusal {
                Some(differences) => Some(InTheWay::Surely(describe(&differences))),
                None => content.is_none().then_some(InTheWay::UnlessSame),
            }
        }
        other => Some(InTheWay::Surely(refusal(&other).to_owned())),
    }
}

/// What has a name that no file can get.
pub(super) const fn refusal(entry: &Entry) -> &'static str {
    match entry {
        Entry::File(_) => "there is a file already",
        Entry::Directory => "there is a directory of this name",
        Entry::Link => "there is a symbolic link of this name",
        Entry::Pipe => "there is a named pipe of this name",
        Entry::Socket => "there is a socket of this name",
        Entry::Device => "there is a device of this name",
    }
}

/// All that a file is otherwise, in one sentence.
pub(super) fn describe(differences: &[Difference]) -> String {
    let each: Vec<String> = differences.iter().map(Difference::to_string).collect();
    match each.split_last() {
        None => "there is a file already".to_owned(),
        Some((last, [])) => format!("there is a file already, which {last}"),
        Some((last, others)) => format!("there is a file already, which {} and {last}", others.join(", ")),
    }
}

impl ExistingFile {
    /// The file at `path` in its directory, if it is still the one with this number.
    pub(super) fn open(directory: &Directory, path: &Path, file_id: FileId) -> Result<Self, Difference> {
        let file = directory.open(name(path)).map_err(Difference::Unreadable)?;
        let metadata = file.metadata().map_err(Difference::Unreadable)?;
        let is_same = FileId::from_file(&file).is_ok_and(|there| there == file_id);
        if metadata.is_file() && is_same { Ok(Self { file, metadata }) } else { Err(Difference::Replaced) }
    }

    /// Whether it is as this process or another one of the caller's would write it.
    pub(super) fn is_as_written(&mut self, mode: u32, content: &[u8]) -> Result<(), Difference> {
        let there = self.mode();
        if there != mode {
            return Err(Difference::Mode { there, planned: mode });
        }
        self.has_content(content)
    }

    /// What keeps the caller's own file from being taken as it is: all of it, so that one look is enough; all but its content, where
    /// that is not known.
    pub(super) fn differences(&mut self, mode: u32, content: Option<&[u8]>) -> Vec<Difference> {
        let (owner, links, there) = (self.metadata.uid(), self.metadata.nlink(), self.mode());
        let mut differences = Vec::new();
        if owner != rustix::process::geteuid().as_raw() {
            differences.push(Difference::Owner { owner });
        }
        if links != 1 {
            differences.push(Difference::Links { links });
        }
        if there & !mode != 0 {
            differences.push(Difference::Wider { there, planned: mode });
        }
        differences.extend(content.and_then(|content| self.has_content(content).err()));
        differences
    }

    fn mode(&self) -> u32 {
        self.metadata.mode() & 0o7777
    }

    fn has_content(&mut self, content: &[u8]) -> Result<(), Difference> {
        if self.metadata.len() != content.len() as u64 {
            return Err(Difference::Content);
        }
        let mut there = Zeroizing::new(Vec::with_capacity(content.len() + 1));
        let read = (&mut self.file).take(content.len() as u64 + 1).read_to_end(&mut there);
        read.map_err(Difference::Unreadable)?;
        if *there == *content { Ok(()) } else { Err(Difference::Content) }
    }
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::{PermissionsExt as _, chown, symlink};
    use std::os::unix::net::UnixListener;

    use rustix::fs::{CWD, FileType, Mode};

    use super::*;

    #[test]
    fn takes_ones_own_file_and_says_of_another_all_that_it_is() {
        let top = tempfile::tempdir().unwrap();
        let write = |name: &str, content: &str, mode: u32| {
            let path = top.path().join(name);
            std::fs::write(&path, content).unwrap();
            std::fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            path
        };
        let found = |path: &Path| surely(in_the_way(path, 0o600, Some(b"key")));
        assert_eq!(found(&top.path().join("missing")), None);
        assert_eq!(found(&top.path().join("missing/below")), None);
        assert_eq!(found(&write("same", "key", 0o600)), None);
        assert_eq!(found(&write("narrower", "key", 0o400)), None);
        for (name, content, mode, why) in [
            ("other", "kez", 0o600, "which has other content"),
            ("longer", "key\n", 0o600, "which has other content"),
            ("empty", "", 0o600, "which has other content"),
            ("wider", "key", 0o640, "which allows more (mode 0640) than is asked for (0600)"),
            ("executable", "key", 0o700, "which allows more (mode 0700)"),
            ("both", "x", 0o644, "which allows more (mode 0644) than is asked for (0600) and has other content"),
        ] {
            let found = found(&write(name, content, mode)).unwrap();
            assert!(found.starts_with(&format!("there is a file already, {why}")), "{name}: {found}");
        }
        let huge = write("huge", "", 0o600);
        File::options().write(true).open(&huge).unwrap().set_len(1 << 42).unwrap();
        assert!(found(&huge).unwrap().contains("other content"));
        std::fs::hard_link(top.path().join("same"), top.path().join("linked")).unwrap();
        assert!(found(&top.path().join("same")).unwrap().ends_with("which has other names as well (2 links)"));
        // Only root can play somebody else.
        let theirs = write("theirs", "key", 0o600);
        if chown(&theirs, Some(12345), None).is_ok() {
            assert!(found(&theirs).unwrap().ends_with("which belongs to another user (uid 12345)"));
        }
    }

    #[test]
    fn says_of_a_file_whose_bytes_are_not_known_that_they_may_be_the_same() {
        let top = tempfile::tempdir().unwrap();
        let path = top.path().join("file");
        assert_eq!(in_the_way(&path, 0o600, None), None);
        std::fs::write(&path, "key").unwrap();
        for (mode, expected) in [(0o600, None), (0o640, Some("allows more (mode 0640)"))] {
            std::fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            let found = in_the_way(&path, 0o600, None).unwrap();
            match expected {
                None => assert_eq!(found, InTheWay::UnlessSame),
                Some(why) => assert!(surely(Some(found)).unwrap().contains(why)),
            }
        }
    }

    fn surely(found: Option<InTheWay>) -> Option<String> {
        found.map(|found| match found {
            InTheWay::Surely(why) => why,
            InTheWay::UnlessSame => panic!("its content was known"),
        })
    }

    #[test]
    fn opens_nothing_but_a_file_and_follows_no_link_to_it() {
        let top = tempfile::tempdir().unwrap();
        let at = |name: &str| top.path().join(name);
        std::fs::write(at("file"), "key").unwrap();
        symlink("file", at("link")).unwrap();
        std::fs::create_dir(at("directory")).unwrap();
        rustix::fs::mknodat(CWD, at("pipe"), FileType::Fifo, Mode::RWXU, 0).unwrap();
        let _listener = UnixListener::bind(at("socket")).unwrap();
        for (path, what) in [
            (at("link"), "a symbolic link"),
            (at("directory"), "a directory"),
            (at("pipe"), "a named pipe"),
            (at("socket"), "a socket"),
            ("/dev/null".into(), "a device"),
        ] {
            for content in [Some(b"key".as_slice()), None] {
                let found = surely(in_the_way(&path, 0o600, content)).unwrap();
                assert_eq!(found, format!("there is {what} of this name"));
            }
        }
    }

    #[test]
    fn takes_nothing_that_was_swapped_since_the_first_look() {
        let top = tempfile::tempdir().unwrap();
        let at = |name: &str| top.path().join(name);
        let write = |name: &str| {
            std::fs::write(at(name), "key").unwrap();
            FileId::from_file(&File::open(at(name)).unwrap()).unwrap()
        };
        let file_id = write("file");
        let directory = Directory::containing(&at("file")).unwrap();
        let open = || ExistingFile::open(&directory, &at("file"), file_id);
        let swap = |by: &dyn Fn()| {
            std::fs::rename(at("file"), at("moved")).unwrap();
            by();
            let refused = open().err().map(|difference| difference.to_string());
            std::fs::rename(at("moved"), at("file")).unwrap();
            refused
        };
        assert!(open().is_ok());
        assert!(swap(&|| assert_ne!(write("file"), file_id)).unwrap().contains("replaced"));
        assert!(swap(&|| symlink("moved", at("file")).unwrap()).unwrap().contains("can't be read"));
        // Nobody writes to it, and nobody waits for that.
        let pipe = || rustix::fs::mknodat(CWD, at("file"), FileType::Fifo, Mode::RWXU, 0).unwrap();
        assert!(swap(&pipe).unwrap().contains("replaced"));
        // The directory that was opened is the one that counts.
        let held = tempfile::tempdir_in(top.path()).unwrap();
        let inside = held.path().join("key");
        std::fs::write(&inside, "key").unwrap();
        let file_id = FileId::from_file(&File::open(&inside).unwrap()).unwrap();
        let directory = Directory::containing(&inside).unwrap();
        std::fs::rename(held.path(), at("elsewhere")).unwrap();
        symlink("/etc", held.path()).unwrap();
        assert!(ExistingFile::open(&directory, &inside, file_id).is_ok());
        std::fs::remove_file(held.path()).unwrap();
        std::fs::rename(at("elsewhere"), held.path()).unwrap();
    }
}
