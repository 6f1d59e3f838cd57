//! The data directory: made private, and refused when anybody could put files into it.

use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Readable and searchable by its owner alone.
const PRIVATE: u32 = 0o700;
const WRITABLE_BY_OTHERS: u32 = 0o002;
const OPEN_TO_OTHERS: u32 = 0o077;

/// Why a directory can't hold the server's data.
#[derive(Debug, thiserror::Error)]
pub enum DataDirError {
    /// It can't be made or looked at.
    #[error("cannot use the data directory `{path}`: {error}")]
    Unusable {
        /// The directory.
        path: PathBuf,
        /// The operating system's reason.
        error: io::Error,
    },
    /// The path leads to something else.
    #[error("the data directory `{path}` is not a directory")]
    NotADirectory {
        /// The path.
        path: PathBuf,
    },
    /// It holds something already.
    #[error(
        "the data directory `{path}` is not empty: there is `{found}`; restore into one that holds the root key alone"
    )]
    NotEmpty {
        /// The directory.
        path: PathBuf,
        /// What is in it, or one of several.
        found: PathBuf,
    },
    /// Anybody may put files into it.
    #[error("the data directory `{path}` is writable by everybody; give it a directory of its own")]
    WritableByOthers {
        /// The directory.
        path: PathBuf,
    },
}

/// Makes the directory at `path`, mode 0700, if it is missing.
///
/// An existing one is made private too while it is empty (as service managers and container volumes make them
/// open); one that holds something already keeps its mode, with a warning when others can look into it.
///
/// # Errors
/// When it can't be made, is no directory, or is writable by everybody.
pub fn prepare(path: &Path) -> Result<(), DataDirError> {
    let unusable = |error| DataDirError::Unusable { path: path.to_owned(), error };
    DirBuilder::new().recursive(true).mode(PRIVATE).create(path).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists | io::ErrorKind::NotADirectory => {
            DataDirError::NotADirectory { path: path.to_owned() }
        }
        _ => unusable(error),
    })?;
    let mode = fs::metadata(path).map_err(unusable)?.mode();
    if mode & WRITABLE_BY_OTHERS != 0 {
        return Err(DataDirError::WritableByOthers { path: path.to_owned() });
    }
    if mode & OPEN_TO_OTHERS != 0 {
        let empty = fs::read_dir(path).map_err(unusable)?.next().is_none();
        // It fails where the directory is somebody else's, as on some volumes; the files in it are private anyway.
        if !empty || fs::set_permissions(path, Permissions::from_mode(PRIVATE)).is_err() {
            tracing::warn!(path = %path.display(), mode = format!("{:o}", mode & 0o777), "others can look into the data directory");
        }
    }
    Ok(())
}

/// Refuses a directory that holds anything but what `is_expected` knows by its name.
///
/// # Errors
/// When it can't be read, or holds something else.
pub fn require_empty(path: &Path, is_expected: impl Fn(&Path) -> bool) -> Result<(), DataDirError> {
    let unusable = |error| DataDirError::Unusable { path: path.to_owned(), error };
    for entry in fs::read_dir(path).map_err(unusable)? {
        let found = PathBuf::from(entry.map_err(unusable)?.file_name());
        // A file system of its own has one.
        if found != Path::new("lost+found") && !is_expected(&found) {
            return Err(DataDirError::NotEmpty { path: path.to_owned(), found });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().mode() & 0o777
    }

    fn open(path: &Path, mode: u32) {
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn a_new_directory_is_private() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("some/where");
        prepare(&path).unwrap();
        assert_eq!(mode(&path), PRIVATE);
        prepare(&path).unwrap();
    }

    #[test]
    fn an_empty_one_is_made_private_and_a_used_one_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        open(folder.path(), 0o755);
        prepare(folder.path()).unwrap();
        assert_eq!(mode(folder.path()), PRIVATE);

        fs::write(folder.path().join("file"), "").unwrap();
        open(folder.path(), 0o755);
        prepare(folder.path()).unwrap();
        assert_eq!(mode(folder.path()), 0o755);
    }

    #[test]
    fn what_everybody_can_write_into_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        for mode in [0o777, 0o1777] {
            open(folder.path(), mode);
            assert!(matches!(prepare(folder.path()), Err(DataDirError::WritableByOthers { .. })));
        }
    }

    #[test]
    fn a_directory_with_anything_unexpected_is_not_empty() {
        let folder = tempfile::tempdir().unwrap();
        let root_key = |name: &Path| name == Path::new("root-key");
        require_empty(folder.path(), root_key).unwrap();
        fs::write(folder.path().join("root-key"), "").unwrap();
        fs::create_dir(folder.path().join("lost+found")).unwrap();
        require_empty(folder.path(), root_key).unwrap();
        fs::write(folder.path().join("secrets.db"), "").unwrap();
        let refused = require_empty(folder.path(), root_key).unwrap_err().to_string();
        assert!(refused.contains("`secrets.db`"), "{refused}");
    }

    #[test]
    fn a_file_is_no_directory() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        for path in [file.clone(), file.join("below")] {
            assert!(matches!(prepare(&path), Err(DataDirError::NotADirectory { .. })), "{}", path.display());
        }
    }
}
