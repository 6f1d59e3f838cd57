//! `secrets.toml`, the file in a repository that names its default context.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::{ConfigError, read};

/// What a repository says of its context. It names no address and no token: whoever can write to a repository must not
/// learn the token of whoever works in it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Repository {
    /// The organization.
    pub organization: Option<String>,
    /// The project.
    pub project: Option<String>,
    /// The workspace.
    pub workspace: Option<String>,
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
}
