use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::time::UNIX_EPOCH;

/// Identifies a file, whatever its name.
///
/// The time of birth, where the file system keeps one, distinguishes it from a later file that was given the same number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FileId {
    pub(super) device: u64,
    pub(super) inode: u64,
    /// In nanoseconds since 1970; 0 where it is not kept.
    pub(super) born: u64,
}

impl FileId {
    pub(super) fn from_file(file: &File) -> io::Result<Self> {
        let metadata = file.metadata()?;
        let born = metadata.created().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        let born = born.and_then(|since| u64::try_from(since.as_nanos()).ok()).unwrap_or(0);
        Ok(Self { device: metadata.dev(), inode: metadata.ino(), born })
    }
}
