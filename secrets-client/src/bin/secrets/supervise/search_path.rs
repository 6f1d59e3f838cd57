//! Where a program is that is named without a path.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// The first program of that name.
pub(crate) fn find(program: &OsStr, path: Option<&OsStr>) -> Option<PathBuf> {
    if program.as_encoded_bytes().contains(&b'/') {
        return Some(program.into());
    }
    // The working directory, which an empty entry means, must not be taken for another entry.
    let directories = std::env::split_paths(path?);
    directories.map(|directory| Path::new(".").join(directory).join(program)).find(|at| is_program(at))
}

fn is_program(path: &Path) -> bool {
    path.is_file() && rustix::fs::access(path, rustix::fs::Access::EXEC_OK).is_ok()
}
