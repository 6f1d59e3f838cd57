//! The directory that a shell is in, as far as it decides what is loaded there.

use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{SHA256, digest};
use secrets_client::Repository;

use super::trust::Trusted;
use crate::app::App;
use crate::args::scope::ContextArgs;
use crate::ui::error::{CliError, ExitCode};

/// A `secrets.toml`, and from which service what it names comes.
pub(super) struct Place {
    /// The file itself, whatever links lead to it.
    pub(super) path: PathBuf,
    /// The hash of its bytes, which are those that `context` and `names` were read from.
    digest: String,
    pub(super) endpoint: String,
    organization: String,
    pub(super) context: ContextArgs,
    /// The secrets that it lists; none for all of the context.
    pub(super) names: Vec<String>,
}

impl Place {
    /// The one of this process's directory, if it is in or below one.
    pub(super) async fn here(app: &App) -> Result<Option<Self>, CliError> {
        let Some(file) = Repository::read(&directory()?)? else { return Ok(None) };
        let repository = file.repository;
        let id = |text: Option<String>| text.unwrap_or_default();
        let context = ContextArgs {
            org: repository.project.is_none() && repository.workspace.is_none(),
            project: id(repository.project.clone()).parse().ok(),
            workspace: id(repository.workspace).parse().ok(),
        };
        Ok(Some(Self {
            path: real(&file.path)?,
            digest: hex(digest(&SHA256, &file.bytes).as_ref()),
            endpoint: app.settings.endpoint.to_string(),
            organization: app.organization().await?.to_string(),
            context,
            names: repository.secrets.keys().map(|name| name.as_str().to_owned()).collect(),
        }))
    }

    /// What is asked again when any of it changes.
    pub(super) fn trusted(&self) -> Result<Trusted, CliError> {
        let path = self.path.to_str().ok_or_else(|| {
            CliError::new(ExitCode::Failed, format!("`{}`: the path must be UTF-8", self.path.display()))
        })?;
        Ok(Trusted {
            path: path.to_owned(),
            digest: self.digest.clone(),
            endpoint: self.endpoint.clone(),
            organization: self.organization.clone(),
        })
    }

    /// What a shell remembers of what it has loaded.
    pub(super) fn id(&self) -> String {
        let parts = [self.path.as_os_str().as_encoded_bytes(), self.digest.as_bytes(), self.endpoint.as_bytes()];
        let mut text = parts.join(&0);
        text.push(0);
        text.extend_from_slice(self.organization.as_bytes());
        hex(digest(&SHA256, &text).as_ref())
    }
}

/// The nearest `secrets.toml`, whatever is in it.
pub(super) fn path_here() -> Result<PathBuf, CliError> {
    let directory = directory()?;
    let found = directory.ancestors().map(|above| above.join(Repository::FILE)).find(|path| path.exists());
    real(
        &found.ok_or_else(|| {
            CliError::new(ExitCode::NotFound, "there is no secrets.toml in this directory or above it")
        })?,
    )
}

fn directory() -> Result<PathBuf, CliError> {
    std::env::current_dir().map_err(|error| CliError::new(ExitCode::Failed, format!("this directory: {error}")))
}

fn real(path: &Path) -> Result<PathBuf, CliError> {
    path.canonicalize().map_err(|error| CliError::new(ExitCode::Failed, format!("`{}`: {error}", path.display())))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
