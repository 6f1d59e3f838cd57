//! `secrets.toml`, the file in a repository that names its default context and declares the secrets that it needs.
//!
//! ```toml
//! organization = "acme"
//! project = "api"
//!
//! [secrets.LINEAR_API_KEY]
//! description = "your own key, from https://linear.app/settings/api"
//!
//! [secrets.SENTRY_DSN]
//! description = "where crashes are reported"
//! required = false
//! ```

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use secrets_core::{InvalidSecretId, NamePolicy, OrganizationId, ProjectId, SecretId, WorkspaceId};
use serde::Deserialize;

use super::ConfigError;
use super::file::{identifier, parse};

/// More than the declarations of a repository take.
const MAX_FILE_BYTES: u64 = 256 * 1024;

/// The default context of a repository, and the secrets that it declares. It names no address and no token: whoever can write to a
/// repository must not learn the token of those who work in it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Repository {
    /// The organization.
    #[serde(default, deserialize_with = "identifier::<OrganizationId, _>")]
    pub organization: Option<String>,
    /// The project.
    #[serde(default, deserialize_with = "identifier::<ProjectId, _>")]
    pub project: Option<String>,
    /// The workspace.
    #[serde(default, deserialize_with = "identifier::<WorkspaceId, _>")]
    pub workspace: Option<String>,
    /// The secrets that it declares.
    #[serde(default)]
    pub secrets: BTreeMap<Name, DeclaredSecret>,
}

/// A `secrets.toml` that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepositoryFile {
    /// Its path.
    pub path: PathBuf,
    /// All of its bytes.
    pub bytes: Vec<u8>,
    /// What they say.
    pub repository: Repository,
}

/// The name of a secret, valid in any organization.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct Name(SecretId);

/// A secret that a repository declares. Never its value, which everybody who can read the repository would have.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(
    deny_unknown_fields,
    expecting = "a table with `description` and `required`: a secret's value does not belong in this file"
)]
pub struct DeclaredSecret {
    /// What it is for and where to get one, for the person who is asked to set it.
    pub description: Option<String>,
    /// Whether a program needs it to start; yes, unless the file says `false`.
    #[serde(default = "yes")]
    pub required: bool,
}

impl Repository {
    /// The name of the file.
    pub const FILE: &str = "secrets.toml";

    /// Reads the nearest `secrets.toml`, in `directory` or above it, if there is one. A directory where everybody may write,
    /// such as `/tmp`, is no repository: it is passed over.
    ///
    /// Opening waits for nobody, as for a FIFO; the file is a regular one of at most 256 KiB, and belongs to the caller, to
    /// root or to whom its directory belongs.
    pub fn find(directory: &Path) -> Result<Option<(PathBuf, Self)>, ConfigError> {
        Ok(Self::read(directory)?.map(|file| (file.path, file.repository)))
    }

    /// The same, with the bytes that it was read from.
    pub fn read(directory: &Path) -> Result<Option<RepositoryFile>, ConfigError> {
        for directory in directory.ancestors() {
            let path = directory.join(Self::FILE);
            let failed = |error| ConfigError::File { path: path.clone(), error };
            if let Some(bytes) = read(directory, &path).map_err(failed)? {
                let repository = parse(&path, &bytes)?;
                return Ok(Some(RepositoryFile { path, bytes, repository }));
            }
        }
        Ok(None)
    }

    /// Returns the line of a `secrets.toml` that gives `key` its value, if there is one: the file is read again.
    pub fn line(path: &Path, key: &str) -> Option<usize> {
        let bytes = read(path.parent()?, path).ok()??;
        let text = std::str::from_utf8(&bytes).ok()?;
        let table = toml::de::DeTable::parse(text).ok()?;
        let (key, _) = table.get_ref().iter().find(|(found, _)| found.get_ref() == key)?;
        Some(text.get(..key.span().start)?.matches('\n').count() + 1)
    }

    /// Returns the names of the secrets that a program needs to start.
    pub fn required(&self) -> impl Iterator<Item = &str> {
        self.secrets.iter().filter(|(_, secret)| secret.required).map(|(name, _)| name.as_str())
    }

