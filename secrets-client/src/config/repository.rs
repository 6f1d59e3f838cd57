//! `secrets.toml`, the file in a repository that names its default context and the secrets that it needs.
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
use std::path::{Path, PathBuf};

use secrets_core::{InvalidSecretId, NamePolicy, OrganizationId, ProjectId, SecretId, WorkspaceId};
use serde::Deserialize;

use super::ConfigError;
use super::file::{identifier, read};

/// What a repository says of its context and its needs. It names no address and no token: whoever can write to a repository must not
/// learn the token of whoever works in it.
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
    /// The secrets that it needs.
    #[serde(default)]
    pub secrets: BTreeMap<Name, Need>,
}

/// The name of a secret, as it may stand in any organization.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct Name(SecretId);

/// What a repository needs a secret for. Never its value: whoever can read the repository would have it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(
    deny_unknown_fields,
    expecting = "a table with `description` and `required`: a secret's value does not belong in this file"
)]
pub struct Need {
    /// What it is for and where to get one, for whoever is asked to set it.
    pub description: Option<String>,
    /// Whether a program is not started without it; it is, unless this says `false`.
    #[serde(default = "yes")]
    pub required: bool,
}

impl Repository {
    /// The name of the file.
    pub const FILE: &str = "secrets.toml";

    /// Reads the nearest `secrets.toml`, in `folder` or above it, if there is one.
    pub fn find(folder: &Path) -> Result<Option<(PathBuf, Self)>, ConfigError> {
        for folder in folder.ancestors() {
            let path = folder.join(Self::FILE);
            if let Some(repository) = read::<Self>(&path)? {
                return Ok(Some((path, repository)));
            }
        }
        Ok(None)
    }

    /// Names of the secrets without which no program is started.
    pub fn required(&self) -> impl Iterator<Item = &str> {
        self.secrets.iter().filter(|(_, need)| need.required).map(|(name, _)| name.as_str())
    }

    /// What it says of a secret.
    pub fn need(&self, secret_id: &str) -> Option<&Need> {
        self.secrets.iter().find(|(name, _)| name.as_str() == secret_id).map(|(_, need)| need)
    }
}

impl Name {
    /// The name as it is written.
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

const fn yes() -> bool {
    true
}

#[cfg(test)]
mod tests {
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
    fn refuses_an_address_and_a_token() {
        let folder = tempfile::tempdir().unwrap();
        for line in ["endpoint = \"http://example.com\"", "token = \"sper_x\""] {
            std::fs::write(folder.path().join("secrets.toml"), line).unwrap();
            assert!(matches!(Repository::find(folder.path()), Err(ConfigError::Syntax { line: Some(1), .. })));
        }
    }

    #[test]
    fn names_what_it_needs() {
        let folder = tempfile::tempdir().unwrap();
        let text = "project = \"api\"\n[secrets.B]\n[secrets.A]\ndescription = \"for it\"\n\
                    [secrets]\nC = { required = false }\n";
        std::fs::write(folder.path().join("secrets.toml"), text).unwrap();
        let repository = Repository::find(folder.path()).unwrap().unwrap().1;
        assert_eq!(repository.required().collect::<Vec<_>>(), ["A", "B"]);
        assert_eq!(repository.need("A").unwrap().description.as_deref(), Some("for it"));
        assert_eq!((repository.need("C").unwrap().required, repository.need("D")), (false, None));
    }

    #[test]
    fn names_line_and_key_of_what_is_wrong_and_never_shows_a_value() {
        let folder = tempfile::tempdir().unwrap();
        for (text, line, named) in [
            ("[secrets]\nA = \"canary\"\n", 2, "`secrets.A`: must be a table with `description` and `required`"),
            ("project = \"api\"\n\n[secrets.A]\ndescripton = \"canary\"\n", 4, "`secrets.A.descripton`: unknown field"),
            ("[secrets.A]\nrequired = \"canary\"\n", 2, "`secrets.A.required`: must be a boolean"),
            ("[secrets.B]\n[secrets.linear-api-key]\n", 2, "`LINEAR_API_KEY` would"),
            ("[secrets.A]\n[secrets.A]\n", 2, "`secrets.A`: duplicate key"),
            ("project = \"api\"\nworkspace = [\"canary\"]\n", 2, "`workspace`: must be a string"),
            ("project = \"api\"\nworkspace = canary\n", 2, "`workspace`: "),
            ("project = \"api\"\nworkspace = \"Ws_1\"\n", 2, "`workspace`: "),
            ("[[secrets]]\n", 1, "`secrets`: must be a map"),
            ("project = \"api\"\n[secrets.A\n", 2, "`secrets.A`: "),
        ] {
            std::fs::write(folder.path().join("secrets.toml"), text).unwrap();
            let error = Repository::find(folder.path()).unwrap_err().to_string();
            let begins = format!("secrets.toml` line {line}: ");
            assert!(error.contains(&begins) && error.contains(named) && !error.contains("canary"), "{text}{error}");
        }
    }
}
