//! What a program gets in place of the caller's files, and what it did with it.

use std::collections::{BTreeSet, HashSet};
use std::ffi::OsStr;
use std::fs::{DirBuilder, File};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, symlink};
use std::path::{Path, PathBuf};

use secrets_core::RegistryHost;
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::entry::{Credential, RegistryKey};
use super::user_files::{UserFiles, read_object};
use super::{AUTH_FILE, CONFIG_FILE, Login, auth_file, credential_store, member, put};
use crate::delivery::names::unfinished;
use crate::ui::error::CliError;

/// As many lost logins are named.
const MAX_NAMED: usize = 5;

/// The files of one program: Docker's configuration in a directory of its own, and podman's file.
pub(crate) struct PrivateConfig {
    user: UserFiles,
    written: Option<Written>,
    /// Registries to which the program signed in, whose entries have been replaced since.
    replaced: BTreeSet<String>,
    notice: Option<String>,
}

struct Written {
    docker: WrittenFile,
    podman: WrittenFile,
}

/// A file, and what it held before the program had it.
struct WrittenFile {
    path: PathBuf,
    content: Map<String, Value>,
}

/// The content of both files, which are not written yet.
pub(crate) struct NewContent {
    docker: Map<String, Value>,
    podman: Map<String, Value>,
    /// Registries whose credential it has.
    hosts: HashSet<String>,
}

impl PrivateConfig {
    pub(crate) fn new(user: UserFiles) -> Self {
        Self { user, written: None, replaced: BTreeSet::new(), notice: None }
    }

    /// Whether it is on the disk.
    pub(crate) fn is_written(&self) -> bool {
        self.written.is_some()
    }

    /// How a program finds it.
    pub(crate) fn variables(&self) -> impl Iterator<Item = (&OsStr, &OsStr)> {
        self.written.iter().flat_map(|written| {
            let directory = written.docker.path.parent().unwrap_or(&written.docker.path);
            [
                (OsStr::new("DOCKER_CONFIG"), directory.as_os_str()),
                (OsStr::new("REGISTRY_AUTH_FILE"), written.podman.path.as_os_str()),
            ]
        })
    }

    /// What the program will lack of the caller's own.
    pub(crate) fn notice(&self) -> Option<&str> {
        self.notice.as_deref()
    }

    /// Reads the caller's own files and puts `logins` over them.
    pub(crate) fn prepare(&mut self, logins: &[Login]) -> Result<NewContent, CliError> {
        let user = self.user.read()?;
        let mut docker = user.docker.unwrap_or_default();
        self.notice = credential_store::spread(&mut docker).map(|store| {
            format!(
                "the program has no credentials of your credential store `{store}`, for which your Docker configuration \
                 names no registry; name its registries in credHelpers"
            )
        });
        let mut podman = auth_file::merged(user.auth_files);
        for config in [&mut docker, &mut podman] {
            put(config, logins);
        }
        Ok(NewContent { docker, podman, hosts: logins.iter().map(|login| login.host.to_string()).collect() })
    }

    /// Writes the files below `directory`, each in one step. To which registries the program signed in meanwhile, it stays
    /// signed in, but where `content` has another credential.
    pub(crate) fn write(&mut self, directory: &Path, content: NewContent) -> io::Result<()> {
        let NewContent { docker, podman, hosts } = content;
        let made = self.written.as_ref().map(|written| [written.docker.made_inside(), written.podman.made_inside()]);
        let [made_docker, made_podman] = made.unwrap_or_default();
        let is_ours = |key: &str| RegistryKey::parse(key).is_some_and(|key| hosts.contains(&key.host));
        let keys = made_docker.keys().chain(made_podman.keys());
        self.replaced.extend(keys.filter(|key| is_ours(key)).cloned());
        let docker_path = match &self.written {
            Some(written) => written.docker.path.clone(),
            None => create_docker(directory, self.user.docker.as_deref())?.join(CONFIG_FILE),
        };
        let podman_path = directory.join(AUTH_FILE);
        for (path, content, made) in [(&docker_path, &docker, made_docker), (&podman_path, &podman, made_podman)] {
            let mut content = content.clone();
            let kept = made.into_iter().filter(|(key, _)| !is_ours(key));
            member(&mut content, "auths").extend(kept);
            write_file(path, content)?;
        }
        self.written = Some(Written {
            docker: WrittenFile { path: docker_path, content: docker },
            podman: WrittenFile { path: podman_path, content: podman },
        });
        Ok(())
    }