    /// Returns the declaration of a secret, if there is one.
    pub fn declared(&self, secret_id: &str) -> Option<&DeclaredSecret> {
        self.secrets.iter().find(|(name, _)| name.as_str() == secret_id).map(|(_, declared)| declared)
    }
}

impl Name {
    /// Returns the name as text.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl TryFrom<String> for Name {
    type Error = InvalidSecretId;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        SecretId::parse(&text, NamePolicy::Relaxed).map(Self)
    }
}

/// Reads the file at `path`, in `directory`; none if it is not there, or the directory is one where everybody may write.
fn read(directory: &Path, path: &Path) -> io::Result<Option<Vec<u8>>> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let opened = rustix::fs::open(path, flags, Mode::empty());
    if opened.as_ref().is_err_and(|error| *error == Errno::NOENT) {
        return Ok(None);
    }
    let directory = if directory.as_os_str().is_empty() { Path::new(".") } else { directory };
    let directory = std::fs::metadata(directory)?;
    // Whatever is there, and whether it opens, is nobody's decision for others.
    if directory.mode() & 0o002 != 0 {
        return Ok(None);
    }
    let file = File::from(opened?);
    let metadata = file.metadata()?;
    if !metadata.is_file() || metadata.len() > MAX_FILE_BYTES {
        return Err(io::Error::other(format!("must be a regular file of at most {} KiB", MAX_FILE_BYTES / 1024)));
    }
    let caller = rustix::process::geteuid().as_raw();
    if ![caller, 0, directory.uid()].contains(&metadata.uid()) {
        return Err(io::Error::other("must belong to you, to root or to the owner of its directory"));
    }
    let mut bytes = Vec::new();
    file.take(MAX_FILE_BYTES).read_to_end(&mut bytes)?;
    Ok(Some(bytes))
}

