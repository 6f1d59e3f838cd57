//! What somebody has allowed their shells to load: `$XDG_STATE_HOME/secrets/allowed.json`.

use std::fs;
use std::io::{self, Read as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::fs::FlockOperation;
use rustix::io::Errno;
use secrets_client::private_file;
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::ui::error::{CliError, ExitCode};

/// A file that is larger is none of ours.
const MAX_FILE_BYTES: u64 = 1 << 20;
/// The oldest go first.
const MAX_ENTRIES: usize = 1_000;
/// A change takes some milliseconds.
const LOCK_TIMEOUT: Duration = Duration::from_secs(5);
const LOCK_INTERVAL: Duration = Duration::from_millis(5);

/// A file, by what is in it, with the service and the organization that its names are of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Trusted {
    pub(super) path: String,
    pub(super) digest: String,
    pub(super) endpoint: String,
    pub(super) organization: String,
}

impl Trusted {
    /// What is another one than in what was allowed of the same file, as the beginning of a sentence; nothing, where nothing was.
    pub(super) fn since_allowed(&self, allowed: &[Self]) -> &'static str {
        let is_same = |other: &&Self| (&other.endpoint, &other.organization) == (&self.endpoint, &self.organization);
        let of_file: Vec<&Self> = allowed.iter().filter(|other| other.path == self.path).collect();
        match (of_file.is_empty(), of_file.iter().any(is_same)) {
            (true, _) => "",
            (false, true) => "has changed since you allowed it, and ",
            (false, false) => "was allowed for another service or organization, and ",
        }
    }
}

pub(super) fn path(app: &App) -> Result<PathBuf, CliError> {
    let directory = app.state_directory().ok_or_else(|| {
        CliError::new(ExitCode::Failed, "there is no directory to remember it in: set `HOME` or `XDG_STATE_HOME`")
    })?;
    Ok(directory.join("allowed.json"))
}

/// What is allowed: nothing, where the file can't be read, or somebody else could have written it.
pub(super) fn read(path: &Path) -> Vec<Trusted> {
    let Ok(file) = fs::File::open(path) else { return Vec::new() };
    let is_own = file.metadata().is_ok_and(|file| {
        file.is_file() && file.uid() == rustix::process::geteuid().as_raw() && file.mode() & 0o022 == 0
    });
    let mut text = String::new();
    match file.take(MAX_FILE_BYTES).read_to_string(&mut text) {
        Ok(_) if is_own => serde_json::from_str(&text).unwrap_or_default(),
        _ => Vec::new(),
    }
}

/// Allows it, in place of what was allowed of the same file, service and organization.
pub(super) fn add(path: &Path, trusted: Trusted) -> io::Result<()> {
    let _lock = lock(path)?;
    let mut all = read(path);
    let is_same = |other: &Trusted| {
        (&other.path, &other.endpoint, &other.organization) == (&trusted.path, &trusted.endpoint, &trusted.organization)
    };
    all.retain(|other| !is_same(other));
    all.push(trusted);
    write(path, newest(&all)?)
}

/// As many of the last ones as a file may have.
fn newest(all: &[Trusted]) -> io::Result<&[Trusted]> {
    let mut bytes = 2; // the brackets
    let mut kept = 0;
    for entry in all.iter().rev().take(MAX_ENTRIES) {
        bytes += serde_json::to_vec(entry)?.len() + 1;
        if bytes as u64 > MAX_FILE_BYTES {
            break;
        }
        kept += 1;
    }
    Ok(all.get(all.len() - kept..).unwrap_or_default())
}

/// Allows nothing of this file any more. Returns whether something was.
pub(super) fn remove(path: &Path, file: &Path) -> io::Result<bool> {
    let _lock = lock(path)?;
    let mut all = read(path);
    let before = all.len();
    all.retain(|other| Path::new(&other.path) != file);
    if all.len() == before {
        return Ok(false);
    }
    write(path, &all).map(|()| true)
}

