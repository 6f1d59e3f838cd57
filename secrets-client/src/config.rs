//! The user's own configuration file, and the sources of settings.
//!
//! To add a setting: a field of [`Profile`] or, where it is the same for all of them, of [`Config`], its line in
//! `config/content.rs` and in [`Settings::load`], and a key in the command line's `command/config.rs`.

mod content;
mod file;
mod profile;
pub mod repository;
pub mod settings;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use self::content::Content;
use self::file::read;
pub use self::profile::{
    InvalidKeyringItem, InvalidProfileName, KeyringItem, Profile, ProfileName, StoredToken, TokenLocation,
};
pub use self::repository::{DeclaredSecret, Repository};
pub use self::settings::{Choice, Defaults, EnvironmentError, Settings};
use crate::credentials::InvalidCredential;
use crate::endpoint::{Endpoint, InvalidEndpoint};
use crate::private_file::Draft;

/// More than a profile takes, in bytes: a token of the greatest length, and names and addresses.
const MAX_PROFILE_BYTES: usize = 16 * 1024;

/// The user's settings: `$XDG_CONFIG_HOME/secrets/config.toml`, readable by its owner alone.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// The profile that is used when none is named.
    pub profile: ProfileName,
    /// The profiles.
    pub profiles: BTreeMap<ProfileName, Profile>,
    /// File with a certificate authority to trust beside the system's, for endpoints without one of their own.
    pub ca_file: Option<PathBuf>,
    /// What holds for an endpoint, whichever profile uses it.
    pub endpoints: BTreeMap<Endpoint, EndpointConfig>,
}

/// What the user has decided about an endpoint.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EndpointConfig {
    /// File with a certificate authority to trust beside the system's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<PathBuf>,
    /// Whether it may be reached without TLS although it is on another machine.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub insecure: bool,
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
    /// An endpoint is not valid.
    #[error("invalid endpoint in {origin}: {error}")]
    Endpoint {
        /// The variable that names it.
        origin: &'static str,
        /// What is wrong with it.
        error: InvalidEndpoint,
    },
    /// The name of a profile is not valid.
    #[error("{origin}: {error}")]
    ProfileName {
        /// The variable that holds it.
        origin: &'static str,
        /// What is wrong with it.
        error: InvalidProfileName,
    },
    /// The token is where the library does not read it.
    #[error(
        "the token of profile `{name}` is in the desktop's keyring, which the `secrets` command alone reads: set SECRETS_TOKEN, or sign \
         in without --keyring"
    )]
    InKeyring {
        /// The profile.
        name: ProfileName,
    },
    /// There is no such profile.
    #[error("there is no profile `{name}`; `secrets login --profile {name}` creates it")]
    NoSuchProfile {
        /// Its name.
        name: ProfileName,
    },
}

