//! The private directory of the caller's processes: one directory a process, with its journal and its configuration of registries.

use std::ffi::OsString;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, OFlags};
use rustix::io::Errno;

use super::file_id::FileId;
use super::journal::{self, Journal, Process};
use super::names::random_name;
use super::release::{Living, files, release_beside};
use crate::ui::error::{CliError, ExitCode};

/// How long another process may take to write or remove its files; then something is wrong with it.
const LOCK_TIMEOUT: Duration = Duration::from_secs(10);
/// How long is waited for what another process may do as well.
const BRIEF_LOCK_TIMEOUT: Duration = Duration::from_millis(500);
const LOCK_INTERVAL: Duration = Duration::from_millis(5);

/// Where the caller's processes keep what they must clean up: the first of these directories that serves.
#[derive(Clone)]
pub(super) struct RuntimeDir {
    candidates: Vec<PathBuf>,
    /// Where processes with other variables keep theirs: read and locked if they are there, and never made.
    usual: Vec<PathBuf>,
    lock_timeout: Duration,
}

/// What keeps the caller's other processes from changing files meanwhile. They all lock in the same order.
pub(super) struct RuntimeLock<'a> {
    runtime: &'a RuntimeDir,
    locked: Vec<Locked<'a>>,
    /// Why a directory does not serve.
    refused: Option<String>,
}

struct Locked<'a> {
    directory: &'a Path,
    id: DirectoryId,
    _lock: File,
}

/// The device and the number of a directory, which is the same one by whatever path.
type DirectoryId = (u64, u64);

/// The directory of this process. The journal in it is open, and so locked, as long as this lives.
pub(super) struct ProcessDir {
    pub(super) directory: PathBuf,
    pub(super) journal: Journal,
}

/// Whether a directory that is not there is made to be locked.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Missing {
    Create,
    Skip,
}

impl RuntimeDir {
    /// `$XDG_RUNTIME_DIR/secrets`, else `secrets-UID` in the directory for temporary files.
    pub(super) fn for_caller() -> Self {
        let candidates = candidates(|name| std::env::var_os(name));
        Self { candidates, usual: usual().into(), lock_timeout: LOCK_TIMEOUT }
    }

    /// The same, for what can be left to the next process. It waits a moment: whoever has one of the directories locked, which any of the
    /// caller's processes has while it begins or ends, cleans up in those that it knows, and need not know all of these.
    pub(super) fn waiting_briefly(&self) -> Self {
        Self { lock_timeout: BRIEF_LOCK_TIMEOUT, ..self.clone() }
    }

    /// Waits until no other process of the caller's changes files, and keeps them from it.
    pub(super) fn lock(&self, missing: Missing) -> Result<RuntimeLock<'_>, CliError> {
        let mut lock = RuntimeLock { runtime: self, locked: Vec::new(), refused: None };
        if missing == Missing::Create {
            for directory in &self.candidates {
                match usable(directory) {
                    Ok(()) => break,
                    Err(why) => lock.refuse(directory, &why),
                }
            }
        }
        let known = |directory| Some((private_id(directory)?, directory));
        let mut directories: Vec<(DirectoryId, &Path)> = self.all().filter_map(known).collect();
        // The same order for all, whichever of them they prefer: two that wait for each other would do so until they give up.
        directories.sort_by_key(|(id, _)| *id);
        directories.dedup_by_key(|(id, _)| *id);
        for (id, directory) in directories {
            lock.add(directory, id)?;
        }
        Ok(lock)
    }

    fn all(&self) -> impl Iterator<Item = &Path> {
        self.candidates.iter().chain(&self.usual).map(PathBuf::as_path)
    }

    /// Whether the journal of a process, living or dead, names this file.
    pub(super) fn names(&self, file_id: FileId) -> bool {
        let private = self.all().filter(|directory| is_private(directory).unwrap_or(false));
        let processes = private.filter_map(|directory| processes(directory).ok()).flatten();
        let mut records = processes.filter_map(|directory| journal::read(&directory).ok());
        records.any(|records| files(&records).any(|file| file.file_id == file_id))
    }
}

impl<'a> RuntimeLock<'a> {
    /// Makes a directory for this process.
    pub(super) fn begin(&mut self, process: &Process) -> Result<ProcessDir, CliError> {
        for directory in &self.runtime.candidates {
            if !self.has(directory) {
                match usable(directory) {
                    Ok(()) => private_id(directory).map_or(Ok(()), |id| self.add(directory, id))?,
                    Err(why) => self.refuse(directory, &why),
                }
            }
            if self.has(directory) {
                match begin(directory, process) {
                    Ok(run) => return Ok(run),
                    Err(error) => self.refuse(directory, &error.to_string()),
                }
            }
        }
        let why = self.refused.take().unwrap_or_else(|| "there is no directory for temporary files".to_owned());
        Err(CliError::new(ExitCode::Failed, why).hint("XDG_RUNTIME_DIR or TMPDIR names the directory that it is in"))
    }

