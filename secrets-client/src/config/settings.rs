//! Settings from their sources: the environment, the repository's `secrets.toml`, the user's own configuration.

use std::path::{Path, PathBuf};

use secrecy::ExposeSecret as _;

use super::{Config, ConfigError, KeyringItem, Profile, ProfileName, Repository, StoredToken};
use crate::client::{Client, ClientBuilder, ConnectError};
use crate::credentials::{Credential, InvalidCredential};
use crate::endpoint::Endpoint;
use crate::proxy::{InvalidProxy, Proxy};

/// The address of the service, the credential and the default context.
pub struct Settings {
    /// Address of the service.
    pub endpoint: Endpoint,
    /// Whether this process may reach it without TLS although it is on another machine; otherwise the user's configuration may
    /// allow it.
    pub given_insecure: bool,
    /// File with a certificate authority to trust beside the system's, if this process was given one; otherwise the user's
    /// configuration may have one for the endpoint.
    pub given_ca_file: Option<PathBuf>,
    /// The proxy that the environment names.
    pub proxy: Result<Option<Proxy>, InvalidProxy>,
    /// The token, if there is one and it is not in the desktop's keyring.
    pub credential: Option<Credential>,
    /// The item of the desktop's keyring that holds the token, if a login has put it there and nothing else is used instead.
    /// Nothing here reads it: whoever does sets `credential`.
    pub keyring_item: Option<KeyringItem>,
    /// The file that the token was read from, where the environment names one.
    pub credential_file: Option<PathBuf>,
    /// Whether the token is the one that a login stored: at this endpoint, since it is sent to no other.
    pub signed_in: bool,
    /// The defaults of the environment, of the repository and of the user, the nearest first.
    pub layers: Vec<Defaults>,
    /// The `secrets.toml` of the repository that this process works in; empty without one.
    pub repository: Repository,
    /// The path of that file.
    pub repository_path: Option<PathBuf>,
    /// The profile that is used.
    pub profile: ProfileName,
    /// The user's own configuration.
    pub config: Config,
    /// The path of the user's own configuration; none without a home directory, as in some containers.
    pub config_path: Option<PathBuf>,
}

/// What whoever starts this process has chosen, before the environment and the configuration have their say.
#[derive(Clone, Debug, Default)]
pub struct Choice {
    /// The profile. Its endpoint and its token are used then, and not the environment's.
    pub profile: Option<ProfileName>,
    /// Address of the service.
    pub endpoint: Option<Endpoint>,
    /// Whether it may be reached without TLS although it is on another machine.
    pub insecure: bool,
    /// Whether the profile may be one that does not exist, because it is about to be created.
    pub new_profile: bool,
}

/// Why a client can't be built from the environment.
#[derive(Debug, thiserror::Error)]
pub enum EnvironmentError {
    /// The configuration can't be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The client can't be built.
    #[error(transparent)]
    Connect(#[from] ConnectError),
}

/// The default context of one source.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Defaults {
    /// Identifier of an organization.
    pub organization: Option<String>,
    /// Identifier of a project.
    pub project: Option<String>,
    /// Identifier of a workspace.
    pub workspace: Option<String>,
}

impl Settings {
    /// Reads the settings of this process: its environment, its directory and its user's configuration.
    pub fn from_environment() -> Result<Self, ConfigError> {
        Self::from_environment_with(Choice::default())
    }

    /// Reads the settings of this process, where something has been chosen.
    pub fn from_environment_with(choice: Choice) -> Result<Self, ConfigError> {
        let directory = std::env::current_dir().unwrap_or_default();
        Self::load(choice, |name| std::env::var(name).ok(), &directory)
    }

    /// Reads the settings from an environment, given as a function, and a directory. An empty variable counts as unset.
    pub fn load(
        choice: Choice,
        variable: impl Fn(&str) -> Option<String>,
        directory: &Path,
    ) -> Result<Self, ConfigError> {
        let variable = |name: &str| variable(name).filter(|value| !value.is_empty());
        let chose_profile = choice.profile.is_some();
        let given = if chose_profile { Given::default() } else { Given::from_variables(variable)? };
        let config_path = Config::path(variable).ok();
        let config = match config_path.as_deref().map(Config::load).transpose() {
            Ok(config) => config.unwrap_or_default(),
            // A sandbox's home may belong to another user; the given token is enough.
            Err(error) if given.credential.is_some() && error.is_inaccessible() => Config::default(),
            Err(error) => return Err(error),
        };
        let (profile, own) = profile(&choice, variable, &config)?;
        let in_environment = || endpoint(variable);
        let endpoint = match (choice.endpoint, &own.endpoint) {
            (Some(endpoint), _) => endpoint,
            (None, Some(endpoint)) if chose_profile => endpoint.clone(),
            (None, configured) => in_environment()?.or_else(|| configured.clone()).unwrap_or_default(),
        };
        let own_token = own.token_for(&endpoint).filter(|_| given.credential.is_none());
        let (signed_in, keyring_item) = (own_token.is_some(), own_token.and_then(StoredToken::keyring_item).cloned());
        let stored = own.token_for(&endpoint).and_then(StoredToken::in_file);
        let stored = stored.map(|token| Credential::parse(token.expose_secret())).transpose();
        let stored = stored.map_err(credential_error("token of your configuration"))?;

        let environment = Defaults {
            organization: variable("SECRETS_ORGANIZATION"),
            project: variable("SECRETS_PROJECT"),
            workspace: variable("SECRETS_WORKSPACE"),
        };
        let (repository_path, repository) = Repository::find(directory)?.unzip();
        let repository = repository.unwrap_or_default();
        let in_repository = Defaults {
            organization: repository.organization.clone(),
            project: repository.project.clone(),
            workspace: repository.workspace.clone(),
        };
        let configured = Defaults { organization: own.organization, project: own.project, workspace: own.workspace };
        Ok(Self {
            endpoint,
            given_insecure: choice.insecure || variable("SECRETS_INSECURE").as_deref() == Some("1"),
            given_ca_file: variable("SECRETS_CA_FILE").map(PathBuf::from),
            proxy: Proxy::from_variables(variable),
            credential: given.credential.or(stored),
            keyring_item,
            credential_file: given.file,
            signed_in,
            layers: vec![environment, in_repository, configured],
            repository,
            repository_path,
            profile,
            config,
            config_path,
        })
    }

