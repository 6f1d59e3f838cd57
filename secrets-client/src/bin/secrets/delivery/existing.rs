//! A file that is there already, compared with what is planned through one descriptor, so that nobody can change what it is
//! between one look and the next.

use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;

use zeroize::Zeroizing;

use super::directory::{Directory, Entry, name};
use super::file_id::FileId;
use super::plan::PlannedFile;

/// Why what is there is not what is planned.
#[derive(Debug, thiserror::Error)]
pub(super) enum Difference {
    #[error("there is a file already")]
    Content,
    #[error("there is a file already, and it has mode {there:04o}, where {planned:04o} is asked for")]
    Mode { there: u32, planned: u32 },
    #[error("there is a file already, and it can't be read: {0}")]
    Unreadable(io::Error),
    #[error("there is a file already, and it is being replaced")]
    Replaced,
}

/// What has a name that no file can get.
pub(super) const fn refusal(entry: &Entry) -> &'static str {
    match entry {
        Entry::File(_) => "there is a file already",
        Entry::Directory => "there is a directory of this name",
        Entry::Link => "there is a symbolic link of this name",
        Entry::Other => "there is something of this name that is no file",
    }
}

/// Whether the file with this number has the planned content and exactly the planned permissions.
pub(super) fn is_as_planned(directory: &Directory, file_id: FileId, planned: &PlannedFile) -> Result<(), Difference> {
    let mut file = directory.open(name(&planned.path)).map_err(Difference::Unreadable)?;
    let metadata = file.metadata().map_err(Difference::Unreadable)?;
    let is_same = FileId::from_file(&file).is_ok_and(|there| there == file_id);
    if !metadata.is_file() || !is_same {
        return Err(Difference::Replaced);
    }
    if metadata.mode() & 0o7777 != planned.mode {
        return Err(Difference::Mode { there: metadata.mode() & 0o7777, planned: planned.mode });
    }
    if metadata.len() != planned.value.len() as u64 {
        return Err(Difference::Content);
    }
    let mut content = Zeroizing::new(Vec::with_capacity(planned.value.len() + 1));
    let read = (&mut file).take(planned.value.len() as u64 + 1).read_to_end(&mut content);
    read.map_err(Difference::Unreadable)?;
    if *content == *planned.value { Ok(()) } else { Err(Difference::Content) }
}
