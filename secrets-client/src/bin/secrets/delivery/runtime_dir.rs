//! The private folder of the caller's processes: one folder a process, with its journal and its Docker configuration.

use std::ffi::OsString;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::FlockOperation;

use super::journal::{self, Journal, Record};
use crate::ui::error::{CliError, Exit};

/// Where the caller's processes keep what they must clean up: the first of these folders that serves.
pub(super) struct Runtime {
    candidates: Vec<PathBuf>,
}

/// The folder of this process. The journal in it is open, and so locked, as long as this lives.
pub(super) struct Run {
    pub(super) folder: PathBuf,
    pub(super) journal: Journal,
}

impl Runtime {
    /// `$XDG_RUNTIME_DIR/secrets`, else `secrets-UID` in the folder for temporary files.
    pub(super) fn of_caller() -> Self {
        Self { candidates: candidates(|name| std::env::var_os(name)) }
    }

    /// Makes a folder for this process.
    pub(super) fn begin(&self) -> Result<Run, CliError> {
        let mut refused = None;
        for folder in &self.candidates {
            match usable(folder).and_then(|()| begin(folder).map_err(|error| error.to_string())) {
                Ok(run) => return Ok(run),
                Err(why) => refused = Some(format!("`{}` can't be used for temporary files: {why}", folder.display())),
            }
        }
        let why = refused.unwrap_or_else(|| "there is no folder for temporary files".to_owned());
        Err(CliError::new(Exit::Failed, why).hint("XDG_RUNTIME_DIR or TMPDIR names the folder that it is in"))
    }

    /// Removes what dead processes left, as far as it can be: what fails now is left to the next process.
    pub(super) fn sweep(&self) {
        for folder in &self.candidates {
            if is_private(folder).unwrap_or(false) {
                let _ = sweep(folder);
            }
        }
    }

    /// The living process that made the file at `path`, if one did.
    pub(super) fn maker(&self, path: &Path) -> Option<u32> {
        let folders = self.candidates.iter().filter(|folder| is_private(folder).unwrap_or(false));
        let journals = folders.filter_map(|folder| processes(folder).ok()).flatten();
        let mut records = journals.filter_map(|process| journal::read(&process).ok());
        records.find_map(|records| {
            let made = |record: &Record| matches!(record, Record::File(made, _) if made == path);
            let process = records.iter().find_map(|record| match record {
                Record::Process(number) => Some(*number),
                _ => None,
            });
            process.filter(|_| records.iter().any(made))
        })
    }
}

