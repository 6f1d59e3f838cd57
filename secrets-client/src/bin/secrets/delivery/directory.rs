//! The directory of a file, reached step by step, so that nobody can put a link of theirs between.

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Component, Path, PathBuf};

use rustix::fs::{AtFlags, Mode, OFlags, RenameFlags};
use rustix::io::Errno;

use super::file_id::FileId;
use super::names::{aside, unfinished};

/// As many links on one way as Linux follows.
const MAX_LINKS: usize = 40;
/// Enough to go through a directory and to make and remove files in it, without the right to list it.
#[cfg(target_os = "linux")]
const SEARCH: OFlags = OFlags::PATH;
#[cfg(not(target_os = "linux"))]
const SEARCH: OFlags = OFlags::RDONLY;

/// A directory that is open, and its path as far as it is known.
pub(super) struct Directory(OwnedFd);

/// What a name in a directory stands for.
pub(super) enum Entry {
    File(FileId),
    Directory,
    Link,
    Pipe,
    Socket,
    Device,
}

impl Directory {
    /// The directory that holds `path`; an error of kind `NotFound` if it is not there.
    pub(super) fn containing(path: &Path) -> io::Result<Self> {
        Self::walk(path, |_, _| Err(Errno::NOENT.into()), |_, _| Ok(()))
    }

    /// Visits each directory on the way to `path`, from the root to the one that holds it. False if that is not there, and
    /// the last one that is was visited last.
    pub(super) fn visit_containing(
        path: &Path,
        visit: impl FnMut(&OwnedFd, &Path) -> io::Result<()>,
    ) -> io::Result<bool> {
        match Self::walk(path, |_, _| Err(Errno::NOENT.into()), visit) {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The directory that holds `path`. What is missing on the way is created, for its owner alone, and reported to `created`.
    pub(super) fn create_containing(
        path: &Path,
        mut created: impl FnMut(&Path, FileId) -> io::Result<()>,
    ) -> io::Result<Self> {
        let create = |directory: &Self, name: &Path| {
            match rustix::fs::mkdirat(&directory.0, name.file_name().unwrap_or_default(), Mode::from_raw_mode(0o700)) {
                Ok(()) => {}
                Err(Errno::EXIST) => return Ok(()), // somebody was quicker; theirs will do
                Err(error) => return Err(error.into()),
            }
            let new = directory.step(name.file_name().unwrap_or_default())?;
            created(name, FileId::from_file(&File::from(new.0))?)
        };
        Self::walk(path, create, |_, _| Ok(()))
    }

    /// Walks to the directory that holds `path`; `missing` may make a directory that is not there, given its path, and
    /// `visit` sees each one on the way.
    fn walk(
        path: &Path,
        mut missing: impl FnMut(&Self, &Path) -> io::Result<()>,
        mut visit: impl FnMut(&OwnedFd, &Path) -> io::Result<()>,
    ) -> io::Result<Self> {
        let above = path.parent().filter(|_| path.is_absolute()).ok_or(Errno::INVAL)?;
        let mut ahead: VecDeque<OsString> = above.components().map(|step| step.as_os_str().to_owned()).collect();
        let (mut here, mut at) = (Self::root()?, PathBuf::from("/"));
        visit(&here.0, &at)?;
        let mut links = 0;
        while let Some(name) = ahead.pop_front() {
            if name == "/" {
                (here, at) = (Self::root()?, PathBuf::from("/"));
                continue;
            }
            let there = at.join(&name);
            let next = match here.step(&name) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    missing(&here, &there)?;
                    here.step(&name)
                }
                next => next,
            };
            match next {
                Ok(next) => {
                    (here, at) = (next, there);
                    visit(&here.0, &at)?;
                }
                Err(error) if matches!(here.entry(&name), Ok(Some(Entry::Link))) => {
                    links += 1;
                    if links > MAX_LINKS {
                        return Err(Errno::LOOP.into());
                    }
                    let target = here.link(&name, &there).map_err(|refused| refused.unwrap_or(error))?;
                    for step in Path::new(&target).components().rev() {
                        ahead.push_front(match step {
                            Component::RootDir => "/".into(),
                            step => step.as_os_str().to_owned(),
                        });
                    }
                }
                Err(error) => return Err(error),
            }
        }
        Ok(here)
    }

