use std::ffi::{OsStr, OsString};
use std::fs::Permissions;
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::directory::{Directory, Entry};
use super::docker_config::{NewContent, PrivateConfig, UserFiles};
use super::existing::{self, Difference, ExistingFile};
use super::file_id::FileId;
use super::journal::{FileRecord, Journal, Process, Record};
use super::names::name;
use super::names::unfinished;
use super::plan::{Plan, PlannedFile};
use super::release::{Living, NotRemoved, files, release};
use super::runtime_dir::{Missing, ProcessDir, RuntimeDir, RuntimeLock};
use crate::ui::error::{CliError, ExitCode};
use crate::ui::output::text;

/// The program that a set is for.
#[derive(Clone, Debug)]
pub(crate) struct Recipient {
    /// Its name, for whoever finds its files in the way.
    pub(crate) program: String,
    /// The service that the set comes from.
    pub(crate) endpoint: String,
    /// Whether it follows changes, so that it puts its version of a file in the place of another one that is in use.
    pub(crate) watches: bool,
}

/// What was written for a program. Dropped, or with [`Placement::remove`], it is removed.
pub(crate) struct Placement {
    runtime: RuntimeDir,
    recipient: Recipient,
    /// None as long as nothing was written.
    run: Option<ProcessDir>,
    registries: PrivateConfig,
}

/// What a planned file needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// Nothing more than to be used: this process or another one has written it, as it is planned.
    Use(FileId),
    /// Nothing at all: a file of the caller's own is there with this content, and stays.
    Leave,
    /// To be written, in the place of this file, if there is one.
    Write(Option<FileId>),
}

/// A file that is written and waits for its name.
struct Staged<'a> {
    directory: Directory,
    unfinished: OsString,
    file: &'a PlannedFile,
    replaces: Option<FileId>,
}

impl Placement {
    pub(super) fn new(plan: &Plan, registries: UserFiles, recipient: Recipient) -> Result<Self, CliError> {
        Self::within(RuntimeDir::for_caller(), plan, registries, recipient)
    }

    fn within(runtime: RuntimeDir, plan: &Plan, registries: UserFiles, recipient: Recipient) -> Result<Self, CliError> {
        if !plan.has_files()
            && let Ok(lock) = runtime.waiting_briefly().lock(Missing::Skip)
        {
            lock.living(); // which removes what dead ones left
        }
        let registries = PrivateConfig::new(registries);
        let mut placement = Self { runtime, recipient, run: None, registries };
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
        self.registries.variables()
    }

    /// What the program lacks of the caller's own registry logins.
    pub(crate) fn notice(&self) -> Option<&str> {
        self.registries.notice()
    }

    /// Says which registry logins of the program end with what was written, if it made any.
    pub(crate) fn lost_logins(&self) -> Option<String> {
        self.registries.lost_logins()
    }

    /// Writes what `plan` has in place of what was written before. A file that stays as it is is not touched; one that
    /// changes is replaced in one step. On a failure before the first such step everything is as it was.
    pub(crate) fn replace(&mut self, plan: &Plan) -> Result<(), CliError> {
        if !plan.has_files() && self.is_empty() {
            return Ok(());
        }
        let registries = match plan.logins() {
            [] if !self.registries.is_written() => None,
            logins => Some(self.registries.prepare(logins)?),
        };
        let runtime = self.runtime.clone();
        let mut lock = runtime.lock(Missing::Create)?;
        let mut others = lock.living();
        let run = self.begin(&mut lock)?;
        let private = run.directory.clone();
        others.retain(|other| other.directory != private);
        let steps: Vec<Step> = plan.files().iter().map(|file| self.step(file, &others)).collect::<Result<_, _>>()?;
        let (staged, used) = stage_all(&mut self.begin(&mut lock)?.journal, plan.files(), &steps)?;
        if let Some(error) = registries.and_then(|content| self.write_registries(&private, content).err()) {
            discard(&staged);
            return Err(error);
        }
        if let Some(error) = staged.iter().find_map(|each| self.publish(each, &others).err()) {
            discard(&staged);
            return Err(error);
        }
        failed_to_remove(&self.forget_all_but(used, plan, &mut others))
    }

    /// Removes what was written, as far as nobody replaced it or uses it, and says what is left.
    pub(crate) fn remove(mut self) -> Result<(), CliError> {
        failed_to_remove(&self.clear())
    }

    fn clear(&mut self) -> Vec<NotRemoved> {
        let Some(mut run) = self.run.take() else { return Vec::new() };
        let lock = match self.runtime.lock(Missing::Skip) {
            Ok(lock) => lock,
            Err(error) => {
                return vec![NotRemoved { path: run.directory, why: error.message().to_owned(), is_ours: true }];
            }
        };
        let mut others = lock.living();
        others.retain(|other| other.directory != run.directory);
        // What can't be read again was at least known before.
        let _ = run.journal.reload();
        let left = release(run.journal.records(), &mut others);
        // What can't be removed now is left to the next process, which needs the journal for it.
        if !left.iter().any(|left| left.is_ours) {
            let _ = run.end();
        }
        left
    }

