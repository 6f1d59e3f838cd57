//! The user's own configuration file, and the sources of settings.
//!
//! To add a setting: a field of [`Config`], its line in [`Settings::load`], and a row of `KEYS` in the command line's
//! `command/config.rs`.

mod file;
pub mod repository;
pub mod settings;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret as _, SecretString};
use secrets_core::{OrganizationId, ProjectId, WorkspaceId};
use serde::{Deserialize, Serialize};

use self::file::{address, identifier, read};
pub use self::repository::{DeclaredSecret, Repository};
pub use self::settings::{Defaults, EnvironmentError, Settings};
use crate::credentials::InvalidCredential;
use crate::private_file;

/// The user's settings: `$XDG_CONFIG_HOME/secrets/config.toml`, readable by its owner alone.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// Address of the service.
    pub endpoint: Option<String>,
    /// File with a certificate authority to trust beside the system's, for endpoints without one of their own.
    pub ca_file: Option<PathBuf>,
    /// Such a file for each endpoint whose login named one.
    pub ca_files: BTreeMap<String, PathBuf>,
    /// The default organization.
    pub organization: Option<String>,
    /// The default project.
    pub project: Option<String>,
    /// The default workspace.
    pub workspace: Option<String>,
    /// The token that a login stored.
    pub token: Option<SecretString>,
    /// Resource path of the token's owner.
    pub principal: Option<String>,
}

/// Why a configuration can't be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A file can't be read or written.
    #[error("`{}`: {error}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// A file is not valid. Never shows a line of it, since one holds a token.
    #[error("`{}`{}: {problem}", path.display(), line.map(|line| format!(" line {line}")).unwrap_or_default())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: Option<usize>,
        /// What is wrong with it.
        problem: String,
    },
    /// There is no directory to keep it in.
    #[error("there is no directory for the configuration: set `HOME` or `XDG_CONFIG_HOME`")]
    NoHome,
    /// A token is not valid.
    #[error("{origin}: {error}")]
    Credential {
        /// The variable or file that holds it.
        origin: &'static str,
        /// Why it is not valid.
        error: InvalidCredential,
    },
}

impl ConfigError {
    /// Whether the file is, or would be, out of this user's reach.
    fn is_inaccessible(&self) -> bool {
        use std::io::ErrorKind::{NotADirectory, PermissionDenied};
        matches!(self, Self::File { error, .. } if matches!(error.kind(), NotADirectory | PermissionDenied))
    }
}

/// The content of the file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default, deserialize_with = "address", skip_serializing_if = "Option::is_none")]
    endpoint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ca_file: Option<PathBuf>,
    #[serde(default, deserialize_with = "identifier::<OrganizationId, _>", skip_serializing_if = "Option::is_none")]
    organization: Option<String>,
    #[serde(default, deserialize_with = "identifier::<ProjectId, _>", skip_serializing_if = "Option::is_none")]
    project: Option<String>,
    #[serde(default, deserialize_with = "identifier::<WorkspaceId, _>", skip_serializing_if = "Option::is_none")]
    workspace: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    principal: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    ca_files: BTreeMap<String, PathBuf>,
}

impl Config {
    /// Returns the path of the file: below `XDG_CONFIG_HOME`, else below `~/.config`.
    pub fn path(variable: impl Fn(&str) -> Option<String>) -> Result<PathBuf, ConfigError> {
        let xdg = variable("XDG_CONFIG_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
        let directory = match (xdg, variable("HOME")) {
            (Some(directory), _) => directory,
            (None, Some(home)) => Path::new(&home).join(".config"),
            (None, None) => return Err(ConfigError::NoHome),
        };
        Ok(directory.join("secrets").join("config.toml"))
    }

    /// Reads the file; one that does not exist counts as empty.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let Some(file) = read::<File>(path)? else { return Ok(Self::default()) };
        Ok(Self {
            endpoint: file.endpoint,
            ca_file: file.ca_file,
            ca_files: file.ca_files,
            organization: file.organization,
            project: file.project,
            workspace: file.workspace,
            token: file.token.map(SecretString::from),
            principal: file.principal,
        })
    }

    /// Replaces the file in one step, readable by its owner alone.
    pub fn save(&self, path: &Path) -> Result<(), ConfigError> {
        let failed = |error| ConfigError::File { path: path.to_owned(), error };
        let file = File {
            endpoint: self.endpoint.clone(),
            ca_file: self.ca_file.clone(),
            ca_files: self.ca_files.clone(),
            organization: self.organization.clone(),
            project: self.project.clone(),
            workspace: self.workspace.clone(),
            token: self.token.as_ref().map(|token| token.expose_secret().to_owned()),
            principal: self.principal.clone(),
        };
        let text = zeroize::Zeroizing::new(toml::to_string(&file).map_err(|error| ConfigError::Syntax {
            path: path.to_owned(),
            line: None,
            problem: error.to_string(),
        })?);
        if let Some(directory) = path.parent() {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(failed)?;
        }
        private_file::replace(path, text.as_bytes()).map_err(failed)
    }

