//! The directory that a shell is in, as far as it decides what is loaded there.

use std::io;
use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{SHA256, digest};
use secrets_client::Repository;
use tokio::time::{Instant, timeout_at};

use super::trust::{self, Trusted};
use crate::app::App;
use crate::args::scope::ContextArgs;
use crate::ui::error::{CliError, ExitCode};

/// A `secrets.toml`, and from which service what it names comes.
pub(super) struct Place {
    /// The file, in its directory whatever links lead to that.
    pub(super) path: PathBuf,
    /// Whether it is a link itself, to what may be in a directory of somebody else's.
    pub(super) is_link: bool,
    /// The hash of its bytes, which are those that `context` and `names` were read from.
    digest: String,
    pub(super) endpoint: String,
    organization: String,
    /// Whose variables they are: another profile or token gets others.
    caller: String,
    pub(super) context: ContextArgs,
    /// The secrets that it lists; none for all of the context.
    pub(super) names: Vec<String>,
}

impl Place {
    /// The one of this process's directory, if it is in or below one.
    pub(super) async fn here(app: &App) -> Result<Option<Self>, CliError> {
        let Some(place) = Self::file_here(app)? else { return Ok(None) };
        Ok(Some(Self { organization: app.organization().await?.to_string(), ..place }))
    }

    /// The same for a shell that has loaded something: where the service is asked which organization is meant, and does not say
    /// by the deadline, it is still the one of what is loaded.
    pub(super) async fn of_shell(app: &App, loaded: &str, deadline: Instant) -> Result<Option<Self>, CliError> {
        let Some(place) = Self::file_here(app)? else { return Ok(None) };
        let error = match timeout_at(deadline, app.organization()).await {
            Ok(Ok(organization)) => return Ok(Some(Self { organization: organization.to_string(), ..place })),
            Ok(Err(error)) if error.exit == ExitCode::Unavailable => error,
            Ok(Err(error)) => return Err(error),
            Err(_) => CliError::new(ExitCode::Unavailable, "the service does not say which organization is meant"),
        };
        place.of_loaded(&trust::read(&trust::path(app)?), loaded).map(Some).ok_or(error)
    }

    /// With the organization of what is loaded, if that was this one's, with what is allowed of it.
    fn of_loaded(mut self, trusted: &[Trusted], loaded: &str) -> Option<Self> {
        for entry in trusted {
            self.organization.clone_from(&entry.organization);
            if self.id() == loaded {
                return Some(self);
            }
        }
        None
    }

    /// What can be known without the service.
    fn file_here(app: &App) -> Result<Option<Self>, CliError> {
        let Some(file) = Repository::read(&directory()?)? else { return Ok(None) };
        let repository = file.repository;
        let id = |text: Option<String>| text.unwrap_or_default();
        let context = ContextArgs {
            org: repository.project.is_none() && repository.workspace.is_none(),
            project: id(repository.project.clone()).parse().ok(),
            workspace: id(repository.workspace).parse().ok(),
        };
        Ok(Some(Self {
            path: in_directory(&file.path)?,
            is_link: is_link(&file.path),
            digest: hex(digest(&SHA256, &file.bytes).as_ref()),
            endpoint: app.settings.endpoint.to_string(),
            organization: String::new(),
            caller: caller(app),
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
        let path = self.path.as_os_str().as_encoded_bytes();
        let texts = [&self.digest, &self.endpoint, &self.organization, &self.caller];
        let parts: Vec<&[u8]> = std::iter::once(path).chain(texts.map(String::as_bytes)).collect();
        let text = parts.join(&0);
        hex(digest(&SHA256, &text).as_ref())
    }
}

/// The nearest `secrets.toml`, whatever is in it.
pub(super) fn path_here() -> Result<PathBuf, CliError> {
    let directory = directory()?;
    let found =
        directory.ancestors().map(|above| above.join(Repository::FILE)).find(|path| path.symlink_metadata().is_ok());
    in_directory(
        &found.ok_or_else(|| {
            CliError::new(ExitCode::NotFound, "there is no secrets.toml in this directory or above it")
        })?,
    )
}

/// The one that somebody names, by its own path or its directory's. Neither needs to be there any more.
pub(super) fn path_of(typed: &Path) -> Result<PathBuf, CliError> {
    let failed = |error: io::Error| CliError::usage(format!("`{}`: {error}", typed.display()));
    let path = std::path::absolute(typed).map_err(failed)?;
    let is_file = path.file_name().is_some_and(|name| name == Repository::FILE) && !path.is_dir();
    let file = if is_file { path } else { path.join(Repository::FILE) };
    Ok(in_directory(&file).unwrap_or(file))
}

fn directory() -> Result<PathBuf, CliError> {
    std::env::current_dir().map_err(|error| CliError::new(ExitCode::Failed, format!("this directory: {error}")))
}

/// Where the file is, without the links that lead to its directory. Its own name stays: a link is not what it points to, or
/// whoever makes one in a directory of theirs would have what somebody has allowed for another.
fn in_directory(path: &Path) -> Result<PathBuf, CliError> {
    let failed = |error: io::Error| CliError::new(ExitCode::Failed, format!("`{}`: {error}", path.display()));
    let directory = path.parent().ok_or_else(|| failed(io::ErrorKind::InvalidInput.into()))?;
    Ok(directory.canonicalize().map_err(failed)?.join(Repository::FILE))
}

fn is_link(path: &Path) -> bool {
    path.symlink_metadata().is_ok_and(|metadata| metadata.is_symlink())
}

/// The profile, and the hash of the token.
fn caller(app: &App) -> String {
    let token = app.settings.credential.as_ref().map(|token| digest(&SHA256, token.expose().as_bytes()));
    format!("{} {}", app.settings.profile, token.map(|token| hex(token.as_ref())).unwrap_or_default())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
