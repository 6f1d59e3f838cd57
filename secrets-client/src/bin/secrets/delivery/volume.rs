//! A directory that holds a set, laid out as Kubernetes lays out the volumes of its secrets: each name is a link through
//! `..data`, a link to the directory of one whole set. Replacing `..data` replaces them all in one step, and a reader that
//! has a file open keeps the old one.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use rustix::fs::FlockOperation;
use secrets_client::ResolvedSecret;
use secrets_core::{FileMode, SecretId, Target, dotenv};
use zeroize::Zeroizing;

use super::ownership;
use crate::args::executable::ExecutableArgs;
use crate::format::{Format, UnfitPolicy};
use crate::ui::error::{CliError, ExitCode};

/// Says that the directory is ours, and is locked while it changes.
const MARKER: &str = "..secrets";
const MARKER_TEXT: &str = "Written by `secrets materialize`, which replaces what is here.\n";
/// The link to the current set.
const CURRENT_LINK: &str = "..data";
/// What the directory of one set begins with.
const SET_PREFIX: &str = "..set-";

/// A directory that takes a set, and the next one.
pub(crate) struct Volume {
    dir: PathBuf,
    mode: FileMode,
    /// Whether it may be one that others can write.
    is_shared: bool,
}

/// What was written.
pub(crate) struct Written {
    /// Names in the directory, ordered.
    pub(crate) files: Vec<String>,
    /// Names of variables because of which there is no `.env`.
    pub(crate) not_in_dotenv: Vec<String>,
}

/// Content and permissions of each file.
type Files = BTreeMap<String, (Zeroizing<Vec<u8>>, u32)>;

impl Volume {
    /// The directory at `dir`, which is there or not. Refuses one that holds anything but what a volume wrote, and, unless it
    /// `is_shared`, one that others can write or put another one in the place of.
    pub(crate) fn at(dir: &Path, mode: FileMode, is_shared: bool) -> Result<Self, CliError> {
        let volume = Self { dir: dir.to_owned(), mode, is_shared };
        volume.check_ownership()?;
        match volume.is_ours() {
            Ok(true) => Ok(volume),
            Ok(false) => Err(volume
                .fails("there are files in it that `secrets materialize` did not write")
                .hint("name an empty directory, or one that is not there yet")),
            Err(error) => Err(volume.fails(&error.to_string())),
        }
    }

    /// Puts `secrets` in the place of what was there: all of them in one step, or nothing changes.
    pub(crate) fn write(&self, secrets: &[ResolvedSecret], executable: &ExecutableArgs) -> Result<Written, CliError> {
        let not_in_dotenv = not_in_dotenv(secrets);
        let files = self.files(secrets, executable, not_in_dotenv.is_empty())?;
        DirBuilder::new()
            .recursive(true)
            .mode(self.directory_mode())
            .create(&self.dir)
            .map_err(|error| self.fails(&error.to_string()))?;
        // Somebody may have been quicker to make it.
        self.check_ownership()?;
        self.replace(&files).map_err(|error| self.fails(&error.to_string()))?;
        Ok(Written { files: files.into_keys().collect(), not_in_dotenv })
    }

    fn files(
        &self,
        secrets: &[ResolvedSecret],
        executable: &ExecutableArgs,
        has_dotenv: bool,
    ) -> Result<Files, CliError> {
        let mode = self.mode.bits();
        let mut files = Files::new();
        for secret in secrets {
            let mode = match secret.target {
                Target::File { mode, .. } => executable.mode(secret, mode),
                _ => mode,
            };
            files.insert(secret.secret_id().to_string(), (secret.expose().to_vec().into(), mode));
        }
        files.insert("env.sh".to_owned(), (Format::Shell.write(secrets, UnfitPolicy::Refuse)?.text, mode));
        if has_dotenv {
            files.insert(".env".to_owned(), (Format::Dotenv.write(secrets, UnfitPolicy::Refuse)?.text, mode));
        }
        if secrets.iter().any(|secret| matches!(secret.target, Target::Registry { .. })) {
            files.insert(
                "config.json".to_owned(),
                (Format::Dockerconfigjson.write(secrets, UnfitPolicy::Refuse)?.text, mode),
            );
        }
        Ok(files)
    }

