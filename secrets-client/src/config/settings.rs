//! Settings from their sources: the environment, the repository's `secrets.toml`, the user's own configuration.

use std::path::{Path, PathBuf};

use secrecy::ExposeSecret as _;

use super::{Config, ConfigError, Repository};
use crate::client::{Client, ClientBuilder, ConnectError};
use crate::credentials::{Credential, InvalidCredential};
use crate::proxy::{InvalidProxy, Proxy};

/// The default address: a service on this machine.
pub const DEFAULT_ENDPOINT: &str = "http://127.0.0.1:50051";

/// The address of the service, the credential and the default context.
pub struct Settings {
    /// Address of the service.
    pub endpoint: String,
    /// File with a certificate authority to trust beside the system's, if this process was given one; otherwise the user's
    /// configuration may have one for the endpoint.
    pub given_ca_file: Option<PathBuf>,
    /// The proxy that the environment names.
    pub proxy: Result<Option<Proxy>, InvalidProxy>,
    /// The token, if there is one.
    pub credential: Option<Credential>,
    /// The file that the token was read from, where the environment names one.
    pub credential_file: Option<PathBuf>,
    /// Whether the token is the one that a login stored.
    pub signed_in: bool,
    /// The defaults of the environment, of the repository and of the user, the nearest first.
    pub layers: Vec<Defaults>,
    /// The `secrets.toml` of the repository that this process works in; empty without one.
    pub repository: Repository,
    /// The user's own configuration.
    pub config: Config,
    /// The path of the user's own configuration; none without a home directory, as in some containers.
    pub config_path: Option<PathBuf>,
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
        let directory = std::env::current_dir().unwrap_or_default();
        Self::load(|name| std::env::var(name).ok(), &directory)
    }

    /// Reads the settings from an environment, given as a function, and a directory. An empty variable counts as unset.
    pub fn load(variable: impl Fn(&str) -> Option<String>, directory: &Path) -> Result<Self, ConfigError> {
        let variable = |name: &str| variable(name).filter(|value| !value.is_empty());
        let (given, credential_file) = match (variable("SECRETS_TOKEN"), variable("SECRETS_TOKEN_FILE")) {
            (Some(token), _) => (
                Some(Credential::parse(&zeroize::Zeroizing::new(token)).map_err(credential_error("SECRETS_TOKEN"))?),
                None,
            ),
            (None, Some(path)) => {
                let read = Credential::from_file(Path::new(&path)).map_err(credential_error("SECRETS_TOKEN_FILE"))?;
                (Some(read), Some(PathBuf::from(path)))
            }
            (None, None) => (None, None),
        };
        let config_path = Config::path(variable).ok();
        let config = match config_path.as_deref().map(Config::load).transpose() {
            Ok(config) => config.unwrap_or_default(),
            // A sandbox's home may belong to another user; the given token is enough.
            Err(error) if given.is_some() && error.is_inaccessible() => Config::default(),
            Err(error) => return Err(error),
        };
        let signed_in = given.is_none() && config.token.is_some();
        let credential = match (given, &config.token) {
            (Some(credential), _) => Some(credential),
            (None, Some(token)) => Some(
                Credential::parse(token.expose_secret()).map_err(credential_error("token of your configuration"))?,
            ),
            (None, None) => None,
        };

        let environment = Defaults {
            organization: variable("SECRETS_ORGANIZATION"),
            project: variable("SECRETS_PROJECT"),
            workspace: variable("SECRETS_WORKSPACE"),
        };
        let repository = Repository::find(directory)?.map(|(_, repository)| repository).unwrap_or_default();
        let in_repository = Defaults {
            organization: repository.organization.clone(),
            project: repository.project.clone(),
            workspace: repository.workspace.clone(),
        };
        let own = Defaults {
            organization: config.organization.clone(),
            project: config.project.clone(),
            workspace: config.workspace.clone(),
        };
        Ok(Self {
            endpoint: variable("SECRETS_ENDPOINT")
                .or_else(|| config.endpoint.clone())
                .unwrap_or_else(|| DEFAULT_ENDPOINT.to_owned()),
            given_ca_file: variable("SECRETS_CA_FILE").map(PathBuf::from),
            proxy: Proxy::from_variables(variable),
            credential,
            credential_file,
            signed_in,
            layers: vec![environment, in_repository, own],
            repository,
            config,
            config_path,
        })
    }

    /// Returns the file of the certificate authority for the endpoint, if there is one.
    pub fn ca_file(&self) -> Option<&Path> {
        self.given_ca_file.as_deref().or_else(|| self.config.ca_file_of(&self.endpoint))
    }

    /// Starts a client for the endpoint without a credential.
    pub fn connection(&self) -> Result<ClientBuilder, ConnectError> {
        let mut builder = Client::builder(&self.endpoint);
        // Without TLS there are neither certificates nor a proxy.
        if self.endpoint.starts_with("https://") {
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
    /// `SECRETS_TOKEN_FILE`, `SECRETS_CA_FILE`, else `$XDG_CONFIG_HOME/secrets/config.toml`.
    pub fn from_environment() -> Result<Self, EnvironmentError> {
        Ok(Settings::from_environment()?.client()?.build()?)
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
mod tests {
    use super::*;

    fn defaults(organization: &str, project: &str, workspace: &str) -> Defaults {
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Defaults { organization: some(organization), project: some(project), workspace: some(workspace) }
    }

    fn settings(directory: &Path, pairs: &[(&str, &str)]) -> Result<Settings, ConfigError> {
        let home = directory.display().to_string();
        let variable = |name: &str| match name {
            "XDG_CONFIG_HOME" => Some(home.clone()),
            name => pairs.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned()),
        };
        Settings::load(variable, directory)
    }

    #[test]
    fn defaults_to_this_machine_without_a_token() {
        let directory = tempfile::tempdir().unwrap();
        let settings = settings(directory.path(), &[("SECRETS_TOKEN", ""), ("SECRETS_ENDPOINT", "")]).unwrap();
        assert_eq!(settings.endpoint, DEFAULT_ENDPOINT);
        assert!(settings.credential.is_none() && !settings.signed_in);
    }

    #[test]
    fn prefers_the_environment_to_the_users_configuration() {
        let directory = tempfile::tempdir().unwrap();
        let config = Config {
            endpoint: Some("http://config:1".into()),
            organization: Some("acme".into()),
            token: Some("sper_config".into()),
            ..Config::default()
        };
        config.save(&directory.path().join("secrets/config.toml")).unwrap();
        let token = |settings: &Settings| settings.credential.as_ref().unwrap().expose().to_owned();

        let own = settings(directory.path(), &[]).unwrap();
        assert_eq!(
            (own.endpoint.as_str(), token(&own).as_str(), own.signed_in),
            ("http://config:1", "sper_config", true)
        );

        let file = directory.path().join("token");
        std::fs::write(&file, "sopr_file\n").unwrap();
        let file = file.display().to_string();
        let given = settings(directory.path(), &[("SECRETS_TOKEN_FILE", &file), ("SECRETS_ENDPOINT", "http://env:1")]);
        let given = given.unwrap();
        assert_eq!(
            (given.endpoint.as_str(), token(&given).as_str(), given.signed_in),
            ("http://env:1", "sopr_file", false)
        );

        let both = settings(directory.path(), &[("SECRETS_TOKEN_FILE", &file), ("SECRETS_TOKEN", "sses_env")]).unwrap();
        assert_eq!(token(&both), "sses_env");
    }

    #[test]
    fn needs_no_home_directory_when_a_token_is_given() {
        let directory = tempfile::tempdir().unwrap();
        let settings = Settings::load(|name| (name == "SECRETS_TOKEN").then(|| "sses_x".to_owned()), directory.path());
        assert!(settings.unwrap().config_path.is_none());
        let below_a_file = |name: &str| match name {
            "SECRETS_TOKEN" => Some("sses_x".to_owned()),
            "HOME" => Some("/dev/null".to_owned()),
            _ => None,
        };
        assert!(Settings::load(below_a_file, directory.path()).unwrap().credential.is_some());
    }

    #[test]
    fn names_the_token_file_that_is_missing() {
        let directory = tempfile::tempdir().unwrap();
        let error = settings(directory.path(), &[("SECRETS_TOKEN_FILE", "/nonexistent/token")]).err().unwrap();
        assert!(error.to_string().contains("/nonexistent/token"), "{error}");
    }

    #[test]
    fn takes_project_and_workspace_from_one_layer() {
        let layers = [defaults("", "api", ""), defaults("acme", "web", "ws1")];
        assert_eq!(Defaults::merged(&layers), defaults("acme", "api", ""));
        let layers = [defaults("acme", "", ""), defaults("", "", "ws1"), defaults("acme", "web", "")];
        assert_eq!(Defaults::merged(&layers), defaults("acme", "", "ws1"));
    }

    #[test]
    fn takes_nothing_from_a_layer_of_another_organization() {
        let layers = [defaults("other", "", ""), defaults("acme", "api", "ws1"), defaults("other", "web", "")];
        assert_eq!(Defaults::merged(&layers), defaults("other", "web", ""));
    }
}
