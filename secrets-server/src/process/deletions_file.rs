//! The file of deletions: which organizations were deleted, a line each, in the data directory. A backup from before knows
//! nothing of it; with a copy of this file a restore deletes them again.

use std::collections::BTreeSet;
use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use secrets_core::{OrganizationId, Timestamp, Uid};

/// Its name in the data directory.
pub const NAME: &str = "deleted-organizations";

const HEADER: &str = "# Organizations that were deleted: uid, id, time of this line. Copy this file with every backup;\n\
                      # `secrets-server restore --deletions` deletes them again.\n";

/// Why a file is none of deletions.
#[derive(Debug, thiserror::Error)]
pub enum DeletionsFileError {
    /// The operating system refused.
    #[error("cannot read `{}`: {error}", path.display())]
    Unreadable {
        path: PathBuf,
        /// Its reason.
        error: io::Error,
    },
    /// A line is something else.
    #[error("line {line} of `{}` must begin with the uid of an organization", path.display())]
    Line {
        path: PathBuf,
        /// Counts from 1.
        line: usize,
    },
}

/// The file, and what is in it.
#[derive(Debug)]
pub struct DeletionsFile {
    path: PathBuf,
    known: Mutex<BTreeSet<Uid>>,
}

impl DeletionsFile {
    /// The file at `path`, which need not exist.
    ///
    /// # Errors
    /// When it can't be read, or is something else.
    pub fn open(path: &Path) -> Result<Self, DeletionsFileError> {
        let known = match read(path) {
            Err(DeletionsFileError::Unreadable { error, .. }) if error.kind() == ErrorKind::NotFound => BTreeSet::new(),
            read => read?,
        };
        Ok(Self { path: path.to_owned(), known: Mutex::new(known) })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Appends those that are not in it yet. They are durable when this returns.
    ///
    /// # Errors
    /// The operating system's.
    pub fn append(&self, deleted: &[(Uid, OrganizationId)], now: Timestamp) -> io::Result<()> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let new: Vec<_> = deleted.iter().filter(|(uid, _)| !known.contains(uid)).collect();
        if new.is_empty() {
            return Ok(());
        }
        let mut file = OpenOptions::new().append(true).create(true).mode(0o600).open(&self.path)?;
        let header = if file.metadata()?.len() == 0 { HEADER } else { "" };
        let lines: String = new.iter().map(|(uid, id)| format!("{uid} {id} {now}\n")).collect();
        file.write_all(format!("{header}{lines}").as_bytes())?;
        file.sync_all()?;
        known.extend(new.iter().map(|(uid, _)| *uid));
        Ok(())
    }
}

/// Appends what the file `from` lists to the one at `path`, for the next restore.
///
/// # Errors
/// The operating system's.
pub fn append_file(path: &Path, from: &Path) -> io::Result<()> {
    let text = fs::read(from)?;
    let mut file = OpenOptions::new().append(true).create(true).mode(0o600).open(path)?;
    file.write_all(&text)?;
    if !text.ends_with(b"\n") {
        file.write_all(b"\n")?;
    }
    file.sync_all()
}

/// The organizations that a file lists.
///
/// # Errors
/// When it can't be read, or is something else.
pub fn read(path: &Path) -> Result<BTreeSet<Uid>, DeletionsFileError> {
    let text =
        fs::read_to_string(path).map_err(|error| DeletionsFileError::Unreadable { path: path.to_owned(), error })?;
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#'));
    lines
        .map(|(index, line)| {
            let uid = line.split(' ').next().and_then(|word| Uid::try_parse(word).ok());
            uid.ok_or_else(|| DeletionsFileError::Line { path: path.to_owned(), line: index + 1 })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn organization(number: u128, id: &str) -> (Uid, OrganizationId) {
        (Uid::from_u128(number), id.parse().unwrap())
    }

    #[test]
    fn each_organization_is_appended_once_and_found_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(NAME);
        let file = DeletionsFile::open(&path).unwrap();
        file.append(&[], Timestamp::default()).unwrap();
        assert!(!path.exists());
        for deleted in [&[organization(1, "acme")][..], &[organization(1, "acme"), organization(2, "rival")]] {
            file.append(deleted, Timestamp::default()).unwrap();
        }
        let again = DeletionsFile::open(&path).unwrap();
        again.append(&[organization(2, "rival"), organization(3, "acme")], Timestamp::default()).unwrap();
        assert_eq!(read(&path).unwrap(), [1, 2, 3].map(Uid::from_u128).into());
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(text.lines().count(), 5, "{text}");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_list_goes_on_in_another_file() {
        let folder = tempfile::tempdir().unwrap();
        let (old, new) = (folder.path().join("old"), folder.path().join(NAME));
        fs::write(&old, format!("# a comment\n{} acme", Uid::from_u128(1))).unwrap();
        append_file(&new, &old).unwrap();
        DeletionsFile::open(&new).unwrap().append(&[organization(2, "rival")], Timestamp::default()).unwrap();
        assert_eq!(read(&new).unwrap(), [1, 2].map(Uid::from_u128).into());
    }

    #[test]
    fn another_file_is_refused_with_its_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(NAME);
        fs::write(&path, "# a comment\n\nacme\n").unwrap();
        assert!(read(&path).unwrap_err().to_string().starts_with("line 3 of `"));
        assert!(DeletionsFile::open(&path).is_err());
        assert!(read(&folder.path().join("none")).unwrap_err().to_string().starts_with("cannot read `"));
    }
}