    /// Releases the files that were used and no longer are, and forgets what became of earlier ones.
    fn forget_all_but(&mut self, used: Vec<FileRecord>, plan: &Plan, others: &mut [Living]) -> Vec<NotRemoved> {
        let Some(run) = &mut self.run else { return Vec::new() };
        let records = run.journal.records();
        // A path at which the caller's own file was taken was not ours any more.
        let is_planned = |file: &FileRecord| plan.files().iter().any(|planned| planned.path == file.path);
        let gone: Vec<Record> = files(records).filter(|file| !is_planned(file)).cloned().map(Record::File).collect();
        let left = release(&gone, others);
        if files(records).all(|file| used.contains(file)) {
            return left;
        }
        let is_left = |record: &Record| {
            gone.contains(record) && left.iter().any(|left| left.is_ours && record.path() == Some(&left.path))
        };
        let keeps = |record: &&Record| matches!(record, Record::Process(_) | Record::Directory(..)) || is_left(record);
        let kept = records.iter().filter(keeps).cloned().chain(used.into_iter().map(Record::File)).collect();
        // A journal that names too much does no harm.
        let _ = run.journal.rewrite(kept);
        left
    }

    /// What a planned file needs. Refuses one in whose place is what can't be taken as it is, or what another process wrote
    /// otherwise and still uses.
    fn step(&self, file: &PlannedFile, others: &[Living]) -> Result<Step, CliError> {
        let directory = match Directory::containing(&file.path) {
            Ok(directory) => directory,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Step::Write(None)),
            Err(error) => return Err(file.fails(&error.to_string())),
        };
        let entry = directory.entry(name(&file.path)).map_err(|error| file.fails(&error.to_string()))?;
        let file_id = match entry {
            None => return Ok(Step::Write(None)),
            Some(Entry::File(file_id)) => file_id,
            Some(other) => return Err(file.in_the_way(existing::refusal(&other))),
        };
        let opened = ExistingFile::open(&directory, &file.path, file_id);
        let holder = others.iter().find_map(|other| Some((other, other.names(&file.path, file_id)?)));
        let is_ours = self.created(&file.path, file_id);
        if !is_ours && holder.is_none() {
            let differences = match opened {
                Ok(mut existing) => existing.differences(file.mode, Some(&file.value)),
                Err(difference) => vec![difference],
            };
            return match differences.as_slice() {
                [] => Ok(Step::Leave),
                [Difference::Wider { planned, .. }] => {
                    let hint = format!(
                        "nothing was written; narrow it with `chmod {planned:04o}`, or leave files out with `--skip-files`"
                    );
                    Err(file.fails(&existing::describe(&differences)).hint(hint))
                }
                _ => Err(file.in_the_way(&existing::describe(&differences))),
            };
        }
        let compared = opened.and_then(|mut existing| existing.is_as_written(file.mode, &file.value));
        match (compared, holder) {
            (Ok(()), _) => Ok(Step::Use(file_id)),
            (Err(_), _) if is_ours => Ok(Step::Write(Some(file_id))),
            (Err(_), Some((other, theirs))) if self.may_replace(file, other, theirs) => Ok(Step::Write(Some(file_id))),
            (Err(difference), Some((other, theirs))) => Err(self.in_use(file, other, theirs, &difference)),
            (Err(difference), None) => Err(file.in_the_way(&existing::describe(&[difference]))),
        }
    }

    /// Whether the file of another process is put aside for this one: by a watch, another version of the same secret.
    fn may_replace(&self, file: &PlannedFile, other: &Living, theirs: &FileRecord) -> bool {
        let is_of_our_service = other.process().is_some_and(|process| process.endpoint == self.recipient.endpoint);
        let is_another_version = theirs.secret == file.secret && theirs.version != file.version;
        self.recipient.watches && is_of_our_service && is_another_version
    }

    /// Says who has another file at this path, and which.
    fn in_use(&self, file: &PlannedFile, other: &Living, theirs: &FileRecord, difference: &Difference) -> CliError {
        let (who, is_of_our_service) = match other.process() {
            Some(process) => (
                format!("another `secrets run` (process {}, `{}`)", process.number, process.program),
                process.endpoint == self.recipient.endpoint,
            ),
            None => ("another `secrets run`".to_owned(), true),
        };
        let mut hint = "nothing was written; end that run first, or leave files out with `--skip-files`";
        let what = if !is_of_our_service {
            "has a file of another service there".to_owned()
        } else if theirs.secret != file.secret {
            let name = theirs.secret.rsplit('/').next().unwrap_or_default();
            format!("has another secret there: {name} ({})", text::scope_of(&theirs.secret))
        } else if theirs.version != file.version {
            hint = "nothing was written; end that run first (with `--watch` it would follow changes), or leave files out \
                    with `--skip-files`";
            format!("has version {} there, and this is version {}", theirs.version, file.version)
        } else {
            match difference {
                Difference::Mode { there, planned } => {
                    format!("has it there with mode {there:04o}, where {planned:04o} is asked for")
                }
                Difference::Unreadable(error) => format!("has it there, and it can't be read: {error}"),
                _ => "has it there, and it was changed since".to_owned(),
            }
        };
        file.fails(&format!("{who} {what}")).hint(hint)
    }

    fn created(&self, path: &Path, file_id: FileId) -> bool {
        let records = self.run.as_ref().map(|run| run.journal.records()).unwrap_or_default();
        files(records).any(|file| file.path == path && file.file_id == file_id)
    }

    /// Gives a file its name.
    fn publish(&self, staged: &Staged<'_>, others: &[Living]) -> Result<(), CliError> {
        let name = name(&staged.file.path);
        let published = match staged.replaces {
            Some(old) => staged.directory.replace(&staged.unfinished, name, old),
            None => staged.directory.publish(&staged.unfinished, name),
        };
        published.map_err(|error| {
            // Somebody was quicker: a second look says who.
            let is_taken = error.kind() == io::ErrorKind::AlreadyExists;
            let taken = is_taken.then(|| self.step(staged.file, others).err()).flatten();
            taken.unwrap_or_else(|| staged.file.fails(&error.to_string()))
        })
    }

    fn write_registries(&mut self, private: &Path, content: NewContent) -> Result<(), CliError> {
        self.registries.write(private, content).map_err(|error| {
            CliError::new(ExitCode::Failed, format!("the registries' credentials can't be written: {error}"))
        })
    }

    /// The directory of this process, made when it is first needed, with what others have added to its journal.
    fn begin(&mut self, lock: &mut RuntimeLock<'_>) -> Result<&mut ProcessDir, CliError> {
        match &mut self.run {
            Some(run) => {
                run.journal.reload().map_err(|error| CliError::new(ExitCode::Failed, error.to_string()))?;
                Ok(run)
            }
            none => {
                let Recipient { program, endpoint, .. } = self.recipient.clone();
                Ok(none.insert(lock.begin(&Process { number: std::process::id(), program, endpoint })?))
            }
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

    fn in_the_way(&self, why: &str) -> CliError {
        self.fails(why).hint("nothing was written; move it away, or leave files out with `--skip-files`; `secrets edit` changes the path")
    }

    fn record(&self, file_id: FileId) -> FileRecord {
        let Self { path, secret, version, .. } = self;
        FileRecord { path: path.clone(), file_id, secret: secret.clone(), version: *version }
    }
}

/// Writes all files that are not there as they should be, under names that nobody looks for, and notes what is used.
fn stage_all<'a>(
    journal: &mut Journal,
    planned: &'a [PlannedFile],
    steps: &[Step],
) -> Result<(Vec<Staged<'a>>, Vec<FileRecord>), CliError> {
    let mut staged = Vec::new();
    let recorded = stage_each(journal, planned, steps, &mut staged);
    match recorded {
        Ok(used) => Ok((staged, used)),
        Err(error) => {
            discard(&staged);
            Err(error)
        }
    }
}

