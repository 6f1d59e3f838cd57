//! The caller's own files of registry logins: Docker's configuration, and where podman and skopeo look.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::CONFIG_FILE;
use crate::delivery::home;
use crate::delivery::runtime_dir::is_own;
use crate::ui::error::{CliError, ExitCode};

/// More than anybody's logins take.
const MAX_FILE_BYTES: u64 = 1024 * 1024;

/// Which files are the caller's.
#[derive(Debug, Default)]
pub(crate) struct UserFiles {
    /// The directory of Docker's configuration: `DOCKER_CONFIG`, else `~/.docker`.
    pub(super) docker: Option<PathBuf>,
    /// What podman and skopeo read before that, in their order.
    auth_files: Vec<AuthFile>,
}

#[derive(Debug)]
struct AuthFile {
    path: PathBuf,
    /// The caller named it; otherwise one that the caller may not read is none.
    is_named: bool,
}

/// What the caller's files hold. A file that is not there is none.
pub(super) struct UserConfigs {
    pub(super) docker: Option<Map<String, Value>>,
    /// The others in podman's order, Docker's last.
    pub(super) auth_files: Vec<Map<String, Value>>,
}

impl UserFiles {
    pub(crate) fn from_environment() -> Self {
        Self::new(home(), |name| std::env::var_os(name))
    }

    /// Docker's configuration alone.
    #[cfg(test)]
    pub(in crate::delivery) fn docker_alone(directory: PathBuf) -> Self {
        Self { docker: Some(directory), auth_files: Vec::new() }
    }

    /// The files in `containers-auth.json(5)`; of its `/run/containers/UID`, podman's default without a session.
    fn new(home: Option<PathBuf>, variable: impl Fn(&str) -> Option<OsString>) -> Self {
        let variable = |name: &str| variable(name).filter(|value| !value.is_empty());
        let absolute = |name: &str| variable(name).and_then(|path| std::path::absolute(path).ok());
        let user = rustix::process::geteuid().as_raw();
        let session = match variable("XDG_RUNTIME_DIR").map(PathBuf::from) {
            Some(directory) => Some(directory).filter(|directory| directory.is_absolute() && is_own(directory, user)),
            None => Some(format!("/run/containers/{user}").into()),
        };
        let session = session.map(|directory| match variable("XDG_RUNTIME_DIR") {
            Some(_) => directory.join("containers/auth.json"),
            None => directory.join("auth.json"),
        });
        let config_home = absolute("XDG_CONFIG_HOME").or_else(|| Some(home.as_deref()?.join(".config")));
        let config = config_home.map(|directory| directory.join("containers/auth.json"));
        let named = absolute("REGISTRY_AUTH_FILE").map(|path| AuthFile { path, is_named: true });
        let usual = [session, config].into_iter().flatten().map(|path| AuthFile { path, is_named: false });
        Self {
            docker: absolute("DOCKER_CONFIG").or_else(|| Some(home?.join(".docker"))),
            auth_files: named.into_iter().chain(usual).collect(),
        }
    }

    pub(super) fn read(&self) -> Result<UserConfigs, CliError> {
        let mut auth_files = Vec::new();
        for file in &self.auth_files {
            match read_object(&file.path) {
                Ok(content) => auth_files.extend(content),
                Err(ReadError::Denied(_)) if !file.is_named => {}
                Err(error) => {
                    let message = format!("your registry logins in `{}` can't be merged: {error}", file.path.display());
                    let hint = match file.is_named {
                        true => "REGISTRY_AUTH_FILE names it; repair it, or name another one",
                        false => "podman and skopeo read it too; repair it, or move it away",
                    };
                    return Err(CliError::new(ExitCode::Failed, message).hint(hint));
                }
            }
        }
        let docker = match &self.docker {
            Some(directory) => read_docker(directory)?,
            None => None,
        };
        auth_files.extend(docker.clone());
        Ok(UserConfigs { docker, auth_files })
    }
}

fn read_docker(directory: &Path) -> Result<Option<Map<String, Value>>, CliError> {
    let path = directory.join(CONFIG_FILE);
    read_object(&path).map_err(|error| {
        let message = format!("your Docker configuration `{}` can't be merged: {error}", path.display());
        CliError::new(ExitCode::Failed, message)
            .hint("repair it, or name the directory of another one in DOCKER_CONFIG")
    })
}

/// Why a file can't be read. What is in it may be a credential, and is never part of it.
#[derive(Debug, thiserror::Error)]
pub(super) enum ReadError {
    #[error("{0}")]
    Denied(io::Error),
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("it must be a regular file of at most {} KiB", MAX_FILE_BYTES / 1024)]
    Kind,
    #[error("line {0} is no JSON object")]
    Syntax(usize),
}

