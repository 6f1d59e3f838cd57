//! What a process leaves behind when it ends: what nobody else uses is removed, and the rest becomes theirs.

use std::io;
use std::path::{Path, PathBuf};

use super::directory::{Directory, Entry};
use super::file_id::FileId;
use super::journal::{self, FileRecord, Process, Record};
use super::names::{aside, name};

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
    release_beside(records, others, &[])
}

/// The same, where files with the numbers `of_dead` are those of other processes that are dead.
pub(super) fn release_beside(records: &[Record], others: &mut [Living], of_dead: &[FileId]) -> Vec<NotRemoved> {
    let mut left = Vec::new();
    let mut fails = |path: &Path, error: &io::Error, is_ours: bool| {
        left.push(NotRemoved { path: path.to_owned(), why: error.to_string(), is_ours });
    };
    let is_known = |file_id: FileId| {
        let known = files(records).chain(others.iter().flat_map(Living::files)).map(|file| file.file_id);
        known.chain(of_dead.iter().copied()).any(|known| known == file_id)
    };
    for (at, record) in records.iter().enumerate() {
        if let Record::Writing(path, _) = record
            && let Err(error) = remove_unfinished(path, records, at, is_known)
        {
            // What can't get its name back is not ours, and nothing that a later attempt needs.
            fails(path, &error, error.kind() != io::ErrorKind::AlreadyExists);
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
            Err(error) => fails(path, &error, may_be_there(path, records)),
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
            fails(path, &error, true);
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
    // What is ours goes first: what somebody put beside it must not keep it there.
    let released = release_named(&directory, path, records, others);
    let is_finished = finish_removals(&directory, path, records);
    match (released?, is_finished?) {
        // What has got its name back may be anybody's.
        (_, false) => release_named(&directory, path, records, others),
        (released, true) => Ok(released),
    }
}

/// A kill may have come between the two steps of a removal, but not where the file still has its name. False if that gave
/// something its name back.
fn finish_removals(directory: &Directory, path: &Path, records: &[Record]) -> io::Result<bool> {
    let there = directory.entry(name(path))?;
    let is_there = |file_id: FileId| matches!(there, Some(Entry::File(there)) if there == file_id);
    let mut finished = Ok(true);
    for file in files(records).filter(|file| file.path == path && !is_there(file.file_id)) {
        let is_done = directory.finish_removal(name(path), file.file_id);
        finished = finished.and_then(|all| Ok(is_done? && all));
    }
    finished
}

/// Whether something of what the records name at `path` is there, as far as that can be seen.
fn may_be_there(path: &Path, records: &[Record]) -> bool {
    let directory = match containing(path) {
        Ok(Some(directory)) => directory,
        Ok(None) => return false,
        Err(_) => return true,
    };
    files(records).filter(|file| file.path == path).any(|file| {
        [name(path), &aside(file.file_id)].into_iter().any(|name| match directory.entry(name) {
            Ok(Some(Entry::File(there))) => there == file.file_id,
            Ok(_) => false,
            Err(_) => true,
        })
    })
}

/// Does what [`release_file`] does with what has the name now.
fn release_named(directory: &Directory, path: &Path, records: &[Record], others: &mut [Living]) -> io::Result<bool> {
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

/// Removes what has a name that nobody else would choose, or what it replaced, which a kill left under that name. If no process
/// wrote that, somebody put it there in the same instant, and it gets its name back.
fn remove_unfinished(path: &Path, records: &[Record], at: usize, is_known: impl Fn(FileId) -> bool) -> io::Result<()> {
    let Some(directory) = containing(path)? else { return Ok(()) };
    let Some(Entry::File(file_id)) = directory.entry(name(path))? else { return Ok(()) };
    match target_of(records, at).filter(|_| !is_known(file_id)) {
        Some(target) => directory.replace(name(path), name(&target.path), target.file_id),
        None => directory.remove(name(path)),
    }
}

/// The target that was to get its name from what the record at this place says was being written. None if that was not recorded,
/// as is done before any file gets its name: what was being written is all that there is then.
fn target_of(records: &[Record], at: usize) -> Option<&FileRecord> {
    let Record::Writing(path, name) = records.get(at)? else { return None };
    let target = path.with_file_name(name);
    let next = records.get(at + 1..)?.iter().find_map(|record| match record {
        Record::File(file) if file.path == target => Some(Some(file)),
        // The next attempt: of this one, no more was recorded.
        Record::Writing(next, its_name) if its_name == name && next.parent() == path.parent() => Some(None),
        _ => None,
    });
    next.flatten()
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
mod tests;