const fn yes() -> bool {
    true
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::{PermissionsExt as _, chown};

    use super::*;

    #[test]
    fn finds_the_nearest_file_above() {
        let top = tempfile::tempdir().unwrap();
        let deep = top.path().join("a/b/c");
        std::fs::create_dir_all(&deep).unwrap();
        std::fs::write(top.path().join("secrets.toml"), "organization = \"acme\"\nproject = \"api\"\n").unwrap();
        let (path, repository) = Repository::find(&deep).unwrap().unwrap();
        assert_eq!(path, top.path().join("secrets.toml"));
        assert_eq!((repository.organization.as_deref(), repository.project.as_deref()), (Some("acme"), Some("api")));
        std::fs::write(top.path().join("a/secrets.toml"), "workspace = \"ws1\"\n").unwrap();
        assert_eq!(Repository::find(&deep).unwrap().unwrap().1.workspace.as_deref(), Some("ws1"));
    }

    #[test]
    fn says_on_which_line_a_name_is() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("secrets.toml");
        std::fs::write(&path, "# project = \"web\"\norganization = \"acme\"\n\n'project' = \"api\"\n[secrets.A]\n")
            .unwrap();
        let line = |key| Repository::line(&path, key);
        assert_eq!((line("organization"), line("project"), line("workspace")), (Some(2), Some(4), None));
        std::fs::write(&path, "project = ").unwrap();
        assert_eq!(line("project"), None);
        std::fs::remove_file(&path).unwrap();
        assert_eq!(line("project"), None);
    }

    #[test]
    fn refuses_an_address_a_profile_and_a_token() {
        let directory = tempfile::tempdir().unwrap();
        for line in ["endpoint = \"http://example.com\"", "profile = \"work\"", "token = \"sper_x\""] {
            std::fs::write(directory.path().join("secrets.toml"), line).unwrap();
            assert!(matches!(Repository::find(directory.path()), Err(ConfigError::Syntax { line: Some(1), .. })));
        }
    }

    #[test]
    fn declares_what_it_needs() {
        let directory = tempfile::tempdir().unwrap();
        let text = "project = \"api\"\n[secrets.B]\n[secrets.A]\ndescription = \"for it\"\n\
                    [secrets]\nC = { required = false }\n";
        std::fs::write(directory.path().join("secrets.toml"), text).unwrap();
        let repository = Repository::find(directory.path()).unwrap().unwrap().1;
        assert_eq!(repository.required().collect::<Vec<_>>(), ["A", "B"]);
        assert_eq!(repository.declared("A").unwrap().description.as_deref(), Some("for it"));
        assert_eq!((repository.declared("C").unwrap().required, repository.declared("D")), (false, None));
    }

    #[test]
    fn names_line_and_key_of_what_is_wrong_and_never_shows_a_value() {
        let directory = tempfile::tempdir().unwrap();
        for (text, line, named) in [
            ("[secrets]\nA = \"canary\"\n", 2, "`secrets.A`: must be a table with `description` and `required`"),
            ("project = \"api\"\n\n[secrets.A]\ndescripton = \"canary\"\n", 4, "`secrets.A.descripton`: unknown field"),
            ("[secrets.A]\nrequired = \"canary\"\n", 2, "`secrets.A.required`: must be a boolean"),
            ("[secrets.B]\n[secrets.linear-api-key]\n", 2, "did you mean `LINEAR_API_KEY`?"),
            ("[secrets.A]\n[secrets.A]\n", 2, "`secrets.A`: duplicate key"),
            ("project = \"api\"\nworkspace = [\"canary\"]\n", 2, "`workspace`: must be a string"),
            ("project = \"api\"\nworkspace = canary\n", 2, "`workspace`: "),
            ("project = \"api\"\nworkspace = \"Ws_1\"\n", 2, "`workspace`: "),
            ("[[secrets]]\n", 1, "`secrets`: must be a map"),
            ("project = \"api\"\n[secrets.A\n", 2, "`secrets.A`: "),
        ] {
            std::fs::write(directory.path().join("secrets.toml"), text).unwrap();
            let error = Repository::find(directory.path()).unwrap_err().to_string();
            let begins = format!("secrets.toml` line {line}: ");
            assert!(error.contains(&begins) && error.contains(named) && !error.contains("canary"), "{text}{error}");
        }
    }

    #[test]
    fn passes_over_a_directory_where_everybody_may_write() {
        let top = tempfile::tempdir().unwrap();
        let (open, deep) = (top.path().join("open"), top.path().join("open/own"));
        std::fs::create_dir_all(&deep).unwrap();
        std::fs::write(top.path().join("secrets.toml"), "project = \"api\"\n").unwrap();
        std::fs::write(open.join("secrets.toml"), "project = \"theirs\"\n").unwrap();
        let project = |directory| Repository::find(directory).unwrap().unwrap().1.project.unwrap();
        assert_eq!(project(&deep), "theirs");
        for mode in [0o777, 0o1777] {
            std::fs::set_permissions(&open, Permissions::from_mode(mode)).unwrap();
            assert_eq!((project(&deep), project(&open)), ("api".into(), "api".into()));
        }
    }

    #[test]
    fn reads_only_a_regular_file_of_a_moderate_size() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("secrets.toml");
        let error = || Repository::find(directory.path()).unwrap_err().to_string();
        // A FIFO without a writer would be waited for.
        rustix::fs::mknodat(rustix::fs::CWD, &path, rustix::fs::FileType::Fifo, Mode::from_raw_mode(0o644), 0).unwrap();
        assert!(error().contains("must be a regular file of at most 256 KiB"), "{}", error());
        std::fs::remove_file(&path).unwrap();
        std::fs::create_dir(&path).unwrap();
        assert!(error().contains("must be a regular file"), "{}", error());
        std::fs::remove_dir(&path).unwrap();
        std::fs::write(&path, "#".repeat(256 * 1024)).unwrap();
        assert!(Repository::find(directory.path()).is_ok());
        std::fs::write(&path, "#".repeat(256 * 1024 + 1)).unwrap();
        assert!(error().contains("of at most 256 KiB"), "{}", error());
    }

    #[test]
    fn reads_no_file_of_a_stranger() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("secrets.toml");
        std::fs::write(&path, "project = \"api\"\n").unwrap();
        // Only root can play somebody else.
        if chown(&path, Some(12_345), None).is_ok() {
            let error = Repository::find(directory.path()).unwrap_err().to_string();
            assert!(error.contains("must belong to you, to root or to the owner of its directory"), "{error}");
            chown(directory.path(), Some(12_345), None).unwrap();
            assert!(Repository::find(directory.path()).unwrap().is_some());
        }
    }
}