    fn replace(&self, files: &Files) -> io::Result<()> {
        let _lock = self.lock()?;
        // Whoever was quicker may have put something else there.
        if !self.is_ours()? {
            return Err(io::Error::other("another process is writing there"));
        }
        let set = self.random_name();
        let written = self.write_set(&set, files).and_then(|()| self.link(&set, CURRENT_LINK));
        if let Err(error) = written {
            let _ = std::fs::remove_dir_all(self.dir.join(&set));
            return Err(error);
        }
        for name in files.keys() {
            self.link(&Path::new(CURRENT_LINK).join(name).into_os_string(), name)?;
        }
        self.clean(&set, files)
    }

    /// Writes the directory of one set.
    fn write_set(&self, set: &OsString, files: &Files) -> io::Result<()> {
        let directory = self.dir.join(set);
        DirBuilder::new().mode(0o700).create(&directory)?;
        for (name, (content, mode)) in files {
            let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(directory.join(name))?;
            file.write_all(content)?;
            file.set_permissions(Permissions::from_mode(*mode))?; // whatever the umask is
            file.sync_all()?;
        }
        std::fs::set_permissions(&directory, Permissions::from_mode(self.directory_mode()))?;
        File::open(&directory)?.sync_all()
    }

    /// Makes or replaces a link in one step.
    fn link(&self, target: &OsString, name: &str) -> io::Result<()> {
        let path = self.dir.join(name);
        if std::fs::read_link(&path).is_ok_and(|current| current.as_os_str() == target) {
            return Ok(());
        }
        let new = self.dir.join(self.random_name());
        symlink(target, &new)?;
        std::fs::rename(&new, path).inspect_err(|_| drop(std::fs::remove_file(&new)))
    }

    /// Removes names and sets of before, those of a writer that was killed among them.
    fn clean(&self, current: &OsString, files: &Files) -> io::Result<()> {
        for entry in std::fs::read_dir(&self.dir)? {
            let entry = entry?;
            let name = entry.file_name();
            let is_stale_name = name.to_str().is_some_and(|name| !files.contains_key(name)) && is_name(&entry.path());
            if is_stale_name || (name.to_string_lossy().starts_with(SET_PREFIX) && !entry.file_type()?.is_dir()) {
                std::fs::remove_file(entry.path())?;
            } else if name.to_string_lossy().starts_with(SET_PREFIX) && name != *current {
                std::fs::remove_dir_all(entry.path())?;
            }
        }
        Ok(())
    }

    /// Whether it is not there, empty, or holds only what a volume wrote.
    fn is_ours(&self) -> io::Result<bool> {
        let entries = match std::fs::read_dir(&self.dir) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(true),
            Err(error) => return Err(error),
        };
        let mut is_marked = false;
        let mut is_empty = true;
        for entry in entries {
            let entry = entry?;
            let name = entry.file_name();
            is_empty = false;
            if name == MARKER {
                let metadata = entry.metadata()?;
                is_marked = metadata.is_file() && metadata.uid() == rustix::process::geteuid().as_raw();
            } else if name != CURRENT_LINK && !name.to_string_lossy().starts_with(SET_PREFIX) && !is_name(&entry.path())
            {
                return Ok(false);
            }
        }
        Ok(is_empty || is_marked)
    }

    fn check_ownership(&self) -> Result<(), CliError> {
        if self.is_shared {
            return Ok(());
        }
        match ownership::check(&self.dir) {
            Ok(Ok(())) => Ok(()),
            Ok(Err(untrusted)) => Err(self
                .fails(&untrusted.to_string())
                .hint("name a directory of your own that others can't write, or add --shared-dir if this is meant")),
            Err(error) => Err(self.fails(&error.to_string())),
        }
    }

    fn lock(&self) -> io::Result<File> {
        let path = self.dir.join(MARKER);
        let flags = rustix::fs::OFlags::NOFOLLOW.bits().cast_signed();
        let mut file =
            OpenOptions::new().read(true).append(true).create(true).mode(0o600).custom_flags(flags).open(path)?;
        rustix::fs::flock(&file, FlockOperation::LockExclusive)?;
        if file.metadata()?.len() == 0 {
            file.write_all(MARKER_TEXT.as_bytes())?;
        }
        Ok(file)
    }

    /// Who may read a file may enter the directory.
    const fn directory_mode(&self) -> u32 {
        let mode = self.mode.bits();
        0o700 | (mode & 0o050) | ((mode & 0o040) >> 2) | (mode & 0o005) | ((mode & 0o004) >> 2)
    }

    fn random_name(&self) -> OsString {
        format!("{SET_PREFIX}{}", super::random_name()).into()
    }

    fn fails(&self, why: &str) -> CliError {
        CliError::new(ExitCode::Failed, format!("`{}` can't be written: {why}", self.dir.display()))
    }
}

