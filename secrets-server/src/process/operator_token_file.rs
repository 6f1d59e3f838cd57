//! The file of the operator's first token: 0600, in the data directory.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

const NAME: &str = "operator-token";

/// Writes the token into `data_dir`, in place of one from before, and returns the file's path. The file is whole and
/// durable when this returns.
///
/// # Errors
/// The operating system's.
pub fn write(data_dir: &Path, token: &str) -> io::Result<PathBuf> {
    let path = data_dir.join(NAME);
    let draft = data_dir.join(format!(".{NAME}.{}", std::process::id()));
    let written = write_draft(&draft, token).and_then(|()| fs::rename(&draft, &path));
    if written.is_err() {
        let _ = fs::remove_file(&draft);
    }
    written?;
    File::open(data_dir)?.sync_all()?;
    Ok(path)
}

fn write_draft(draft: &Path, token: &str) -> io::Result<()> {
    let _ = fs::remove_file(draft); // left by a process that was killed
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(draft)?;
    // The exposure that the file is for: the operator reads it from here, once.
    writeln!(file, "{token}")?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn the_last_token_is_in_the_file_and_only_its_owner_reads_it() {
        let folder = tempfile::tempdir().unwrap();
        for token in ["soper_first", "soper_second"] {
            let path = write(folder.path(), token).unwrap();
            assert_eq!(path, folder.path().join("operator-token"));
            assert_eq!(fs::read_to_string(&path).unwrap(), format!("{token}\n"));
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no draft is left");
    }
}