/// One changes it at a time, or what another one has just denied would be written again. The lock is on a file beside it,
/// which is never replaced.
fn lock(path: &Path) -> io::Result<fs::File> {
    let directory = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    let flags = rustix::fs::OFlags::NOFOLLOW.bits().cast_signed();
    let mut options = fs::OpenOptions::new();
    let file = options.write(true).create(true).truncate(false).mode(0o600).custom_flags(flags);
    let file = file.open(path.with_extension("lock"))?;
    let started = Instant::now();
    loop {
        match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Ok(file),
            Err(Errno::WOULDBLOCK) if started.elapsed() < LOCK_TIMEOUT => sleep(LOCK_INTERVAL),
            Err(Errno::WOULDBLOCK) => {
                return Err(io::Error::other("another command has been changing it for too long"));
            }
            Err(error) => return Err(error.into()),
        }
    }
}

fn write(path: &Path, all: &[Trusted]) -> io::Result<()> {
    private_file::replace(path, &serde_json::to_vec(all)?)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn trusted(path: &str, digest: &str) -> Trusted {
        Trusted { path: path.into(), digest: digest.into(), endpoint: "http://a".into(), organization: "acme".into() }
    }

    #[test]
    fn allows_a_file_for_one_content_service_and_organization() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("state/secrets/allowed.json");
        add(&path, trusted("/a", "1")).unwrap();
        add(&path, trusted("/b", "1")).unwrap();
        add(&path, trusted("/a", "2")).unwrap();
        let elsewhere = Trusted { endpoint: "http://b".into(), ..trusted("/a", "1") };
        add(&path, elsewhere.clone()).unwrap();
        assert_eq!(read(&path), [trusted("/b", "1"), trusted("/a", "2"), elsewhere]);
        assert!(remove(&path, Path::new("/a")).unwrap() && !remove(&path, Path::new("/a")).unwrap());
        assert_eq!(read(&path), [trusted("/b", "1")]);
    }

    #[test]
    fn believes_no_file_that_others_may_write_or_that_is_none_of_ours() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("allowed.json");
        add(&path, trusted("/a", "1")).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o620)).unwrap();
        assert!(read(&path).is_empty());
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        // Only root can play somebody else.
        if std::os::unix::fs::chown(&path, Some(12_345), None).is_ok() {
            assert!(read(&path).is_empty());
        }
        for text in ["", "nonsense", "{}", "[{\"path\": 7}]"] {
            fs::write(directory.path().join("other"), text).unwrap();
            assert!(read(&directory.path().join("other")).is_empty(), "{text}");
        }
    }

    #[test]
    fn forgets_the_oldest_of_too_many() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("allowed.json");
        let all: Vec<Trusted> = (0..MAX_ENTRIES).map(|number| trusted(&format!("/{number}"), "1")).collect();
        write(&path, &all).unwrap();
        add(&path, trusted("/new", "1")).unwrap();
        let read = read(&path);
        assert_eq!(
            (read.len(), read[0].path.as_str(), read[MAX_ENTRIES - 1].path.as_str()),
            (MAX_ENTRIES, "/1", "/new")
        );
    }

    #[test]
    fn forgets_the_oldest_of_too_many_bytes_and_never_all() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("allowed.json");
        let long = "\u{1}".repeat(4_000); // six bytes each as JSON
        let all: Vec<Trusted> = (0..60).map(|number| trusted(&format!("/{number}{long}"), "1")).collect();
        write(&path, &all).unwrap();
        assert!(read(&path).is_empty(), "such a file is none of ours");
        write(&path, newest(&all).unwrap()).unwrap();
        let kept = read(&path);
        assert!((40..60).contains(&kept.len()) && kept[..] == all[60 - kept.len()..], "{}", kept.len());
        add(&path, trusted("/new", "1")).unwrap();
        assert!(remove(&path, Path::new("/new")).unwrap());
        assert!(!read(&path).is_empty() && fs::metadata(&path).unwrap().len() <= MAX_FILE_BYTES);
    }

    #[test]
    fn loses_no_change_of_several_at_a_time() {
        let directory = tempfile::tempdir().unwrap();
        let path = &directory.path().join("allowed.json");
        std::thread::scope(|scope| {
            for thread in 0..4 {
                scope.spawn(move || {
                    for number in 0..10 {
                        add(path, trusted(&format!("/{thread}/{number}"), "1")).unwrap();
                        add(path, trusted(&format!("/{thread}/gone"), "1")).unwrap();
                        assert!(remove(path, Path::new(&format!("/{thread}/gone"))).unwrap());
                    }
                });
            }
        });
        assert_eq!(read(path).len(), 40);
    }
}