    /// The caller's living processes. What dead ones left is removed, or becomes theirs, as far as it can be: what fails now is
    /// left to the next process.
    pub(super) fn living(&self) -> Vec<Living> {
        let (mut living, mut dead) = (Vec::new(), Vec::new());
        let directories = self.locked.iter().filter_map(|locked| processes(locked.directory).ok());
        for directory in directories.flatten() {
            match journal::take_over(&directory) {
                Ok(Some(locked)) => dead.push((directory, locked)),
                // One whose journal can't be read lives, and nobody can know what it uses.
                Ok(None) => {
                    living.push(Living { records: journal::read(&directory).unwrap_or_default(), directory });
                }
                // Whoever makes a directory holds the lock until it has a journal.
                Err(error) if error.kind() == io::ErrorKind::NotFound => drop(std::fs::remove_dir_all(&directory)),
                Err(_) => {}
            }
        }
        // What is no journal names nothing.
        let dead: Vec<_> = dead
            .into_iter()
            .map(|(directory, locked)| (journal::read(&directory).unwrap_or_default(), directory, locked))
            .collect();
        let of_dead: Vec<FileId> =
            dead.iter().flat_map(|(records, ..)| files(records)).map(|file| file.file_id).collect();
        for (records, directory, _locked) in &dead {
            let left = release_beside(records, &mut living, &of_dead);
            if !left.iter().any(|left| left.is_ours) {
                let _ = std::fs::remove_dir_all(directory);
            }
        }
        living
    }

    fn has(&self, directory: &Path) -> bool {
        private_id(directory).is_some_and(|id| self.locked.iter().any(|locked| locked.id == id))
    }

    fn add(&mut self, directory: &'a Path, id: DirectoryId) -> Result<(), CliError> {
        match lock(directory, self.runtime.lock_timeout) {
            Ok(Ok(file)) => self.locked.push(Locked { directory, id, _lock: file }),
            Ok(Err(holder)) => {
                let holder = holder.map_or_else(String::new, |number| format!(" (process {number})"));
                let seconds = self.runtime.lock_timeout.as_secs();
                let message =
                    format!("another `secrets`{holder} has been writing or removing files for more than {seconds} s");
                return Err(CliError::new(ExitCode::Failed, message).hint("if it hangs, end it, and try again"));
            }
            Err(error) => self.refuse(directory, &error.to_string()),
        }
        Ok(())
    }

    fn refuse(&mut self, directory: &Path, why: &str) {
        self.refused = Some(format!("`{}` can't be used for temporary files: {why}", directory.display()));
    }
}