impl ConfigError {
    /// Whether the file is, or would be, out of this user's reach.
    fn is_inaccessible(&self) -> bool {
        use std::io::ErrorKind::{NotADirectory, PermissionDenied};
        matches!(self, Self::File { error, .. } if matches!(error.kind(), NotADirectory | PermissionDenied))
    }
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
        Ok(read::<Content>(path)?.map(Self::from).unwrap_or_default())
    }

    /// Replaces the file in one step, readable by its owner alone.
    pub fn save(&self, path: &Path) -> Result<(), ConfigError> {
        let draft = Self::draft(path)?;
        self.save_as(draft, path)
    }

    /// Replaces the file by a draft that was made for it.
    pub fn save_as(&self, draft: Draft, path: &Path) -> Result<(), ConfigError> {
        let text = self.to_text(path)?;
        draft.commit(text.as_bytes()).map_err(|error| ConfigError::File { path: path.to_owned(), error })
    }

    /// Makes sure that a token can be stored, before there is one: takes space on the disk for the file with it.
    pub fn reserve(&self, path: &Path) -> Result<Draft, ConfigError> {
        let mut draft = Self::draft(path)?;
        let bytes = self.to_text(path)?.len() + MAX_PROFILE_BYTES;
        draft.reserve(bytes).map_err(|error| ConfigError::File { path: path.to_owned(), error })?;
        Ok(draft)
    }

    fn draft(path: &Path) -> Result<Draft, ConfigError> {
        let failed = |error| ConfigError::File { path: path.to_owned(), error };
        if let Some(directory) = path.parent() {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(failed)?;
        }
        Draft::create(path).map_err(failed)
    }

    fn to_text(&self, path: &Path) -> Result<Zeroizing<String>, ConfigError> {
        toml::to_string(&Content::from(self)).map(Zeroizing::new).map_err(|error| ConfigError::Syntax {
            path: path.to_owned(),
            line: None,
            problem: error.to_string(),
        })
    }

    /// Returns the file of the certificate authority for an endpoint.
    pub fn ca_file_of(&self, endpoint: &Endpoint) -> Option<&Path> {
        let own = self.endpoints.get(endpoint).and_then(|known| known.ca_file.as_ref());
        own.or(self.ca_file.as_ref()).map(PathBuf::as_path)
    }

    /// Remembers the file of the certificate authority for an endpoint, or that the system's authorities are enough there.
    pub fn remember_ca_file(&mut self, endpoint: &Endpoint, file: Option<PathBuf>) {
        self.change_endpoint(endpoint, |known| known.ca_file = file);
    }

    /// Whether an endpoint on another machine may be reached without TLS.
    pub fn allows_insecure(&self, endpoint: &Endpoint) -> bool {
        self.endpoints.get(endpoint).is_some_and(|known| known.insecure)
    }

    /// Remembers whether an endpoint on another machine may be reached without TLS.
    pub fn remember_insecure(&mut self, endpoint: &Endpoint, insecure: bool) {
        self.change_endpoint(endpoint, |known| known.insecure = insecure);
    }

    fn change_endpoint(&mut self, endpoint: &Endpoint, change: impl FnOnce(&mut EndpointConfig)) {
        let mut known = self.endpoints.remove(endpoint).unwrap_or_default();
        change(&mut known);
        if known != EndpointConfig::default() {
            self.endpoints.insert(endpoint.clone(), known);
        }
    }

    /// Whether anybody but its owner may read the file.
    pub fn is_exposed(path: &Path) -> bool {
        fs::metadata(path).is_ok_and(|file| file.permissions().mode() & 0o077 != 0)
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

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
        let endpoint = |text: &str| text.parse::<Endpoint>().unwrap();
        let token = StoredToken { token: "sper_x".into(), endpoint: endpoint("http://[::1]:1"), principal: None };
        let profile = |at: &str, token| Profile {
            endpoint: Some(endpoint(at)),
            organization: Some("acme".into()),
            token,
            ..Profile::default()
        };
        let lab: ProfileName = "lab".parse().unwrap();
        let mut config = Config { profile: lab.clone(), ..Config::default() };
        config.profiles.insert(ProfileName::default(), profile("http://127.0.0.1:1", Some(token)));
        config.profiles.insert(lab.clone(), profile("http://10.0.0.5:1", None));
        config.remember_insecure(&endpoint("http://10.0.0.5:1"), true);
        config.save(&path).unwrap();
        config.save(&path).unwrap();
        let read = Config::load(&path).unwrap();
        assert_eq!((&read.profile, read.profiles.len(), &read.endpoints), (&lab, 2, &config.endpoints));
        let own = &read.profiles[&ProfileName::default()];
        assert_eq!(
            (own.endpoint.clone(), own.organization.as_deref()),
            (Some(endpoint("http://127.0.0.1:1")), Some("acme"))
        );
        let stored = own.token.as_ref().unwrap();
        assert_eq!(stored.in_file().unwrap().expose_secret(), "sper_x");
        assert_eq!(stored.endpoint, endpoint("http://[::1]:1"));
        assert!(
            fs::read_to_string(&path).unwrap().starts_with("profile = \"lab\"\nendpoint = \"http://127.0.0.1:1\"\n")
        );
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(!Config::is_exposed(&path));
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn remembers_an_authority_for_its_endpoint_alone() {
        let endpoint = |text: &str| text.parse::<Endpoint>().unwrap();
        let mut config = Config { ca_file: Some("/any.pem".into()), ..Config::default() };
        config.remember_ca_file(&endpoint("https://b.example/"), Some("/b.pem".into()));
        assert_eq!(config.ca_file_of(&endpoint("https://b.example")), Some(Path::new("/b.pem")));
        assert_eq!(config.ca_file_of(&endpoint("https://a.example")), Some(Path::new("/any.pem")));
        config.remember_ca_file(&endpoint("https://b.example"), None);
        assert_eq!(config.ca_file_of(&endpoint("https://b.example")), Some(Path::new("/any.pem")));
        assert!(config.endpoints.is_empty());
    }

    #[test]
    fn a_token_without_an_endpoint_of_its_own_was_made_at_the_one_beside_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("config.toml");
        for (text, endpoint) in [
            ("endpoint = \"https://a.example\"\ntoken = \"sper_x\"\n", "https://a.example"),
            ("token = \"sper_x\"\n", crate::endpoint::DEFAULT_ENDPOINT),
        ] {
            fs::write(&path, text).unwrap();
            let mut config = Config::load(&path).unwrap();
            let own = config.profiles.get_mut(&ProfileName::default()).unwrap();
            own.endpoint = Some("https://b.example".parse().unwrap());
            config.save(&path).unwrap();
            let own = Config::load(&path).unwrap().profiles.remove(&ProfileName::default()).unwrap();
            assert_eq!(own.token.unwrap().endpoint.as_str(), endpoint);
        }
    }

    #[test]
    fn a_profile_says_that_its_token_is_in_the_keyring() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("config.toml");
        let item = KeyringItem::random();
        let endpoint: Endpoint = "https://a.example".parse().unwrap();
        let token = StoredToken { token: TokenLocation::Keyring(item.clone()), endpoint, principal: None };
        let mut config = Config::default();
        for name in [ProfileName::default(), "lab".parse().unwrap()] {
            config.profiles.insert(name, Profile { token: Some(token.clone()), ..Profile::default() });
        }
        config.save(&path).unwrap();
        assert!(!fs::read_to_string(&path).unwrap().contains("\ntoken"));
        for (name, profile) in Config::load(&path).unwrap().profiles {
            let stored = profile.token.unwrap();
            assert_eq!(stored.keyring_item(), Some(&item), "{name}");
            assert!(stored.in_file().is_none());
        }
        fs::write(&path, "keyring_item = \"../sper_canary\"\n").unwrap();
        let error = Config::load(&path).unwrap_err().to_string();
        assert!(error.contains("`keyring_item`: must be a UUID") && !error.contains("canary"), "{error}");
    }

    #[test]
    fn a_missing_file_counts_as_empty() {
        assert!(Config::load(Path::new("/nonexistent/config.toml")).unwrap().profiles.is_empty());
    }

    #[test]
    fn names_the_line_and_never_shows_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("config.toml");
        for (second, key) in [
            (&b"token = sper_canary"[..], "`token`"),
            (b"tokn = \"sper_canary\"", "`tokn`"),
            (b"organization = \"Bad Org\"", "`organization`"),
            (b"endpoints = 3", "`endpoints`: must be a map"),
            (b"[endpoints]\n\"https://x\" = 3", "`endpoints.\"https://x\"`: must be "),
            (b"[endpoints.\"https://x\"]\ninsecure = \"canary\"", "insecure`: must be a boolean"),
            (b"[profiles.lab]\ntoken = [\"canary\"]", "`profiles.lab.token`: must be a string"),
            (b"[profiles.lab]\nendpoint = \"https://bob:canary@x\"", "`profiles.lab.endpoint`: must not have a user"),
            (b"signed_in_at = \"https://x/canary\"", "`signed_in_at`: must not have a path"),
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