    fn root() -> io::Result<Self> {
        let flags = SEARCH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(Self(rustix::fs::open("/", flags, Mode::empty())?))
    }

    /// The directory of this name in this one, if it is one and no link.
    fn step(&self, name: &OsStr) -> io::Result<Self> {
        let flags = SEARCH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        Ok(Self(rustix::fs::openat(&self.0, name, flags, Mode::empty())?))
    }

    /// Where a link leads, if whoever created it could as well write what it leads to.
    fn link(&self, name: &OsStr, shown: &Path) -> Result<OsString, Option<io::Error>> {
        let status = rustix::fs::statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW).map_err(|_| None)?;
        if !is_trusted(status.st_uid, rustix::process::geteuid().as_raw()) {
            return Err(Some(io::Error::other(format!("`{}` is somebody else's link", shown.display()))));
        }
        let target = rustix::fs::readlinkat(&self.0, name, Vec::new()).map_err(|error| Some(error.into()))?;
        Ok(OsString::from_vec(target.into_bytes()))
    }

    /// What is there under this name.
    pub(super) fn entry(&self, name: &OsStr) -> io::Result<Option<Entry>> {
        use rustix::fs::FileType;
        let status = match rustix::fs::statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(status) => status,
            Err(Errno::NOENT) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        Ok(Some(match FileType::from_raw_mode(status.st_mode) {
            FileType::RegularFile => {
                let flags = SEARCH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
                let file = rustix::fs::openat(&self.0, name, flags, Mode::empty())?;
                Entry::File(FileId::from_file(&File::from(file))?)
            }
            FileType::Directory => Entry::Directory,
            FileType::Symlink => Entry::Link,
            FileType::Fifo => Entry::Pipe,
            FileType::Socket => Entry::Socket,
            _ => Entry::Device,
        }))
    }

    /// A new file, which its owner alone may read and write.
    pub(super) fn create(&self, name: &OsStr) -> io::Result<File> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        Ok(File::from(rustix::fs::openat(&self.0, name, flags, Mode::from_raw_mode(0o600))?))
    }

    /// A file to read, if it is one and no link.
    pub(super) fn open(&self, name: &OsStr) -> io::Result<File> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        Ok(File::from(rustix::fs::openat(&self.0, name, flags, Mode::empty())?))
    }

    /// Gives a file its name, in place of the file `old`; an error of kind `AlreadyExists` if another one has it, which stays.
    pub(super) fn replace(&self, from: &OsStr, name: &OsStr, old: FileId) -> io::Result<()> {
        let has = |name: &OsStr| Ok::<_, io::Error>(matches!(self.entry(name)?, Some(Entry::File(id)) if id == old));
        if !has(name)? {
            return self.publish(from, name);
        }
        let exchange = || rustix::fs::renameat_with(&self.0, from, &self.0, name, RenameFlags::EXCHANGE);
        match exchange() {
            // Some file systems, NFS among them, know no such renaming.
            Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {
                return Ok(rustix::fs::renameat(&self.0, from, &self.0, name)?);
            }
            exchanged => exchanged?,
        }
        // What had the name has come to light, and can't change any more unseen.
        if has(from)? {
            return self.remove(from);
        }
        exchange()?;
        Err(Errno::EXIST.into())
    }

    /// Gives a file its name; an error of kind `AlreadyExists` if something has it.
    pub(super) fn publish(&self, from: &OsStr, name: &OsStr) -> io::Result<()> {
        match rustix::fs::renameat_with(&self.0, from, &self.0, name, RenameFlags::NOREPLACE) {
            // Some file systems, NFS among them, know no such renaming.
            Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {
                rustix::fs::linkat(&self.0, from, &self.0, name, AtFlags::empty())?;
                Ok(rustix::fs::unlinkat(&self.0, from, AtFlags::empty())?)
            }
            renamed => Ok(renamed?),
        }
    }

    pub(super) fn remove(&self, name: &OsStr) -> io::Result<()> {
        Ok(rustix::fs::unlinkat(&self.0, name, AtFlags::empty())?)
    }

    /// Removes the file of this name, if it is this one; false if it is not, and it keeps its name.
    ///
    /// It is compared under a name that nobody else would give away meanwhile, which is known to whoever cleans up after a
    /// kill: [`Self::finish_removal`]. Others can compute that name and take it, which must not keep the file there: then it is a
    /// random one, which is not found again after a kill in that instant.
    pub(super) fn remove_file(&self, name: &OsStr, file_id: FileId) -> io::Result<bool> {
        let mut aside = aside(file_id);
        let mut renamed = self.publish(name, &aside);
        if renamed.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::AlreadyExists) {
            aside = unfinished();
            renamed = self.publish(name, &aside);
        }
        match renamed {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
            renamed => renamed.and_then(|()| self.remove_aside(&aside, name, file_id)),
        }
    }

    /// The second step of a removal, if the first one was done: removes the file if it is this one, and gives another one its name
    /// back. False if it was another one.
    pub(super) fn finish_removal(&self, name: &OsStr, file_id: FileId) -> io::Result<bool> {
        self.remove_aside(&aside(file_id), name, file_id)
    }

    fn remove_aside(&self, aside: &OsStr, name: &OsStr, file_id: FileId) -> io::Result<bool> {
        match self.entry(aside)? {
            None => Ok(true),
            Some(Entry::File(there)) if there == file_id => self.remove(aside).map(|()| true),
            Some(_) => match self.publish(aside, name) {
                // What we may not rename, as what others own in `/tmp`, was not renamed by us.
                Err(error) if error.raw_os_error() == Some(Errno::PERM.raw_os_error()) => Ok(true),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    let text =
                        format!("somebody's other file is `{}` beside it now, as its name is taken", aside.display());
                    Err(io::Error::new(error.kind(), text))
                }
                given_back => given_back.map(|()| false),
            },
        }
    }

    /// Removes the directory of this name, if it is this one and empty; false if it is this one and is not.
    pub(super) fn remove_directory(&self, name: &OsStr, file_id: FileId) -> io::Result<bool> {
        if FileId::from_file(&File::from(self.step(name)?.0))? != file_id {
            return Ok(true);
        }
        match rustix::fs::unlinkat(&self.0, name, AtFlags::REMOVEDIR) {
            Err(Errno::NOTEMPTY | Errno::EXIST) => Ok(false),
            removed => Ok(removed.map(|()| true)?),
        }
    }
}