/// Makes the folder if it is missing; refuses one that is not the caller's alone.
fn usable(folder: &Path) -> Result<(), String> {
    match DirBuilder::new().mode(0o700).create(folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error.to_string()),
        _ => {}
    }
    match is_private(folder) {
        Ok(true) => Ok(()),
        Ok(false) => Err("it must be a folder of yours that nobody else may enter (0700)".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

fn begin(folder: &Path) -> io::Result<Run> {
    // Whoever sweeps holds the same lock: a folder without a journal is then a dead process's.
    let _lock = lock(folder)?;
    let folder = folder.join(unguessable());
    DirBuilder::new().mode(0o700).create(&folder)?;
    let journal = Journal::create(&folder)?;
    Ok(Run { folder, journal })
}

fn sweep(folder: &Path) -> io::Result<()> {
    let _lock = lock(folder)?;
    for process in processes(folder)? {
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

/// The folders of all processes.
fn processes(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder)?.filter_map(Result::ok);
    let folders = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    Ok(folders.map(|entry| entry.path()).collect())
}

fn lock(folder: &Path) -> io::Result<File> {
    let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(folder.join("lock"))?;
    rustix::fs::flock(&file, FlockOperation::LockExclusive)?;
    Ok(file)
}

#[cfg(test)]
impl Runtime {
    pub(super) fn at(folder: PathBuf) -> Self {
        Self { candidates: vec![folder] }
    }
}

impl Run {
    /// Removes the folder, and with it the record of what was made.
    pub(super) fn end(self) -> io::Result<()> {
        std::fs::remove_dir_all(&self.folder)
    }
}

/// Where the folder may be, the best place first.
fn candidates(variable: impl Fn(&str) -> Option<OsString>) -> Vec<PathBuf> {
    let absolute = |name: &str| variable(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let user = rustix::process::geteuid().as_raw();
    let temporary = absolute("TMPDIR").unwrap_or_else(|| "/tmp".into()).join(format!("secrets-{user}"));
    let runtime =
        absolute("XDG_RUNTIME_DIR").filter(|folder| is_own(folder, user)).map(|folder| folder.join("secrets"));
    runtime.into_iter().chain([temporary]).collect()
}

/// Whether it is there and the caller's: the variable of somebody else stays behind after `su`.
fn is_own(folder: &Path, user: u32) -> bool {
    std::fs::metadata(folder).is_ok_and(|folder| folder.is_dir() && folder.uid() == user)
}

/// Whether it is a folder, no link, and its owner the only one who may enter it.
pub(super) fn is_private(folder: &Path) -> io::Result<bool> {
    let metadata = std::fs::symlink_metadata(folder)?;
    let is_own = metadata.uid() == rustix::process::geteuid().as_raw();
    Ok(metadata.is_dir() && is_own && metadata.mode() & 0o077 == 0)
}

/// A name in a folder of others, under which something is written that gets its own name later.
pub(super) fn unfinished() -> OsString {
    format!(".secrets-{}", unguessable()).into()
}

/// A name that nobody else would choose.
#[expect(clippy::disallowed_methods, reason = "a command has no use for injected randomness")]
pub(crate) fn unguessable() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    #[test]
    fn prefers_the_runtime_folder_of_the_session() {
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
    fn uses_no_folder_that_others_may_enter() {
        let top = tempfile::tempdir().unwrap();
        let at = |name: &str| top.path().join(name);
        std::fs::create_dir(at("open")).unwrap();
        std::fs::set_permissions(at("open"), Permissions::from_mode(0o750)).unwrap();
        std::fs::create_dir(at("private")).unwrap();
        std::fs::set_permissions(at("private"), Permissions::from_mode(0o700)).unwrap();
        symlink("private", at("link")).unwrap();
        std::fs::write(at("file"), "").unwrap();
        for (name, serves) in [("open", false), ("private", true), ("link", false), ("file", false), ("new", true)] {
            assert_eq!(Runtime::at(at(name)).begin().is_ok(), serves, "{name}");
        }
        assert!(is_private(&at("new")).unwrap());
        let second = Runtime { candidates: vec![at("open"), at("private")] }.begin().unwrap();
        assert!(second.folder.starts_with(at("private")));
    }

    #[test]
    fn removes_what_the_dead_left_and_leaves_the_living_alone() {
        let top = tempfile::tempdir().unwrap();
        let folder = top.path().join("runtime");
        let runtime = Runtime::at(folder.clone());
        let make = |run: &mut Run, name: &str| {
            let path = top.path().join(name);
            std::fs::write(&path, "x").unwrap();
            let identity = crate::delivery::file_id::Identity::of(&File::open(&path).unwrap()).unwrap();
            run.journal.note(Record::File(path.clone(), identity)).unwrap();
            path
        };
        let (mut living, mut dead) = (runtime.begin().unwrap(), runtime.begin().unwrap());
        let (stays, goes) = (make(&mut living, "living"), make(&mut dead, "dead"));
        std::fs::create_dir(folder.join("unborn")).unwrap();
        assert_eq!(runtime.maker(&stays), Some(std::process::id()));
        drop(dead);
        runtime.sweep();
        assert!(stays.exists() && living.folder.exists() && !goes.exists());
        assert_eq!(processes(&folder).unwrap(), std::slice::from_ref(&living.folder));
        living.end().unwrap();
        assert_eq!(processes(&folder).unwrap().len(), 0);
    }
}
