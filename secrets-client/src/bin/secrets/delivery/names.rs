//! What files are called: by their path, while they are written, and while they are removed.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use super::file_id::FileId;

/// The last part of a path; the path is known to have one.
pub(super) fn name(path: &Path) -> &OsStr {
    path.file_name().unwrap_or_else(|| OsStr::from_bytes(b"."))
}

/// The name of a file that is about to be removed.
pub(super) fn aside(file_id: FileId) -> OsString {
    let FileId { device, inode, born } = file_id;
    format!(".secrets-{device:x}-{inode:x}-{born:x}").into()
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
