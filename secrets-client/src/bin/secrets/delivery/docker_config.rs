//! A private Docker configuration: the caller's own, and the registries' credentials over it.
//!
//! Docker looks a registry up in `credHelpers`, then in `credsStore`, and only where neither names a program in `auths`
//! (<https://docs.docker.com/reference/cli/docker/login/#credential-stores>). So a helper that the caller has for one of
//! our registries is taken out, and where a store has them all, an empty helper is the exception from it.

use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, symlink};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use secrets_core::{RegistryHost, RegistryUsername};
use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use crate::ui::error::{CliError, ExitCode};

pub(super) const CONFIG_FILE: &str = "config.json";
/// Other spellings under which somebody may have a helper for Docker Hub.
const DOCKER_HUB_HOSTS: [&str; 3] = ["docker.io", "index.docker.io", "registry-1.docker.io"];

/// A registry's credential.
pub(super) struct Login {
    pub(super) host: RegistryHost,
    pub(super) username: RegistryUsername,
    pub(super) password: Zeroizing<String>,
}

/// What `config.json` holds: `own`, with the credentials over it.
pub(super) fn config(own: Option<Map<String, Value>>, logins: &[Login]) -> Zeroizing<String> {
    let mut config = own.unwrap_or_default();
    let has_store = config.get("credsStore").and_then(Value::as_str).is_some_and(|store| !store.is_empty());
    for login in logins {
        let key = login.host.docker_config_key();
        let pair = Zeroizing::new(format!("{}:{}", login.username, login.password.as_str()));
        member(&mut config, "auths").insert(key.to_owned(), json!({ "auth": BASE64_STANDARD.encode(pair.as_bytes()) }));
        let helpers = member(&mut config, "credHelpers");
        helpers.remove(key);
        if key != login.host.as_str() {
            DOCKER_HUB_HOSTS.iter().for_each(|name| drop(helpers.remove(*name)));
        }
        if has_store {
            helpers.insert(key.to_owned(), "".into());
        }
    }
    if config.get("credHelpers").is_some_and(|helpers| helpers.as_object().is_some_and(Map::is_empty)) {
        config.remove("credHelpers");
    }
    Zeroizing::new(format!("{:#}\n", Value::Object(config)))
}

/// The object that is a member of `config`; made where it is missing or no object.
fn member<'a>(config: &'a mut Map<String, Value>, name: &str) -> &'a mut Map<String, Value> {
    let member = config.entry(name).or_insert_with(|| json!({}));
    if !member.is_object() {
        *member = json!({});
    }
    match member {
        Value::Object(map) => map,
        _ => unreachable!("it was made an object"),
    }
}

/// The caller's own `config.json`; none if there is none.
pub(super) fn read_user_config(directory: &Path) -> Result<Option<Map<String, Value>>, CliError> {
    let path = directory.join(CONFIG_FILE);
    let fails = |why: String| {
        CliError::new(
            ExitCode::Failed,
            format!("your Docker configuration `{}` can't be merged: {why}", path.display()),
        )
        .hint("DOCKER_CONFIG names the directory of another one")
    };
    let text = match std::fs::read(&path) {
        Ok(text) => Zeroizing::new(text),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(error) => return Err(fails(error.to_string())),
    };
    if text.trim_ascii().is_empty() {
        return Ok(None);
    }
    // Only where: what is there may be a credential.
    serde_json::from_slice(&text).map(Some).map_err(|error| fails(format!("line {} is no JSON object", error.line())))
}

/// Makes the private directory, in which everything but `config.json` is the caller's own: contexts, plug-ins, builders.
pub(super) fn create_directory(at: &Path, own: Option<&Path>) -> io::Result<PathBuf> {
    let directory = at.join("docker");
    DirBuilder::new().mode(0o700).create(&directory)?;
    let entries = own.map(std::fs::read_dir).and_then(Result::ok);
    for entry in entries.into_iter().flatten().flatten().filter(|entry| entry.file_name() != CONFIG_FILE) {
        symlink(entry.path(), directory.join(entry.file_name()))?;
    }
    Ok(directory)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn login(host: &str) -> Login {
        Login {
            host: host.parse().unwrap(),
            username: "bob".parse().unwrap(),
            password: Zeroizing::new("canary".to_owned()),
        }
    }

    fn merged(own: &Value, hosts: &[&str]) -> Value {
        let logins: Vec<Login> = hosts.iter().map(|host| login(host)).collect();
        serde_json::from_str(&config(own.as_object().cloned(), &logins)).unwrap()
    }

    const OURS: &str = "Ym9iOmNhbmFyeQ==";

    #[test]
    fn keeps_everything_else_of_the_callers_own() {
        let own =
            json!({ "auths": { "quay.io": { "auth": "eA==" }, "ghcr.io": { "auth": "old" } }, "detachKeys": "x" });
        assert_eq!(
            merged(&own, &["ghcr.io"]),
            json!({ "auths": { "quay.io": { "auth": "eA==" }, "ghcr.io": { "auth": OURS } }, "detachKeys": "x" })
        );
        assert_eq!(merged(&json!(null), &["ghcr.io:5000"]), json!({ "auths": { "ghcr.io:5000": { "auth": OURS } } }));
        assert_eq!(
            merged(&json!({ "auths": null }), &["ghcr.io"]),
            json!({ "auths": { "ghcr.io": { "auth": OURS } } })
        );
    }

    #[test]
    fn makes_an_exception_from_helpers_and_stores_for_its_own_registries() {
        let own = json!({ "credHelpers": { "ghcr.io": "pass", "quay.io": "pass" } });
        assert_eq!(merged(&own, &["ghcr.io"])["credHelpers"], json!({ "quay.io": "pass" }));
        let own = json!({ "credHelpers": { "ghcr.io": "pass" } });
        assert_eq!(merged(&own, &["ghcr.io"]).get("credHelpers"), None);
        let own = json!({ "credsStore": "desktop", "credHelpers": { "docker.io": "pass" } });
        let config = merged(&own, &["docker.io"]);
        assert_eq!(config["credsStore"], "desktop");
        assert_eq!(config["credHelpers"], json!({ "https://index.docker.io/v1/": "" }));
        assert_eq!(config["auths"]["https://index.docker.io/v1/"]["auth"], OURS);
    }

    #[test]
    fn links_what_else_is_there() {
        let (at, own) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        std::fs::create_dir(own.path().join("contexts")).unwrap();
        std::fs::write(own.path().join(CONFIG_FILE), "{}").unwrap();
        let directory = create_directory(at.path(), Some(own.path())).unwrap();
        assert_eq!(std::fs::read_link(directory.join("contexts")).unwrap(), own.path().join("contexts"));
        assert!(!directory.join(CONFIG_FILE).exists());
    }

    #[test]
    fn names_the_line_of_a_broken_configuration_and_never_shows_it() {
        let directory = tempfile::tempdir().unwrap();
        assert!(read_user_config(directory.path()).unwrap().is_none());
        std::fs::write(directory.path().join(CONFIG_FILE), " \n").unwrap();
        assert!(read_user_config(directory.path()).unwrap().is_none());
        for text in ["{\n\"auths\": canary }", "\n\"canary\""] {
            std::fs::write(directory.path().join(CONFIG_FILE), text).unwrap();
            let error = format!("{:?}", read_user_config(directory.path()).unwrap_err());
            assert!(error.contains("line 2") && !error.contains("canary"), "{error}");
        }
    }
}
