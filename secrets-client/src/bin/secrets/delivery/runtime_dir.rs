//! The private directory of the caller's processes: one directory a process, with its journal and its Docker configuration.

use std::ffi::OsString;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::FlockOperation;

use super::journal::{self, Journal, Record};
use crate::ui::error::{CliError, ExitCode};

/// Where the caller's processes keep what they must clean up: the first of these directories that serves.
pub(super) struct RuntimeDir {
    candidates: Vec<PathBuf>,
}

/// The directory of this process. The journal in it is open, and so locked, as long as this lives.
pub(super) struct ProcessDir {
    pub(super) directory: PathBuf,
    pub(super) journal: Journal,
}

impl RuntimeDir {
    /// `$XDG_RUNTIME_DIR/secrets`, else `secrets-UID` in the directory for temporary files.
    pub(super) fn for_caller() -> Self {
        Self { candidates: candidates(|name| std::env::var_os(name)) }
    }

    /// Makes a directory for this process.
    pub(super) fn begin(&self) -> Result<ProcessDir, CliError> {
        let mut refused = None;
        for directory in &self.candidates {
            match usable(directory).and_then(|()| begin(directory).map_err(|error| error.to_string())) {
                Ok(run) => return Ok(run),
                Err(why) => {
                    refused = Some(format!("`{}` can't be used for temporary files: {why}", directory.display()))
                }
            }
        }
        let why = refused.unwrap_or_else(|| "there is no directory for temporary files".to_owned());
        Err(CliError::new(ExitCode::Failed, why).hint("XDG_RUNTIME_DIR or TMPDIR names the directory that it is in"))
    }

    /// Removes what dead processes left, as far as it can be: what fails now is left to the next process.
    pub(super) fn remove_abandoned(&self) {
        for directory in &self.candidates {
            if is_private(directory).unwrap_or(false) {
                let _ = remove_abandoned(directory);
            }
        }
    }

    /// The living process that made the file at `path`, if one did.
    pub(super) fn owner_process(&self, path: &Path) -> Option<u32> {
        let directories = self.candidates.iter().filter(|directory| is_private(directory).unwrap_or(false));
        let journals = directories.filter_map(|directory| processes(directory).ok()).flatten();
        let mut records = journals.filter_map(|process| journal::read(&process).ok());
        records.find_map(|records| {
            let names_path = |record: &Record| matches!(record, Record::File(file, _) if file == path);
            let process = records.iter().find_map(|record| match record {
                Record::Process(number) => Some(*number),
                _ => None,
            });
            process.filter(|_| records.iter().any(names_path))
        })
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

fn begin(directory: &Path) -> io::Result<ProcessDir> {
    // Whoever sweeps holds the same lock: a directory without a journal is then a dead process's.
    let _lock = lock(directory)?;
    let directory = directory.join(random_name());
    DirBuilder::new().mode(0o700).create(&directory)?;
    let journal = Journal::create(&directory)?;
    Ok(ProcessDir { directory, journal })
}

fn remove_abandoned(directory: &Path) -> io::Result<()> {
    let _lock = lock(directory)?;
    for process in processes(directory)? {
        match journal::take_over(&process) {
            Ok(None) => {} // it lives
            Ok(Some(_locked)) => {
                let left = journal::undo(journal::read(&process)?.iter());
                if !left.iter().any(|left| left.is_ours) {
                    let _ = std::fs::remove_dir_all(&process);
                }
            }
            Err(_) => drop(std::fs::remove_dir_all(&process)),
        }
    }
    Ok(())
}

/// The directories of all processes.
fn processes(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(directory)?.filter_map(Result::ok);
    let directories = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    Ok(directories.map(|entry| entry.path()).collect())
}

fn lock(directory: &Path) -> io::Result<File> {
    let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(directory.join("lock"))?;
    rustix::fs::flock(&file, FlockOperation::LockExclusive)?;
    Ok(file)
}

#[cfg(test)]
impl RuntimeDir {
    pub(super) fn at(directory: PathBuf) -> Self {
        Self { candidates: vec![directory] }
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

/// Whether it is there and the caller's: the variable of somebody else stays behind after `su`.
fn is_own(directory: &Path, user: u32) -> bool {
    std::fs::metadata(directory).is_ok_and(|directory| directory.is_dir() && directory.uid() == user)
}

/// Whether it is a directory, no link, and its owner the only one who may enter it.
pub(super) fn is_private(directory: &Path) -> io::Result<bool> {
    let metadata = std::fs::symlink_metadata(directory)?;
    let is_own = metadata.uid() == rustix::process::geteuid().as_raw();
    Ok(metadata.is_dir() && is_own && metadata.mode() & 0o077 == 0)
}

/// A name in a directory of others, under which something is written that gets its own name later.
pub(super) fn unfinished() -> OsString {
    format!(".secrets-{}", random_name()).into()
}

/// A name that nobody else would choose.
#[expect(clippy::disallowed_methods, reason = "a command has no use for injected randomness")]
pub(crate) fn random_name() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

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
    fn uses_no_directory_that_others_may_enter() {
        let top = tempfile::tempdir().unwrap();
        let at = |name: &str| top.path().join(name);
        std::fs::create_dir(at("open")).unwrap();
        std::fs::set_permissions(at("open"), Permissions::from_mode(0o750)).unwrap();
        std::fs::create_dir(at("private")).unwrap();
        std::fs::set_permissions(at("private"), Permissions::from_mode(0o700)).unwrap();
        symlink("private", at("link")).unwrap();
        std::fs::write(at("file"), "").unwrap();
        for (name, serves) in [("open", false), ("private", true), ("link", false), ("file", false), ("new", true)] {
            assert_eq!(RuntimeDir::at(at(name)).begin().is_ok(), serves, "{name}");
        }
        assert!(is_private(&at("new")).unwrap());
        let second = RuntimeDir { candidates: vec![at("open"), at("private")] }.begin().unwrap();
        assert!(second.directory.starts_with(at("private")));
    }

    #[test]
    fn removes_what_the_dead_left_and_leaves_the_living_alone() {
        let top = tempfile::tempdir().unwrap();
        let directory = top.path().join("runtime");
        let runtime = RuntimeDir::at(directory.clone());
        let make = |run: &mut ProcessDir, name: &str| {
            let path = top.path().join(name);
            std::fs::write(&path, "x").unwrap();
            let file_id = crate::delivery::file_id::FileId::from_file(&File::open(&path).unwrap()).unwrap();
            run.journal.note(Record::File(path.clone(), file_id)).unwrap();
            path
        };
        let (mut living, mut dead) = (runtime.begin().unwrap(), runtime.begin().unwrap());
        let (stays, goes) = (make(&mut living, "living"), make(&mut dead, "dead"));
        std::fs::create_dir(directory.join("unborn")).unwrap();
        assert_eq!(runtime.owner_process(&stays), Some(std::process::id()));
        drop(dead);
        runtime.remove_abandoned();
        assert!(stays.exists() && living.directory.exists() && !goes.exists());
        assert_eq!(processes(&directory).unwrap(), std::slice::from_ref(&living.directory));
        living.end().unwrap();
        assert_eq!(processes(&directory).unwrap().len(), 0);
    }
}