/// The JSON object in the file at `path`; none if there is no file, or an empty one. Links are followed, as its readers do.
pub(super) fn read_object(path: &Path) -> Result<Option<Map<String, Value>>, ReadError> {
    // Opening must not wait, for instance for the writer of a pipe.
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = match rustix::fs::open(path, flags, Mode::empty()).map_err(io::Error::from) {
        Ok(file) => File::from(file),
        Err(error) => {
            return match error.kind() {
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Ok(None),
                io::ErrorKind::PermissionDenied => Err(ReadError::Denied(error)),
                _ => Err(error.into()),
            };
        }
    };
    let metadata = file.metadata()?;
    if !metadata.is_file() || metadata.len() > MAX_FILE_BYTES {
        return Err(ReadError::Kind);
    }
    let mut text = Zeroizing::new(Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or_default() + 1));
    // It may grow meanwhile.
    file.take(MAX_FILE_BYTES + 1).read_to_end(&mut text)?;
    if text.len() as u64 > MAX_FILE_BYTES {
        return Err(ReadError::Kind);
    }
    if text.trim_ascii().is_empty() {
        return Ok(None);
    }
    serde_json::from_slice(&text).map(Some).map_err(|error| ReadError::Syntax(error.line()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn paths(variables: &[(&str, &str)]) -> Vec<String> {
        let files = UserFiles::new(Some("/home/bob".into()), |name| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into())
        });
        let docker = files.docker.map(|directory| directory.join(CONFIG_FILE));
        let paths = files.auth_files.into_iter().map(|file| file.path).chain(docker);
        paths.map(|path| path.display().to_string()).collect()
    }

    #[test]
    fn looks_where_podman_does() {
        let own = tempfile::tempdir().unwrap();
        let runtime = own.path().to_str().unwrap();
        let user = rustix::process::geteuid().as_raw();
        assert_eq!(
            paths(&[]),
            [
                &format!("/run/containers/{user}/auth.json"),
                "/home/bob/.config/containers/auth.json",
                "/home/bob/.docker/config.json"
            ]
        );
        let all = [
            ("REGISTRY_AUTH_FILE", "/a/auth.json"),
            ("XDG_RUNTIME_DIR", runtime),
            ("XDG_CONFIG_HOME", "/xdg"),
            ("DOCKER_CONFIG", "/d"),
        ];
        let session = format!("{runtime}/containers/auth.json");
        assert_eq!(paths(&all), ["/a/auth.json", &session, "/xdg/containers/auth.json", "/d/config.json"]);
        // Somebody else's session, as `su` leaves it behind.
        assert_eq!(paths(&[("XDG_RUNTIME_DIR", "/nonexistent"), ("REGISTRY_AUTH_FILE", "")]).len(), 2);
    }

    #[test]
    fn names_the_line_of_a_broken_file_and_never_shows_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(CONFIG_FILE);
        assert!(read_object(&path).unwrap().is_none());
        std::fs::write(&path, " \n").unwrap();
        assert!(read_object(&path).unwrap().is_none());
        for text in ["{\n\"auths\": canary }", "\n\"canary\"", "{}\ncanary"] {
            std::fs::write(&path, text).unwrap();
            let error = format!("{:?}", read_docker(directory.path()).unwrap_err());
            assert!(error.contains("line 2") && !error.contains("canary"), "{error}");
        }
    }

    #[test]
    fn waits_for_no_pipe_and_reads_no_endless_file() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        rustix::fs::mknodat(rustix::fs::CWD, at("pipe"), rustix::fs::FileType::Fifo, Mode::RWXU, 0).unwrap();
        std::fs::create_dir(at("directory")).unwrap();
        std::fs::write(at("long"), " ".repeat(1024 * 1024 + 1)).unwrap();
        symlink("/dev/zero", at("device")).unwrap();
        for name in ["pipe", "directory", "long", "device"] {
            assert!(matches!(read_object(&at(name)), Err(ReadError::Kind)), "{name}");
        }
        symlink("missing", at("dangling")).unwrap();
        assert!(read_object(&at("dangling")).unwrap().is_none());
        symlink("loop", at("loop")).unwrap();
        assert!(matches!(read_object(&at("loop")), Err(ReadError::Io(_))));
        std::fs::write(at("file"), "{\"auths\":{}}").unwrap();
        symlink("file", at("link")).unwrap();
        assert!(read_object(&at("link")).unwrap().is_some());
    }
}
