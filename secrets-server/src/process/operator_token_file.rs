//! The file of the operator's first token: 0600, in the data directory.
//!
//! It is written as a draft before the token is stored, and gets its name afterwards. So the file never holds a token that
//! the database does not know, and a process that ends in between leaves the draft to the next start.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

const NAME: &str = "operator-token";
const DRAFT: &str = ".operator-token.draft";
/// Where the token of a database goes that was given up.
const OLD: &str = "operator-token.old";

/// Where the file is.
pub fn path(data_dir: &Path) -> PathBuf {
    data_dir.join(NAME)
}

/// What the file holds, if there is one.
///
/// # Errors
/// The operating system's.
pub fn read(data_dir: &Path) -> io::Result<Option<Zeroizing<String>>> {
    read_token(&path(data_dir))
}

/// Gives the file another name, and returns that.
///
/// # Errors
/// The operating system's.
pub fn set_aside(data_dir: &Path) -> io::Result<PathBuf> {
    let old = data_dir.join(OLD);
    fs::rename(path(data_dir), &old)?;
    Ok(old)
}

/// The file before it has its name.
pub struct Draft {
    data_dir: PathBuf,
    token: Zeroizing<String>,
}

impl Draft {
    /// Writes the token; it is whole and durable when this returns.
    ///
    /// # Errors
    /// The operating system's.
    pub fn write(data_dir: &Path, token: &str) -> io::Result<Self> {
        let draft = Self { data_dir: data_dir.to_owned(), token: Zeroizing::new(token.to_owned()) };
        if let Err(error) = write_token(&draft.path(), token) {
            let _ = draft.discard();
            return Err(error);
        }
        Ok(draft)
    }

    /// The one that a process has left that ended too early.
    ///
    /// # Errors
    /// The operating system's.
    pub fn left_in(data_dir: &Path) -> io::Result<Option<Self>> {
        let token = read_token(&data_dir.join(DRAFT))?;
        Ok(token.map(|token| Self { data_dir: data_dir.to_owned(), token }))
    }

    /// The token in it.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// Gives it the file's name, in place of one from before, and returns the file's path.
    ///
    /// # Errors
    /// The operating system's.
    pub fn publish(self) -> io::Result<PathBuf> {
        let path = path(&self.data_dir);
        fs::rename(self.path(), &path)?;
        File::open(&self.data_dir)?.sync_all()?;
        Ok(path)
    }

    /// Removes it: its token is not stored.
    ///
    /// # Errors
    /// The operating system's.
    pub fn discard(self) -> io::Result<()> {
        fs::remove_file(self.path())
    }

    fn path(&self) -> PathBuf {
        self.data_dir.join(DRAFT)
    }
}

fn write_token(path: &Path, token: &str) -> io::Result<()> {
    let _ = fs::remove_file(path); // left by a process that was killed
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    // The exposure that the file is for: the operator reads it from here, once.
    writeln!(file, "{token}")?;
    file.sync_all()
}

fn read_token(path: &Path) -> io::Result<Option<Zeroizing<String>>> {
    match fs::read(path).map(Zeroizing::new) {
        // What is no text is no token, and as unknown as any.
        Ok(bytes) => Ok(Some(Zeroizing::new(String::from_utf8_lossy(&bytes).trim().to_owned()))),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn the_last_token_is_in_the_file_and_only_its_owner_reads_it() {
        let folder = tempfile::tempdir().unwrap();
        assert!(read(folder.path()).unwrap().is_none());
        for token in ["soper_first", "soper_second"] {
            let path = Draft::write(folder.path(), token).unwrap().publish().unwrap();
            assert_eq!(path, folder.path().join("operator-token"));
            assert_eq!(fs::read_to_string(&path).unwrap(), format!("{token}\n"));
            assert_eq!(read(folder.path()).unwrap().unwrap().as_str(), token);
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no draft is left");
    }

    #[test]
    fn a_draft_is_found_again_and_changes_nothing_until_it_is_published() {
        let folder = tempfile::tempdir().unwrap();
        assert!(Draft::left_in(folder.path()).unwrap().is_none());
        Draft::write(folder.path(), "soper_first").unwrap().publish().unwrap();
        drop(Draft::write(folder.path(), "soper_second").unwrap());
        assert_eq!(read(folder.path()).unwrap().unwrap().as_str(), "soper_first");

        let left = Draft::left_in(folder.path()).unwrap().unwrap();
        assert_eq!(left.token(), "soper_second");
        left.discard().unwrap();
        assert!(Draft::left_in(folder.path()).unwrap().is_none());
        assert_eq!(read(folder.path()).unwrap().unwrap().as_str(), "soper_first");
    }

    #[test]
    fn a_file_that_is_set_aside_keeps_its_token() {
        let folder = tempfile::tempdir().unwrap();
        Draft::write(folder.path(), "soper_first").unwrap().publish().unwrap();
        let old = set_aside(folder.path()).unwrap();
        assert_eq!(fs::read_to_string(old).unwrap(), "soper_first\n");
        assert!(read(folder.path()).unwrap().is_none());
    }
}
