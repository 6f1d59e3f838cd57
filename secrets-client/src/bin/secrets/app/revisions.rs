//! What was last changed, kept from one command to the next, so that a command reads what the one before it wrote,
//! whichever server answers: `$XDG_STATE_HOME/secrets/revisions.json`, by endpoint and organization.
//!
//! Best effort: a file that can't be read or written is as good as none, and no command fails or waits for it.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use secrets_client::private_file;

/// Revisions by organization.
pub(crate) type Revisions = BTreeMap<String, String>;

/// A file that is larger is none of ours.
const MAX_FILE_BYTES: u64 = 256 * 1024;

/// The file, if there is a place for it.
pub(crate) fn path(variable: impl Fn(&str) -> Option<String>) -> Option<PathBuf> {
    Some(directory(variable)?.join("revisions.json"))
}

/// Where what commands remember is kept: below `XDG_STATE_HOME`, else below `~/.local/state`.
fn directory(variable: impl Fn(&str) -> Option<String>) -> Option<PathBuf> {
    let xdg = variable("XDG_STATE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let directory = xdg.or_else(|| {
        variable("HOME").map(PathBuf::from).filter(|home| home.is_absolute()).map(|home| home.join(".local/state"))
    })?;
    Some(directory.join("secrets"))
}

/// What is known of the service at `endpoint`.
pub(crate) fn load(path: &Path, endpoint: &str) -> Revisions {
    read(path).remove(endpoint).unwrap_or_default()
}

/// Keeps what is known of the service at `endpoint` now.
pub(crate) fn save(path: &Path, endpoint: &str, revisions: &Revisions) {
    let mut all = read(path);
    if revisions.is_empty() {
        all.remove(endpoint);
    } else {
        all.insert(endpoint.to_owned(), revisions.clone());
    }
    // Nothing is lost but a promise about the next command.
    let _ = write(path, &all);
}

fn read(path: &Path) -> BTreeMap<String, Revisions> {
    let mut text = String::new();
    let read = fs::File::open(path).and_then(|file| file.take(MAX_FILE_BYTES).read_to_string(&mut text));
    read.ok().and_then(|_| serde_json::from_str(&text).ok()).unwrap_or_default()
}

/// Replaces the file in one step, for its owner alone.
fn write(path: &Path, all: &BTreeMap<String, Revisions>) -> std::io::Result<()> {
    let directory = path.parent().ok_or(std::io::ErrorKind::InvalidInput)?;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    private_file::replace(path, &serde_json::to_vec(all)?)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn acme(revision: &str) -> Revisions {
        [("acme".to_owned(), revision.to_owned())].into()
    }

    #[test]
    fn is_below_xdg_state_home_else_below_home() {
        let path = |pairs: &'static [(&str, &str)]| {
            path(move |name| pairs.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned()))
        };
        let xdg = path(&[("XDG_STATE_HOME", "/x"), ("HOME", "/h")]);
        assert_eq!(xdg.unwrap(), Path::new("/x/secrets/revisions.json"));
        let home = path(&[("XDG_STATE_HOME", "relative"), ("HOME", "/h")]);
        assert_eq!(home.unwrap(), Path::new("/h/.local/state/secrets/revisions.json"));
        assert_eq!(path(&[]), None);
    }

    #[test]
    fn keeps_each_service_apart_for_its_owner_alone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("state/secrets/revisions.json");
        assert!(load(&path, "http://a").is_empty());
        save(&path, "http://a", &acme("1.x"));
        save(&path, "http://b", &acme("2.x"));
        save(&path, "http://a", &acme("3.x"));
        assert_eq!((load(&path, "http://a"), load(&path, "http://b")), (acme("3.x"), acme("2.x")));
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
        save(&path, "http://a", &Revisions::new());
        assert!(load(&path, "http://a").is_empty());
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn a_file_that_is_no_use_is_as_good_as_none() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("revisions.json");
        for text in ["", "nonsense", "[]", "{\"http://a\": 7}"] {
            fs::write(&path, text).unwrap();
            assert!(load(&path, "http://a").is_empty(), "{text}");
        }
        save(Path::new("/proc/no/such/place"), "http://a", &acme("1.x"));
    }
}