/// Whether a link is followed, by who owns it: in a directory where others may write, they can't lead us elsewhere.
const fn is_trusted(owner: u32, caller: u32) -> bool {
    owner == 0 || owner == caller
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::super::names::name;
    use super::*;

    #[test]
    fn makes_what_is_missing_for_its_owner_alone() {
        let top = tempfile::tempdir().unwrap();
        let mut created = Vec::new();
        let path = top.path().join("a/b/key");
        let directory = Directory::create_containing(&path, |path, _| {
            created.push(path.to_owned());
            Ok(())
        });
        directory.unwrap().create(name(&path)).unwrap();
        assert_eq!(created, [top.path().join("a"), top.path().join("a/b")]);
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&created[0]), mode(&path)), (0o700, 0o600));
        assert_eq!(Directory::containing(&top.path().join("x/key")).err().unwrap().kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn follows_a_link_of_ones_own_and_stops_in_a_circle() {
        let top = tempfile::tempdir().unwrap();
        std::fs::create_dir(top.path().join("real")).unwrap();
        symlink("../real/./", top.path().join("real/up")).unwrap();
        symlink(top.path().join("real/up"), top.path().join("absolute")).unwrap();
        symlink("circle", top.path().join("circle")).unwrap();
        Directory::containing(&top.path().join("absolute/key")).unwrap().create(OsStr::new("key")).unwrap();
        assert!(top.path().join("real/key").exists());
        assert!(Directory::containing(&top.path().join("circle/key")).is_err());
    }

    #[test]
    fn follows_no_link_of_somebody_else() {
        for (owner, caller, trusted) in [(0, 1000, true), (1000, 1000, true), (1001, 1000, false), (1000, 0, false)] {
            assert_eq!(is_trusted(owner, caller), trusted, "{owner} {caller}");
        }
        let top = tempfile::tempdir().unwrap();
        std::fs::create_dir(top.path().join("real")).unwrap();
        symlink("real", top.path().join("theirs")).unwrap();
        // Only root can play somebody else.
        if std::os::unix::fs::lchown(top.path().join("theirs"), Some(12345), None).is_ok() {
            let error = Directory::containing(&top.path().join("theirs/key")).err().unwrap();
            assert!(error.to_string().contains("theirs` is somebody else's link"), "{error}");
        }
    }

    #[test]
    fn replaces_one_file_and_no_other() {
        let top = tempfile::tempdir().unwrap();
        let directory = Directory::containing(&top.path().join("x")).unwrap();
        let write = |name: &str| {
            std::fs::write(top.path().join(name), name).unwrap();
            FileId::from_file(&File::open(top.path().join(name)).unwrap()).unwrap()
        };
        let (old, _, other) = (write("file"), write("new"), write("other"));
        let replace = |name: &str, old| directory.replace(OsStr::new("new"), OsStr::new(name), old);
        assert_eq!(replace("file", other).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(std::fs::read_to_string(top.path().join("file")).unwrap(), "file");
        replace("file", old).unwrap();
        assert_eq!(std::fs::read_to_string(top.path().join("file")).unwrap(), "new");
        assert!(!top.path().join("new").exists());
        write("new");
        replace("free", old).unwrap();
        assert_eq!(std::fs::read_to_string(top.path().join("free")).unwrap(), "new");
    }

    #[test]
    fn removes_one_file_and_no_other() {
        let top = tempfile::tempdir().unwrap();
        let directory = Directory::containing(&top.path().join("x")).unwrap();
        let write = |name: &str| {
            std::fs::write(top.path().join(name), name).unwrap();
            FileId::from_file(&File::open(top.path().join(name)).unwrap()).unwrap()
        };
        let names = || std::fs::read_dir(top.path()).unwrap().map(|e| e.unwrap().file_name()).collect::<Vec<_>>();
        let (ours, theirs) = (write("ours"), write("theirs"));
        // As when somebody puts theirs there right after it was looked at.
        assert!(!directory.remove_file(OsStr::new("theirs"), ours).unwrap());
        assert_eq!(std::fs::read_to_string(top.path().join("theirs")).unwrap(), "theirs");
        assert!(directory.remove_file(OsStr::new("ours"), ours).unwrap());
        assert!(directory.remove_file(OsStr::new("ours"), ours).unwrap());
        assert_eq!(names(), ["theirs"]);
        std::fs::rename(top.path().join("theirs"), top.path().join(aside(theirs))).unwrap();
        assert!(directory.finish_removal(OsStr::new("theirs"), theirs).unwrap());
        assert_eq!(names(), Vec::<OsString>::new());
    }

    #[test]
    fn removes_a_file_also_where_the_name_for_that_is_taken() {
        let top = tempfile::tempdir().unwrap();
        let directory = Directory::containing(&top.path().join("x")).unwrap();
        std::fs::write(top.path().join("ours"), "ours").unwrap();
        let ours = FileId::from_file(&File::open(top.path().join("ours")).unwrap()).unwrap();
        let taken = top.path().join(aside(ours));
        std::fs::write(&taken, "theirs").unwrap();
        assert!(directory.remove_file(OsStr::new("ours"), ours).unwrap());
        // What somebody put in its place right after it was looked at gets its name back from that name, too.
        std::fs::write(top.path().join("ours"), "another").unwrap();
        assert!(!directory.remove_file(OsStr::new("ours"), ours).unwrap());
        assert_eq!(std::fs::read_to_string(top.path().join("ours")).unwrap(), "another");
        assert_eq!(std::fs::read_to_string(&taken).unwrap(), "theirs");
        assert_eq!(std::fs::read_dir(top.path()).unwrap().count(), 2);
    }

    #[test]
    fn never_takes_a_name_that_something_has() {
        let top = tempfile::tempdir().unwrap();
        std::fs::write(top.path().join("new"), "new").unwrap();
        let directory = Directory::containing(&top.path().join("x")).unwrap();
        std::fs::write(top.path().join("file"), "old").unwrap();
        symlink("nowhere", top.path().join("link")).unwrap();
        std::fs::create_dir(top.path().join("directory")).unwrap();
        for taken in ["file", "link", "directory"] {
            let error = directory.publish(OsStr::new("new"), OsStr::new(taken)).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::AlreadyExists, "{taken}");
            assert!(directory.create(OsStr::new(taken)).is_err(), "{taken}");
        }
        directory.publish(OsStr::new("new"), OsStr::new("free")).unwrap();
        assert_eq!(std::fs::read_to_string(top.path().join("free")).unwrap(), "new");
        assert_eq!(std::fs::read_to_string(top.path().join("file")).unwrap(), "old");
    }
}
