//! A root key in a file: 32 raw bytes that only their owner can read.

use std::ffi::OsStr;
use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{Mode, OFlags};

use super::{ProviderFuture, RootKeyError, RootKeyProvider};
use crate::crypto::aad::{AssociatedData, SEED_MAGIC};
use crate::crypto::envelope;
use crate::crypto::random::{Random, RandomError};
use crate::crypto::secret_bytes::{KEY_BYTES, SecretBytes, SymmetricKey};
use crate::crypto::transcript::Transcript;

/// A file has one key, which is never replaced in place, and so has no versions.
const KEY_VERSION: u32 = 0;

/// A root key that was read from a file.
pub struct FileRootKey {
    key: SymmetricKey,
    random: Arc<dyn Random>,
}

impl FileRootKey {
    /// Makes a new root key at `path`, readable by its owner only. An existing file is never overwritten, and a crash
    /// at any moment leaves either no file or the whole key there.
    pub fn create(path: &Path, random: Arc<dyn Random>) -> Result<Self, RootKeyFileError> {
        let key = SymmetricKey::make(&*random).map_err(|error| RootKeyFileError::new(path, error))?;
        let mut suffix = [0; 8];
        random.fill(&mut suffix).map_err(|error| RootKeyFileError::new(path, error))?;
        let draft = draft_path(path, u64::from_be_bytes(suffix));
        let created = write_draft(&draft, &key).and_then(|()| publish(&draft, path));
        // On success and on failure alike: the file has its other name by now, or shall not exist.
        let _ = fs::remove_file(&draft);
        created.map_err(|problem| RootKeyFileError::new(path, problem))?;
        sync_directory(path).map_err(|problem| RootKeyFileError::new(path, problem))?;
        Ok(Self { key, random })
    }

    /// Removes what a process left that ended while it made a root key at `path`: a key that nothing was sealed under, or
    /// another name of the one that is there. What can't be removed is as well left alone: nobody looks for it.
    pub fn remove_drafts(path: &Path) {
        let Ok(entries) = fs::read_dir(directory(path)) else { return };
        for draft in entries.flatten().filter(|entry| is_draft_of(path, &entry.file_name())) {
            match fs::remove_file(draft.path()) {
                Ok(()) => tracing::info!(path = %draft.path().display(), "removed the draft of a root key"),
                Err(error) => {
                    tracing::warn!(path = %draft.path().display(), %error, "cannot remove the draft of a root key")
                }
            }
        }
    }

    /// Reads the root key at `path`. Refuses a file that others could read, a symbolic link, and anything but 32 bytes.
    pub fn load(path: &Path, random: Arc<dyn Random>) -> Result<Self, RootKeyFileError> {
        match read(path) {
            Ok(key) => Ok(Self { key, random }),
            Err(problem) => Err(RootKeyFileError::new(path, problem)),
        }
    }
}

impl RootKeyProvider for FileRootKey {
    fn name(&self) -> &'static str {
        "file"
    }

    fn wrap<'a>(&'a self, seed: &'a SecretBytes) -> ProviderFuture<'a, Vec<u8>> {
        // Exposed to be encrypted.
        let wrapped = envelope::seal(&*self.random, &self.key, KEY_VERSION, &SeedIdentity, seed.expose());
        Box::pin(std::future::ready(wrapped.map_err(RootKeyError::from)))
    }

    fn unwrap<'a>(&'a self, wrapped: &'a [u8]) -> ProviderFuture<'a, SecretBytes> {
        let seed = envelope::open(&self.key, KEY_VERSION, &SeedIdentity, wrapped);
        Box::pin(std::future::ready(seed.map_err(RootKeyError::from)))
    }
}

/// A root key file that can't be used, and why.
#[derive(Debug, thiserror::Error)]
#[error("root key file `{}` {problem}", path.display())]
pub struct RootKeyFileError {
    pub path: PathBuf,
    /// What is the matter with it.
    pub problem: RootKeyFileProblem,
}

impl RootKeyFileError {
    fn new(path: &Path, problem: impl Into<RootKeyFileProblem>) -> Self {
        Self { path: path.to_owned(), problem: problem.into() }
    }
}

