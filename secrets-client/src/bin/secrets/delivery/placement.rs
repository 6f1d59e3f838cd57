use std::ffi::{OsStr, OsString};
use std::fs::{File, Permissions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use super::directory::{Directory, Entry, name};
use super::docker_config;
use super::file_id::FileId;
use super::journal::{self, Journal, NotRemoved, Record};
use super::plan::{Plan, PlannedFile};
use super::runtime_dir::{ProcessDir, RuntimeDir, unfinished};
use crate::ui::error::{CliError, ExitCode};

/// What was written for a program. Dropped, or with [`Placement::remove`], it is removed.
pub(crate) struct Placement {
    runtime: RuntimeDir,
    /// None as long as nothing was written.
    run: Option<ProcessDir>,
    /// The caller's own Docker configuration.
    user_docker_config: Option<PathBuf>,
    /// The private Docker configuration.
    docker: Option<PathBuf>,
    files: Vec<PathBuf>,
}

/// A file that is written and waits for its name.
struct Staged<'a> {
    directory: Directory,
    unfinished: OsString,
    file: &'a PlannedFile,
    replaces: bool,
}

impl Placement {
    pub(super) fn new(plan: &Plan, user_docker_config: Option<&Path>) -> Result<Self, CliError> {
        Self::within(RuntimeDir::for_caller(), plan, user_docker_config)
    }

    fn within(runtime: RuntimeDir, plan: &Plan, user_docker_config: Option<&Path>) -> Result<Self, CliError> {
        runtime.remove_abandoned();
        let user_docker_config = user_docker_config.map(Path::to_owned);
        let mut placement = Self { runtime, run: None, user_docker_config, docker: None, files: Vec::new() };
        // On a failure `placement` is dropped, and with it what has been written.
        placement.replace(plan)?;
        Ok(placement)
    }

    /// Whether nothing was written, so that nothing has to be removed.
    pub(crate) fn is_empty(&self) -> bool {
        self.run.is_none()
    }

    /// What a program's environment needs to find what was written.
    pub(crate) fn variables(&self) -> impl Iterator<Item = (&OsStr, &OsStr)> {
        self.docker.iter().map(|directory| (OsStr::new("DOCKER_CONFIG"), directory.as_os_str()))
    }

    /// Writes what `plan` has in place of what was written before. A file that stays as it is is not touched; one that
    /// changes is replaced in one step. On a failure before the first such step everything is as it was.
    pub(crate) fn replace(&mut self, plan: &Plan) -> Result<(), CliError> {
        if !plan.has_files() && self.is_empty() {
            return Ok(());
        }
        let needs_docker = !plan.logins().is_empty() || self.docker.is_some();
        let own_docker = match &self.user_docker_config {
            Some(directory) if needs_docker => docker_config::read_user_config(directory)?,
            _ => None,
        };
        for file in plan.files() {
            self.check(file)?;
        }
        let staged = stage_all(&mut self.begun()?.journal, plan.files())?;
        if let Err(error) = self.stage_docker(plan, own_docker) {
            discard(&staged);
            return Err(error);
        }
        if let Some(error) = staged.iter().find_map(|each| self.publish(each).err()) {
            discard(&staged);
            return Err(error);
        }
        let gone: Vec<PathBuf> =
            self.files.iter().filter(|path| !plan.files().iter().any(|file| file.path == **path)).cloned().collect();
        self.files = plan.files().iter().map(|file| file.path.clone()).collect();
        let left = self.undo(|record| matches!(record, Record::File(path, _) if gone.contains(path)));
        failed_to_remove(&left)
    }

    /// Removes what was written, as far as nobody replaced it, and says what is left.
    pub(crate) fn remove(mut self) -> Result<(), CliError> {
        failed_to_remove(&self.clear())
    }

    fn clear(&mut self) -> Vec<NotRemoved> {
        let left = self.undo(|_| true);
        // What can't be removed now is left to the next process, which needs the journal for it.
        if let Some(run) = self.run.take()
            && !left.iter().any(|left| left.is_ours)
        {
            let _ = run.end();
        }
        left
    }

    fn undo(&self, which: impl Fn(&Record) -> bool) -> Vec<NotRemoved> {
        let records = self.run.as_ref().map(|run| run.journal.records()).unwrap_or_default();
        let records: Vec<&Record> = records.iter().filter(|record| which(record)).collect();
        journal::undo(records.into_iter())
    }

    /// Refuses a file that is there and is not what this process wrote.
    fn check(&self, file: &PlannedFile) -> Result<(), CliError> {
        let directory = match Directory::containing(&file.path) {
            Ok(directory) => directory,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(file.fails(&error.to_string())),
        };
        let refused = match directory.entry(name(&file.path)).map_err(|error| file.fails(&error.to_string()))? {
            None => return Ok(()),
            Some(Entry::File(file_id)) if self.created(&file.path, file_id) => return Ok(()),
            Some(Entry::File(_)) => match self.runtime.owner_process(&file.path) {
                Some(process) => format!("another `secrets` (process {process}) has written it and still uses it"),
                None => "there is a file already".to_owned(),
            },
            Some(Entry::Directory) => "there is a directory of this name".to_owned(),
            Some(Entry::Link) => "there is a symbolic link of this name".to_owned(),
            Some(Entry::Other) => "there is something of this name that is no file".to_owned(),
        };
        Err(file.fails(&refused).hint("nothing was written; move it away, or `secrets edit` changes the secret's path"))
    }

    fn created(&self, path: &Path, file_id: FileId) -> bool {
        self.run.as_ref().is_some_and(|run| run.journal.created(path, file_id))
    }

