//! A file for its owner alone, replaced in one step.

use std::fs::{self, File};
use std::io::{self, Seek as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// Replaces the file at `path` by one that holds `bytes`. A reader finds the old content or the new one, whole.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    Draft::create(path)?.commit(bytes)
}

/// The next content of a file, beside it until it replaces it. Dropped, it is gone.
#[derive(Debug)]
pub struct Draft {
    file: File,
    beside: PathBuf,
    path: PathBuf,
}

impl Draft {
    /// Creates an empty one for the file at `path`, in a directory that exists.
    pub fn create(path: &Path) -> io::Result<Self> {
        let mut beside = path.to_owned().into_os_string();
        beside.push(format!(".{}", std::process::id()));
        let beside = PathBuf::from(beside);
        let _ = fs::remove_file(&beside); // of a process of this number that was killed here
        let file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside)?;
        Ok(Self { file, beside, path: path.to_owned() })
    }

    /// Takes space for so many bytes on the disk, so that [`commit`](Self::commit) does not fail for want of it.
    pub fn reserve(&mut self, bytes: usize) -> io::Result<()> {
        self.file.write_all(&vec![0; bytes])?;
        self.file.sync_all()
    }

    /// Replaces the file by one that holds `bytes`.
    pub fn commit(mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.rewind()?;
        self.file.write_all(bytes)?;
        self.file.set_len(bytes.len() as u64)?;
        self.file.sync_all()?;
        fs::rename(&self.beside, &self.path)?;
        // The file is there; a directory that can't be synced may lose it with the power, and no more can be done.
        let _ = self.path.parent().map(File::open).transpose().map(|directory| directory.map(|it| it.sync_all()));
        Ok(())
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.beside); // where it was committed, there is none
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn replaces_what_is_there_for_its_owner_alone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        fs::write(&path, "old").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        replace(&path, b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(replace(&directory.path().join("no/such/directory"), b"").is_err());
        assert!(replace(directory.path(), b"").is_err());
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "nothing is left beside it");
    }

    #[test]
    fn a_draft_takes_space_and_leaves_the_file_as_it_is_until_it_is_committed() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        fs::write(&path, "old").unwrap();
        let draft = || {
            let mut draft = Draft::create(&path).unwrap();
            draft.reserve(10_000).unwrap();
            draft
        };
        drop(draft());
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "nothing is left beside it");
        draft().commit(b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        draft().commit(&[7; 20_000]).unwrap();
        assert_eq!(fs::read(&path).unwrap(), [7; 20_000]);
    }
}