    /// Returns the settings of the profile that is used; none if there are none yet.
    pub fn own(&self) -> Option<&Profile> {
        self.config.profiles.get(&self.profile)
    }

    /// Whether the endpoint may be reached without TLS although it is on another machine.
    pub fn is_insecure(&self) -> bool {
        self.given_insecure || self.config.allows_insecure(&self.endpoint)
    }

    /// Returns the file of the certificate authority for the endpoint, if there is one.
    pub fn ca_file(&self) -> Option<&Path> {
        self.given_ca_file.as_deref().or_else(|| self.config.ca_file_of(&self.endpoint))
    }

    /// Starts a client for the endpoint without a credential.
    pub fn connection(&self) -> Result<ClientBuilder, ConnectError> {
        let mut builder = Client::builder(self.endpoint.as_str());
        if self.is_insecure() {
            builder = builder.insecure();
        }
        // Without TLS there are neither certificates nor a proxy.
        if self.endpoint.is_tls() {
            builder = builder.proxy(self.proxy.clone()?);
            if let Some(path) = self.ca_file() {
                builder = builder.certificate_authority_file(path)?;
            }
        }
        Ok(builder)
    }

    /// Starts a client with these settings.
    pub fn client(&self) -> Result<ClientBuilder, ConnectError> {
        let mut builder = self.connection()?;
        if let Some(credential) = &self.credential {
            builder = builder.credential(credential.clone());
        }
        Ok(builder)
    }
}

impl Client {
    /// Builds a client from the environment and the user's configuration: `SECRETS_ENDPOINT`, `SECRETS_TOKEN` or
    /// `SECRETS_TOKEN_FILE`, `SECRETS_CA_FILE`, `SECRETS_INSECURE`, `SECRETS_PROFILE`, else `$XDG_CONFIG_HOME/secrets/config.toml`.
    pub fn from_environment() -> Result<Self, EnvironmentError> {
        let settings = Settings::from_environment()?;
        if settings.keyring_item.is_some() {
            return Err(ConfigError::InKeyring { name: settings.profile }.into());
        }
        Ok(settings.client()?.build()?)
    }
}

/// The token that the environment brings along.
#[derive(Default)]
struct Given {
    credential: Option<Credential>,
    /// The file that it was read from.
    file: Option<PathBuf>,
}

impl Given {
    fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        if let Some(token) = variable("SECRETS_TOKEN").map(zeroize::Zeroizing::new) {
            let credential = Credential::parse(&token).map_err(credential_error("SECRETS_TOKEN"))?;
            return Ok(Self { credential: Some(credential), file: None });
        }
        let Some(path) = variable("SECRETS_TOKEN_FILE").map(PathBuf::from) else { return Ok(Self::default()) };
        let credential = Credential::from_file(&path).map_err(credential_error("SECRETS_TOKEN_FILE"))?;
        Ok(Self { credential: Some(credential), file: Some(path) })
    }
}

/// The endpoint that the environment names, if it names one.
fn endpoint(variable: impl Fn(&str) -> Option<String>) -> Result<Option<Endpoint>, ConfigError> {
    const NAME: &str = "SECRETS_ENDPOINT";
    let parsed = variable(NAME).map(|text| text.parse()).transpose();
    parsed.map_err(|error| ConfigError::Endpoint { origin: NAME, error })
}

/// The profile that is used, and its settings.
fn profile(
    choice: &Choice,
    variable: impl Fn(&str) -> Option<String>,
    config: &Config,
) -> Result<(ProfileName, Profile), ConfigError> {
    const NAME: &str = "SECRETS_PROFILE";
    let named = variable(NAME).filter(|_| choice.profile.is_none()).map(|text| text.parse()).transpose();
    let named = named.map_err(|error| ConfigError::ProfileName { origin: NAME, error })?;
    let name = choice.profile.clone().or(named).unwrap_or_else(|| config.profile.clone());
    match config.profiles.get(&name) {
        Some(profile) => Ok((name, profile.clone())),
        None if choice.new_profile || name.is_default() => Ok((name, Profile::default())),
        None => Err(ConfigError::NoSuchProfile { name }),
    }
}

/// The error for a token that is not valid.
fn credential_error(origin: &'static str) -> impl Fn(InvalidCredential) -> ConfigError {
    move |error| ConfigError::Credential { origin, error }
}

impl Defaults {
    /// Merges layers, the nearest first. A project and a workspace come from one layer together, and only from a layer that
    /// names the organization which the nearer ones chose, or none.
    pub fn merged<'a>(layers: impl IntoIterator<Item = &'a Self>) -> Self {
        let mut merged = Self::default();
        for layer in layers {
            let other_organization =
                matches!((&merged.organization, &layer.organization), (Some(a), Some(b)) if a != b);
            if other_organization {
                continue;
            }
            if merged.project.is_none() && merged.workspace.is_none() {
                merged.project.clone_from(&layer.project);
                merged.workspace.clone_from(&layer.workspace);
            }
            if merged.organization.is_none() {
                merged.organization.clone_from(&layer.organization);
            }
        }
        merged
    }
}

#[cfg(test)]
mod tests;