/// Whether it is a link through `..data`.
fn is_name(path: &Path) -> bool {
    std::fs::read_link(path).is_ok_and(|target| target.starts_with(CURRENT_LINK))
}

fn not_in_dotenv(secrets: &[ResolvedSecret]) -> Vec<String> {
    let variables = secrets.iter().filter(|secret| Format::Dotenv.takes(secret));
    let is_fit = |name: &SecretId, value: &[u8]| dotenv::write(&[(name, value)]).map(Zeroizing::new).is_ok();
    let unfit = variables.filter(|secret| !is_fit(secret.secret_id(), secret.expose()));
    unfit.map(|secret| secret.secret_id().to_string()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_set::{file, registry, secret};

    const VARIABLE: Target = Target::EnvironmentVariable;

    fn set() -> Vec<ResolvedSecret> {
        vec![
            secret("A", b"it's 1", &VARIABLE),
            secret("KEY", b"\xff\0", &file("~/key", 0o400)),
            secret("GH", b"t", &registry("ghcr.io")),
        ]
    }

    fn volume(dir: &Path) -> Result<Volume, CliError> {
        Volume::at(dir, FileMode::default(), false)
    }

    fn write(volume: &Volume, secrets: &[ResolvedSecret]) -> Written {
        volume.write(secrets, &ExecutableArgs::default()).unwrap()
    }

    fn names(dir: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> =
            entries.map(|name| if name.starts_with(SET_PREFIX) { SET_PREFIX.into() } else { name }).collect();
        names.sort();
        names
    }

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).unwrap().permissions().mode() & 0o7777
    }

    #[test]
    fn writes_each_secret_by_name_and_the_documents_of_all() {
        let top = tempfile::tempdir().unwrap();
        let dir = top.path().join("new/secrets");
        let written = write(&volume(&dir).unwrap(), &set());
        assert_eq!(written.files, [".env", "A", "GH", "KEY", "config.json", "env.sh"]);
        assert_eq!(names(&dir), ["..data", "..secrets", "..set-", ".env", "A", "GH", "KEY", "config.json", "env.sh"]);
        assert_eq!(std::fs::read(dir.join("KEY")).unwrap(), b"\xff\0");
        assert_eq!(std::fs::read_to_string(dir.join(".env")).unwrap(), "A=\"it's 1\"\n");
        assert_eq!(std::fs::read_to_string(dir.join("env.sh")).unwrap(), "export A='it'\\''s 1'\n");
        assert_eq!((mode(&dir.join("A")), mode(&dir.join("KEY")), mode(&dir)), (0o600, 0o400, 0o700));
    }

    #[test]
    fn replaces_everything_through_one_link() {
        let top = tempfile::tempdir().unwrap();
        let dir = top.path().to_owned(); // an empty one, as a volume is
        write(&volume(&dir).unwrap(), &set());
        let mut open = File::open(dir.join("A")).unwrap();
        let names_before = names(&dir);
        // What a killed writer left is gone with the next one.
        std::fs::create_dir(dir.join("..set-half")).unwrap();
        std::fs::write(dir.join("..set-half/A"), "x").unwrap();
        symlink("..set-half", dir.join("..set-link")).unwrap();
        write(&volume(&dir).unwrap(), &set());
        assert_eq!(names(&dir), names_before);
        write(&volume(&dir).unwrap(), &[secret("B", b"$`'", &VARIABLE)]);
        assert_eq!(names(&dir), ["..data", "..secrets", "..set-", "B", "env.sh"]);
        let mut old = String::new();
        io::Read::read_to_string(&mut open, &mut old).unwrap();
        assert_eq!(old, "it's 1");
    }

    #[test]
    fn leaves_out_a_dotenv_that_would_be_misread() {
        let top = tempfile::tempdir().unwrap();
        let set = [secret("A", b"plain", &VARIABLE), secret("B", b"it's $5", &VARIABLE)];
        let written = write(&volume(top.path()).unwrap(), &set);
        assert_eq!(
            (written.not_in_dotenv, written.files),
            (vec!["B".into()], vec!["A".into(), "B".into(), "env.sh".into()])
        );
    }

    #[test]
    fn lets_in_whom_it_lets_read() {
        for (file, directory) in [(0o600, 0o700), (0o400, 0o700), (0o440, 0o750), (0o640, 0o750), (0o444, 0o755)] {
            let top = tempfile::tempdir().unwrap();
            let dir = top.path().join("d");
            let volume = Volume::at(&dir, FileMode::new(file).unwrap(), false).unwrap();
            write(&volume, &set());
            assert_eq!(
                (mode(&dir.join("A")), mode(&dir), mode(&dir.join(CURRENT_LINK))),
                (file, directory, directory),
                "{file:o}"
            );
        }
    }

    #[test]
    fn refuses_a_directory_that_it_did_not_write() {
        let top = tempfile::tempdir().unwrap();
        let dir = top.path().join("theirs");
        std::fs::create_dir(&dir).unwrap();
        std::fs::write(dir.join("A"), "theirs").unwrap();
        assert!(volume(&dir).is_err());
        assert!(volume(&dir.join("A")).is_err());
        // Nor one that is ours, but for a file of somebody else.
        let ours = top.path().join("ours");
        write(&volume(&ours).unwrap(), &set());
        std::fs::write(ours.join("B"), "theirs").unwrap();
        assert!(volume(&ours).is_err());
        // Nor what only looks like a volume: the marker is missing.
        std::fs::remove_file(ours.join("B")).unwrap();
        std::fs::remove_file(ours.join(MARKER)).unwrap();
        assert!(volume(&ours).is_err());
    }

    #[test]
    fn refuses_a_directory_that_others_can_write_unless_it_is_to_be_shared() {
        let top = tempfile::tempdir().unwrap();
        let open = top.path().join("open");
        std::fs::create_dir(&open).unwrap();
        std::fs::set_permissions(&open, Permissions::from_mode(0o777)).unwrap();
        for dir in [&open, &open.join("below")] {
            let error = volume(dir).err().unwrap();
            assert!(error.message().contains("open` can't be written: others may write") || dir != &open, "{error:?}");
            assert!(error.next().unwrap().contains("--shared-dir"), "{error:?}");
            assert_eq!(std::fs::read_dir(&open).unwrap().count(), 0);
        }
        write(&Volume::at(&open, FileMode::default(), true).unwrap(), &set());
        // One that was opened to others since is not written to again.
        let dir = top.path().join("own");
        let volume = volume(&dir).unwrap();
        write(&volume, &set());
        std::fs::set_permissions(&dir, Permissions::from_mode(0o777)).unwrap();
        assert!(volume.write(&set(), &ExecutableArgs::default()).is_err());
    }

    #[test]
    fn takes_the_execute_bits_from_what_others_could_have_made() {
        let top = tempfile::tempdir().unwrap();
        let set = [secret("TOOL", b"#!/bin/sh", &file("~/tools/tool", 0o750))];
        write(&volume(top.path()).unwrap(), &set);
        assert_eq!(mode(&top.path().join("TOOL")), 0o640);
    }
}