/// Makes the directory if it is missing; refuses one that is not the caller's alone.
fn usable(directory: &Path) -> Result<(), String> {
    match DirBuilder::new().mode(0o700).create(directory) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error.to_string()),
        _ => {}
    }
    match is_private(directory) {
        Ok(true) => Ok(()),
        Ok(false) => Err("it must be a directory of yours that nobody else may enter (0700)".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

fn begin(directory: &Path, process: &Process) -> io::Result<ProcessDir> {
    let directory = directory.join(random_name());
    DirBuilder::new().mode(0o700).create(&directory)?;
    let journal = Journal::create(&directory, process.clone()).inspect_err(|_| {
        let _ = std::fs::remove_dir_all(&directory);
    })?;
    Ok(ProcessDir { directory, journal })
}

/// The directories of all processes.
fn processes(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(directory)?.filter_map(Result::ok);
    let directories = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    Ok(directories.map(|entry| entry.path()).collect())
}

/// Locks a directory, or gives the number of the process that has it locked for too long, if it is known.
fn lock(directory: &Path, timeout: Duration) -> io::Result<Result<File, Option<u32>>> {
    let flags = OFlags::NOFOLLOW.bits().cast_signed();
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600).custom_flags(flags);
    let mut file = options.open(directory.join("lock"))?;
    let end = Instant::now() + timeout;
    loop {
        match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => break,
            Err(Errno::WOULDBLOCK) if Instant::now() < end => std::thread::sleep(LOCK_INTERVAL),
            Err(Errno::WOULDBLOCK) => {
                let mut number = String::new();
                let is_read = file.take(16).read_to_string(&mut number).is_ok();
                return Ok(Err(number.trim().parse().ok().filter(|_| is_read)));
            }
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    // For a person to read, who waits for this process: no more than that.
    let _ = file.set_len(0).and_then(|()| file.rewind()).and_then(|()| write!(file, "{}", std::process::id()));
    Ok(Ok(file))
}

#[cfg(test)]
impl RuntimeDir {
    pub(super) fn at(directory: PathBuf) -> Self {
        Self::among(vec![directory], Vec::new())
    }

    pub(super) fn among(candidates: Vec<PathBuf>, usual: Vec<PathBuf>) -> Self {
        Self { candidates, usual, lock_timeout: LOCK_TIMEOUT }
    }
}

impl ProcessDir {
    /// Removes the directory, and with it the record of what was made.
    pub(super) fn end(self) -> io::Result<()> {
        std::fs::remove_dir_all(&self.directory)
    }
}

/// Where the directory may be, the best place first.
fn candidates(variable: impl Fn(&str) -> Option<OsString>) -> Vec<PathBuf> {
    let absolute = |name: &str| variable(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let user = rustix::process::geteuid().as_raw();
    let temporary = absolute("TMPDIR").unwrap_or_else(|| "/tmp".into()).join(format!("secrets-{user}"));
    let runtime = absolute("XDG_RUNTIME_DIR")
        .filter(|directory| is_own(directory, user))
        .map(|directory| directory.join("secrets"));
    runtime.into_iter().chain([temporary]).collect()
}

/// Where they are when the variables have their usual values, which a process of `cron` or `env -i` does not get.
fn usual() -> [PathBuf; 2] {
    let user = rustix::process::geteuid().as_raw();
    [format!("/run/user/{user}/secrets").into(), format!("/tmp/secrets-{user}").into()]
}

/// Whether it is there and the caller's: the variable of somebody else stays behind after `su`.
pub(super) fn is_own(directory: &Path, user: u32) -> bool {
    std::fs::metadata(directory).is_ok_and(|directory| directory.is_dir() && directory.uid() == user)
}

/// Whether it is a directory, no link, and its owner the only one who may enter it.
pub(super) fn is_private(directory: &Path) -> io::Result<bool> {
    let metadata = std::fs::symlink_metadata(directory)?;
    let is_own = metadata.uid() == rustix::process::geteuid().as_raw();
    Ok(metadata.is_dir() && is_own && metadata.mode() & 0o077 == 0)
}

fn private_id(directory: &Path) -> Option<DirectoryId> {
    let metadata = is_private(directory).ok()?.then(|| std::fs::symlink_metadata(directory))?.ok()?;
    Some((metadata.dev(), metadata.ino()))
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::super::journal::{FileRecord, Record};
    use super::*;

    #[test]
    fn prefers_the_runtime_directory_of_the_session() {
        let own = tempfile::tempdir().unwrap();
        let user = rustix::process::geteuid().as_raw();
        let with = |runtime: &Path| {
            let runtime = runtime.as_os_str().to_owned();
            candidates(move |name| match name {
                "XDG_RUNTIME_DIR" => Some(runtime.clone()),
                "TMPDIR" => Some("/scratch".into()),
                _ => None,
            })
        };
        let temporary = PathBuf::from(format!("/scratch/secrets-{user}"));
        assert_eq!(with(own.path()), [own.path().join("secrets"), temporary.clone()]);
        for useless in ["", "relative", "/nonexistent"] {
            assert_eq!(with(Path::new(useless)), std::slice::from_ref(&temporary), "{useless}");
        }
    }

    #[test]
    fn reads_the_usual_directories_whatever_the_variables_say() {
        let user = rustix::process::geteuid().as_raw();
        let usual = [format!("/run/user/{user}/secrets"), format!("/tmp/secrets-{user}")];
        assert_eq!(RuntimeDir::for_caller().usual, usual.map(PathBuf::from));
        assert_eq!(candidates(|_| None), [PathBuf::from(format!("/tmp/secrets-{user}"))]);
    }

    #[test]
    fn locks_a_directory_once_by_whatever_path_and_makes_no_usual_one() {
        let top = tempfile::tempdir().unwrap();
        let at = |name: &str| top.path().join(name);
        std::fs::create_dir(at("run")).unwrap();
        symlink("run", at("link")).unwrap();
        let mut runtime = RuntimeDir::among(vec![at("link/secrets")], vec![at("run/secrets"), at("none")]);
        runtime.lock_timeout = Duration::from_millis(50);
        for _ in 0..2 {
            let mut lock = runtime.lock(Missing::Create).unwrap();
            assert_eq!(lock.locked.len(), 1);
            lock.begin(&process()).unwrap().end().unwrap();
        }
        assert!(!at("none").exists());
    }

    #[test]
    fn uses_no_directory_that_others_may_enter() {
        let top = tempfile::tempdir().unwrap();
        let at = |name: &str| top.path().join(name);
        std::fs::create_dir(at("open")).unwrap();
        std::fs::set_permissions(at("open"), Permissions::from_mode(0o750)).unwrap();
        std::fs::create_dir(at("private")).unwrap();
        std::fs::set_permissions(at("private"), Permissions::from_mode(0o700)).unwrap();
        symlink("private", at("link")).unwrap();
        std::fs::write(at("file"), "").unwrap();
        let begin = |runtime: &RuntimeDir| runtime.lock(Missing::Create)?.begin(&process());
        for (name, serves) in [("open", false), ("private", true), ("link", false), ("file", false), ("new", true)] {
            assert_eq!(begin(&RuntimeDir::at(at(name))).is_ok(), serves, "{name}");
        }
        assert!(is_private(&at("new")).unwrap());
        let both = RuntimeDir::among(vec![at("open"), at("private")], Vec::new());
        assert!(begin(&both).unwrap().directory.starts_with(at("private")));
        // One that is locked, and in which nothing can be made after all.
        std::fs::create_dir(at("private/lock-is-a-directory")).unwrap();
        std::fs::set_permissions(at("private/lock-is-a-directory"), Permissions::from_mode(0o700)).unwrap();
        std::fs::create_dir(at("private/lock-is-a-directory/lock")).unwrap();
        let both = RuntimeDir::among(vec![at("private/lock-is-a-directory"), at("private")], Vec::new());
        assert!(begin(&both).unwrap().directory.starts_with(at("private")));
    }

    #[test]
    fn removes_what_the_dead_left_and_leaves_the_living_alone() {
        let top = tempfile::tempdir().unwrap();
        let directory = top.path().join("runtime");
        let runtime = RuntimeDir::at(directory.clone());
        let begin = || runtime.lock(Missing::Create).unwrap().begin(&process()).unwrap();
        let make = |run: &mut ProcessDir, name: &str| {
            let path = top.path().join(name);
            std::fs::write(&path, "x").unwrap();
            let file_id = crate::delivery::file_id::FileId::from_file(&File::open(&path).unwrap()).unwrap();
            let record = FileRecord { path: path.clone(), file_id, secret: String::new(), version: 1 };
            run.journal.note(&[Record::File(record)]).unwrap();
            path
        };
        let (mut living, mut dead) = (begin(), begin());
        let (stays, goes) = (make(&mut living, "living"), make(&mut dead, "dead"));
        std::fs::create_dir(directory.join("unborn")).unwrap();
        drop(dead);
        let found = runtime.lock(Missing::Skip).unwrap().living();
        assert_eq!((found.len(), found[0].process()), (1, Some(&process())));
        assert!(stays.exists() && living.directory.exists() && !goes.exists());
        assert_eq!(processes(&directory).unwrap(), std::slice::from_ref(&living.directory));
        living.end().unwrap();
        assert_eq!(processes(&directory).unwrap().len(), 0);
    }

    #[test]
    fn believes_no_journal_that_is_too_large() {
        let top = tempfile::tempdir().unwrap();
        let runtime = RuntimeDir::at(top.path().join("runtime"));
        let begin = || runtime.lock(Missing::Create).unwrap().begin(&process()).unwrap();
        let (living, dead) = (begin(), begin());
        for run in [&living, &dead] {
            let journal = File::options().write(true).open(run.directory.join(Journal::FILE)).unwrap();
            journal.set_len(1 << 40).unwrap();
        }
        drop(dead);
        let found = runtime.lock(Missing::Skip).unwrap().living();
        assert_eq!((found.len(), found[0].records.len()), (1, 0));
        assert_eq!(processes(&top.path().join("runtime")).unwrap(), std::slice::from_ref(&living.directory));
    }

    #[test]
    fn does_not_wait_for_ever_for_whoever_has_the_lock() {
        let top = tempfile::tempdir().unwrap();
        let mut runtime = RuntimeDir::at(top.path().join("runtime"));
        runtime.lock_timeout = Duration::from_millis(50);
        let _held = runtime.lock(Missing::Create).unwrap();
        let error = runtime.lock(Missing::Create).err().unwrap();
        assert!(error.message().contains(&format!("`secrets` (process {})", std::process::id())), "{error:?}");
    }

    fn process() -> Process {
        Process { number: std::process::id(), program: "sh".to_owned(), endpoint: "http://localhost".to_owned() }
    }
}