    /// Returns the file of the certificate authority for an endpoint.
    pub fn ca_file_of(&self, endpoint: &str) -> Option<&Path> {
        self.ca_files.get(endpoint_key(endpoint)).or(self.ca_file.as_ref()).map(PathBuf::as_path)
    }

    /// Remembers the file of the certificate authority for an endpoint, or that the system's authorities are enough there.
    pub fn remember_ca_file(&mut self, endpoint: &str, file: Option<PathBuf>) {
        let key = endpoint_key(endpoint).to_owned();
        match file {
            Some(file) => drop(self.ca_files.insert(key, file)),
            None => drop(self.ca_files.remove(&key)),
        }
    }

    /// Whether anybody but its owner may read the file.
    pub fn is_exposed(path: &Path) -> bool {
        fs::metadata(path).is_ok_and(|file| file.permissions().mode() & 0o077 != 0)
    }
}

/// The key of an endpoint, with or without a slash at its end.
fn endpoint_key(endpoint: &str) -> &str {
    endpoint.trim_end_matches('/')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_below_xdg_config_home_else_below_home() {
        let path = |pairs: &'static [(&str, &str)]| {
            Config::path(move |name| pairs.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned()))
        };
        assert_eq!(path(&[("XDG_CONFIG_HOME", "/x"), ("HOME", "/h")]).unwrap(), Path::new("/x/secrets/config.toml"));
        for pairs in [&[("HOME", "/h")][..], &[("XDG_CONFIG_HOME", "relative"), ("HOME", "/h")]] {
            assert_eq!(path(pairs).unwrap(), Path::new("/h/.config/secrets/config.toml"));
        }
        assert!(matches!(path(&[]), Err(ConfigError::NoHome)));
    }

    #[test]
    fn reads_back_what_it_wrote_for_its_owner_alone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("new/secrets/config.toml");
        let config = Config {
            endpoint: Some("http://127.0.0.1:1".into()),
            organization: Some("acme".into()),
            token: Some("sper_x".into()),
            ..Config::default()
        };
        config.save(&path).unwrap();
        config.save(&path).unwrap();
        let read = Config::load(&path).unwrap();
        assert_eq!((read.endpoint, read.organization, read.project), (config.endpoint, config.organization, None));
        assert_eq!(read.token.unwrap().expose_secret(), "sper_x");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(!Config::is_exposed(&path));
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn remembers_an_authority_for_its_endpoint_alone_and_reads_older_files() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("config.toml");
        fs::write(&path, "endpoint = \"https://a\"\nca_file = \"/any.pem\"\ntoken = \"sper_x\"\n").unwrap();
        let mut config = Config::load(&path).unwrap();
        config.remember_ca_file("https://b.example/", Some("/b.pem".into()));
        config.save(&path).unwrap();
        let mut config = Config::load(&path).unwrap();
        assert_eq!(config.ca_file_of("https://b.example"), Some(Path::new("/b.pem")));
        assert_eq!(config.ca_file_of("https://a"), Some(Path::new("/any.pem")));
        config.remember_ca_file("https://b.example", None);
        assert_eq!(config.ca_file_of("https://b.example"), Some(Path::new("/any.pem")));
    }

    #[test]
    fn a_missing_file_counts_as_empty() {
        assert!(Config::load(Path::new("/nonexistent/config.toml")).unwrap().token.is_none());
    }

    #[test]
    fn names_the_line_and_never_shows_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("config.toml");
        for (second, key) in [
            (&b"token = sper_canary"[..], "`token`"),
            (b"tokn = \"sper_canary\"", "`tokn`"),
            (b"organization = \"Bad Org\"", "`organization`"),
            (b"ca_files = 3", "`ca_files`: must be a map"),
            (b"[ca_files]\n\"https://x\" = 3", "`ca_files.\"https://x\"`: must be "),
            (b"token = \"\xff\"", "UTF-8"),
        ] {
            fs::write(&path, [b"endpoint = \"https://e\"\n", second].concat()).unwrap();
            let error = Config::load(&path).unwrap_err().to_string();
            let line = 2 + second.iter().filter(|byte| **byte == b'\n').count();
            assert!(error.contains(&format!("line {line}")) && error.contains(key), "{error}");
            assert!(!error.contains("canary"), "{error}");
        }
        fs::write(&path, "endpoint = \"foo\"\n").unwrap();
        let error = Config::load(&path).unwrap_err().to_string();
        assert!(error.contains("line 1: `endpoint`") && error.contains("expected"), "{error}");
    }
}