    /// Gives a file its name.
    fn publish(&self, staged: &Staged<'_>) -> Result<(), CliError> {
        let path = &staged.file.path;
        let published = match staged.directory.entry(name(path)) {
            Ok(Some(Entry::File(file_id))) if staged.replaces && self.created(path, file_id) => {
                staged.directory.replace(&staged.unfinished, name(path))
            }
            Ok(_) => staged.directory.publish(&staged.unfinished, name(path)),
            Err(error) => Err(error),
        };
        published.map_err(|error| {
            // Somebody was quicker: a second check says who.
            let taken = (error.kind() == io::ErrorKind::AlreadyExists).then(|| self.check(staged.file).err()).flatten();
            taken.unwrap_or_else(|| staged.file.fails(&error.to_string()))
        })
    }

    /// Writes the private Docker configuration, in one step, if there is one or must be one.
    fn stage_docker(
        &mut self,
        plan: &Plan,
        own: Option<serde_json::Map<String, serde_json::Value>>,
    ) -> Result<(), CliError> {
        if plan.logins().is_empty() && self.docker.is_none() {
            return Ok(());
        }
        let config = docker_config::config(own, plan.logins());
        let private = self.begun()?.directory.clone();
        let write = |placement: &mut Self| -> io::Result<()> {
            let directory = match &placement.docker {
                Some(directory) => directory.clone(),
                None => docker_config::create_directory(&private, placement.user_docker_config.as_deref())?,
            };
            let unfinished = directory.join(unfinished());
            let mut file = File::options().write(true).create_new(true).mode(0o600).open(&unfinished)?;
            file.write_all(config.as_bytes())?;
            std::fs::rename(&unfinished, directory.join(docker_config::CONFIG_FILE))?;
            placement.docker = Some(directory);
            Ok(())
        };
        write(self).map_err(|error| {
            CliError::new(ExitCode::Failed, format!("the registries' credentials can't be written: {error}"))
        })
    }

    /// The directory of this process, made when it is first needed.
    fn begun(&mut self) -> Result<&mut ProcessDir, CliError> {
        match &mut self.run {
            Some(run) => Ok(run),
            none => Ok(none.insert(self.runtime.begin()?)),
        }
    }
}

impl Drop for Placement {
    fn drop(&mut self) {
        self.clear();
    }
}

impl PlannedFile {
    fn fails(&self, why: &str) -> CliError {
        let message = format!("{} can't be written to `{}`: {why}", self.secret_id, self.path.display());
        CliError::new(ExitCode::Failed, message)
    }
}

/// Writes all files that are not there as they should be, under names that nobody looks for.
fn stage_all<'a>(journal: &mut Journal, files: &'a [PlannedFile]) -> Result<Vec<Staged<'a>>, CliError> {
    let mut staged = Vec::new();
    for file in files {
        let each = match stage(journal, file) {
            // Another process has just removed the directory that it had made for its own file.
            Err(error) if error.kind() == io::ErrorKind::NotFound => stage(journal, file),
            each => each,
        };
        match each {
            Ok(None) => {}
            Ok(Some(each)) => staged.push(each),
            Err(error) => {
                discard(&staged);
                return Err(file.fails(&error.to_string()));
            }
        }
    }
    Ok(staged)
}

fn stage<'a>(journal: &mut Journal, file: &'a PlannedFile) -> io::Result<Option<Staged<'a>>> {
    let directory = Directory::create_containing(&file.path, |path, file_id| {
        journal.note(Record::Directory(path.to_owned(), file_id))
    })?;
    let entry = directory.entry(name(&file.path))?;
    let replaces = matches!(entry, Some(Entry::File(file_id)) if journal.created(&file.path, file_id));
    if replaces && is_as_planned(&directory, file)? {
        return Ok(None);
    }
    let unfinished = unfinished();
    journal.note(Record::Writing(file.path.with_file_name(&unfinished)))?;
    let mut written = directory.create(&unfinished)?;
    let staged = Staged { directory, unfinished, file, replaces };
    let recorded = written
        .write_all(&file.value)
        .and_then(|()| written.set_permissions(Permissions::from_mode(file.mode))) // whatever the umask is
        .and_then(|()| FileId::from_file(&written))
        .and_then(|file_id| journal.note(Record::File(file.path.clone(), file_id)));
    if let Err(error) = recorded {
        discard(std::slice::from_ref(&staged));
        return Err(error);
    }
    Ok(Some(staged))
}

fn discard(staged: &[Staged<'_>]) {
    for each in staged {
        let _ = each.directory.remove(&each.unfinished);
    }
}

/// Whether the file, which is ours, has the planned content and permissions.
fn is_as_planned(directory: &Directory, file: &PlannedFile) -> io::Result<bool> {
    // A file without the right to read is simply written again.
    let Ok(mut there) = directory.open(name(&file.path)) else { return Ok(false) };
    let metadata = there.metadata()?;
    if metadata.permissions().mode() & 0o7777 != file.mode || metadata.len() != file.value.len() as u64 {
        return Ok(false);
    }
    let mut content = zeroize::Zeroizing::new(Vec::with_capacity(file.value.len() + 1));
    there.read_to_end(&mut content)?;
    Ok(*content == *file.value)
}

fn failed_to_remove(left: &[NotRemoved]) -> Result<(), CliError> {
    if left.is_empty() {
        return Ok(());
    }
    let each: Vec<String> = left.iter().map(|left| format!("`{}` ({})", left.path.display(), left.why)).collect();
    Err(CliError::new(ExitCode::Failed, format!("not removed: {}", each.join(", "))))
}

#[cfg(test)]
mod tests;