fn stage_each<'a>(
    journal: &mut Journal,
    planned: &'a [PlannedFile],
    steps: &[Step],
    staged: &mut Vec<Staged<'a>>,
) -> Result<Vec<FileRecord>, CliError> {
    let mut used = Vec::new();
    for (file, step) in planned.iter().zip(steps) {
        let replaces = match step {
            Step::Leave => continue,
            Step::Use(file_id) => {
                used.push(file.record(*file_id));
                continue;
            }
            Step::Write(replaces) => *replaces,
        };
        let directory = Directory::create_containing(&file.path, |path, file_id| {
            journal.note(&[Record::Directory(path.to_owned(), file_id)])
        });
        let directory = directory.map_err(|error| file.fails(&error.to_string()))?;
        staged.push(Staged { directory, unfinished: unfinished(), file, replaces });
    }
    let unfinished = |Staged { unfinished, file, .. }: &Staged<'_>| {
        Record::Writing(file.path.with_file_name(unfinished), name(&file.path).to_owned())
    };
    let fails = |error: io::Error| CliError::new(ExitCode::Failed, format!("files can't be written: {error}"));
    journal.note(&staged.iter().map(unfinished).collect::<Vec<_>>()).map_err(fails)?;
    for each in &*staged {
        let file_id = each.write().map_err(|error| each.file.fails(&error.to_string()))?;
        used.push(each.file.record(file_id));
    }
    let known = journal.records();
    let new = used.iter().cloned().map(Record::File).filter(|record| !known.contains(record)).collect::<Vec<_>>();
    journal.note(&new).map_err(fails)?;
    Ok(used)
}

impl Staged<'_> {
    fn write(&self) -> io::Result<FileId> {
        let mut written = self.directory.create(&self.unfinished)?;
        written.write_all(&self.file.value)?;
        written.set_permissions(Permissions::from_mode(self.file.mode))?; // whatever the umask is
        FileId::from_file(&written)
    }
}

fn discard(staged: &[Staged<'_>]) {
    for each in staged {
        let _ = each.directory.remove(&each.unfinished);
    }
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