/// What is the matter with a root key file.
#[derive(Debug, thiserror::Error)]
pub enum RootKeyFileProblem {
    /// There is none.
    #[error("does not exist")]
    Missing,
    /// There is one already where one was to be made.
    #[error("exists already; a root key is never overwritten")]
    Exists,
    /// Whoever can replace the link could replace the key.
    #[error("is a symbolic link; name the file it points to")]
    SymbolicLink,
    /// A directory, pipe or device.
    #[error("is not a regular file")]
    NotAFile,
    /// Others could read it, or it is executable.
    #[error("has mode {mode:04o}; must be 0600 or 0400, so that nobody but its owner can read it")]
    Mode {
        /// The permission bits.
        mode: u32,
    },
    /// Not a key: text, truncated, or another file.
    #[error("has {length} bytes; a root key is {KEY_BYTES} raw bytes")]
    Length {
        /// How long it is.
        length: u64,
    },
    /// What a file system may leave after a crash.
    #[error("holds nothing but zeros, which is no key")]
    Zeros,
    /// No key could be made.
    #[error("was not made: {0}")]
    Random(#[from] RandomError),
    /// The operating system refused.
    #[error("could not be {operation}: {source}")]
    Io {
        /// What was tried, as a participle.
        operation: Operation,
        /// What it said.
        source: io::Error,
    },
}

/// What was tried with a root key file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Opening and reading it.
    Read,
    /// SecretMutation it and forcing it to the disk.
    Written,
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Read => "read",
            Self::Written => "written",
        })
    }
}

/// What a file wraps: a root seed, without any context, as with every provider.
struct SeedIdentity;

impl AssociatedData for SeedIdentity {
    fn magic(&self) -> [u8; 4] {
        SEED_MAGIC
    }

    fn write(&self, fields: &mut Transcript) {
        fields.push(b"secrets.v1 root seed");
    }
}

fn read(path: &Path) -> Result<SymmetricKey, RootKeyFileProblem> {
    let failed = |source: io::Error| RootKeyFileProblem::Io { operation: Operation::Read, source };
    // NONBLOCK: a pipe would make the open wait for a writer. All checks are of the opened file, not of the path.
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let mut file = match rustix::fs::open(path, flags, Mode::empty()) {
        Ok(opened) => File::from(opened),
        Err(rustix::io::Errno::NOENT) => return Err(RootKeyFileProblem::Missing),
        Err(rustix::io::Errno::LOOP) => return Err(RootKeyFileProblem::SymbolicLink),
        Err(error) => return Err(failed(error.into())),
    };
    let metadata = file.metadata().map_err(failed)?;
    if !metadata.is_file() {
        return Err(RootKeyFileProblem::NotAFile);
    }
    let mode = metadata.permissions().mode() & 0o7777;
    if mode != 0o600 && mode != 0o400 {
        return Err(RootKeyFileProblem::Mode { mode });
    }
    if metadata.len() != KEY_BYTES as u64 {
        return Err(RootKeyFileProblem::Length { length: metadata.len() });
    }
    let mut key = SymmetricKey::zeroed();
    file.read_exact(key.bytes_mut()).map_err(failed)?;
    if key.expose() == &[0; KEY_BYTES] {
        return Err(RootKeyFileProblem::Zeros);
    }
    Ok(key)
}

/// Writes the key under a name that nobody looks for, and reads it back as [`read`] will at the next start: a file
/// system without permission bits is found out now.
fn write_draft(draft: &Path, key: &SymmetricKey) -> Result<(), RootKeyFileProblem> {
    let failed = |source: io::Error| RootKeyFileProblem::Io { operation: Operation::Written, source };
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(draft).map_err(failed)?;
    // Exposed to the file, which is where a root key lives.
    file.write_all(key.expose()).and_then(|()| file.sync_all()).map_err(failed)?;
    drop(file);
    read(draft).map(drop)
}

/// Gives the draft its name in one step that fails when the name is taken, as creating with `O_EXCL` would.
fn publish(draft: &Path, path: &Path) -> Result<(), RootKeyFileProblem> {
    fs::hard_link(draft, path).map_err(|source| match source.kind() {
        ErrorKind::AlreadyExists => RootKeyFileProblem::Exists,
        _ => RootKeyFileProblem::Io { operation: Operation::Written, source },
    })
}

/// Without it, a crash of the machine could forget the file's name.
fn sync_directory(path: &Path) -> Result<(), RootKeyFileProblem> {
    File::open(directory(path))
        .and_then(|directory| directory.sync_all())
        .map_err(|source| RootKeyFileProblem::Io { operation: Operation::Written, source })
}

fn draft_path(path: &Path, suffix: u64) -> PathBuf {
    directory(path).join(format!("{}{suffix:016x}", draft_prefix(path)))
}

fn draft_prefix(path: &Path) -> String {
    format!(".{}.", path.file_name().unwrap_or_default().to_string_lossy())
}

fn is_draft_of(path: &Path, name: &OsStr) -> bool {
    let suffix = name.to_str().and_then(|name| name.strip_prefix(draft_prefix(path).as_str()));
    suffix.is_some_and(|suffix| suffix.len() == 16 && suffix.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

fn directory(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests;