    /// Says which logins of the program end with its files, if it made any.
    pub(crate) fn lost_logins(&self) -> Option<String> {
        let files = self.written.iter().flat_map(|written| [&written.docker, &written.podman]);
        let keys = files.flat_map(WrittenFile::made_inside).map(|(key, _)| key);
        let keys: BTreeSet<String> = keys.chain(self.replaced.iter().cloned()).collect();
        let mut hosts = BTreeSet::new();
        let mut others = 0;
        for key in &keys {
            // The program wrote the key: only what is a registry's host, and nothing else, is shown.
            match RegistryKey::parse(key).and_then(|key| key.host.parse::<RegistryHost>().ok()) {
                Some(host) if hosts.contains(host.as_str()) => {}
                Some(host) if hosts.len() < MAX_NAMED => drop(hosts.insert(host.to_string())),
                _ => others += 1,
            }
        }
        let mut names: Vec<String> = hosts.into_iter().collect();
        match (names.len(), others) {
            (_, 0) => {}
            (0, 1) => names.push("a registry".to_owned()),
            (0, _) => names.push(format!("{others} registries")),
            _ => names.push(format!("{others} more")),
        }
        let lost = match names.len().max(others) {
            0 => return None,
            1 => format!("login to {} is lost", names.concat()),
            _ => format!("logins to {} are lost", names.join(", ")),
        };
        Some(format!("the program's {lost}, which this run alone had; log in outside of `secrets run` to keep one"))
    }
}

impl WrittenFile {
    /// The entries with a credential that the file did not have as it was written.
    fn made_inside(&self) -> Map<String, Value> {
        // What the program left there may be anything.
        let Ok(Some(mut now)) = read_object(&self.path) else { return Map::new() };
        let before = self.content.get("auths");
        let mut entries = std::mem::take(member(&mut now, "auths"));
        entries.retain(|key, entry| {
            let credential = Credential::from_entry(entry);
            let before = before.and_then(|auths| auths.get(key)).and_then(Credential::from_entry);
            credential.is_some() && credential != before
        });
        entries
    }
}

/// Makes Docker's directory, in which everything but `config.json` is the caller's own: contexts, plug-ins, builders.
fn create_docker(at: &Path, own: Option<&Path>) -> io::Result<PathBuf> {
    let directory = at.join("docker");
    DirBuilder::new().mode(0o700).create(&directory)?;
    let entries = own.map(std::fs::read_dir).and_then(Result::ok);
    for entry in entries.into_iter().flatten().flatten().filter(|entry| entry.file_name() != CONFIG_FILE) {
        if let Err(error) = symlink(entry.path(), directory.join(entry.file_name())) {
            let _ = std::fs::remove_dir_all(&directory); // for a second attempt
            return Err(error);
        }
    }
    Ok(directory)
}

fn write_file(path: &Path, content: Map<String, Value>) -> io::Result<()> {
    let text = Zeroizing::new(format!("{:#}\n", Value::Object(content)));
    let parent = path.parent().unwrap_or(path);
    match DirBuilder::new().mode(0o700).create(parent) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    let unfinished = parent.join(unfinished());
    let mut file = File::options().write(true).create_new(true).mode(0o600).open(&unfinished)?;
    let written = file.write_all(text.as_bytes()).and_then(|()| std::fs::rename(&unfinished, path));
    if written.is_err() {
        let _ = std::fs::remove_file(&unfinished);
    }
    written
}

#[cfg(test)]
mod tests;
