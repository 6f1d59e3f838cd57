//! A private configuration of registries: the caller's own, and the registries' credentials over it.
//!
//! One that every reader understands. Docker looks a registry up in `credHelpers`, then in `credsStore`, and only where
//! neither names a program in `auths` (<https://docs.docker.com/reference/cli/docker/login/#credential-stores>); docker-py
//! does the same, but takes an empty name in `credHelpers` for none; podman and skopeo know no `credsStore`, and take an empty
//! name for that of a program (`containers-auth.json(5)`). So ours are in `auths` with nothing of the caller's beside them,
//! and a store is named in `credHelpers` for the registries that it holds.

mod auth_file;
mod credential_store;
mod entry;
mod private;
mod user_files;

use std::collections::HashSet;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use secrets_core::{RegistryHost, RegistryUsername};
use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use self::entry::RegistryKey;
pub(super) use self::private::{NewContent, PrivateConfig};
pub(crate) use self::user_files::UserFiles;

const CONFIG_FILE: &str = "config.json";
/// Podman's file, in the directory of the process.
const AUTH_FILE: &str = "containers/auth.json";

/// A registry's credential.
pub(super) struct Login {
    pub(super) host: RegistryHost,
    pub(super) username: RegistryUsername,
    pub(super) password: Zeroizing<String>,
}

/// What `config.json` holds with the credentials alone.
pub(super) fn config(logins: &[Login]) -> Zeroizing<String> {
    let mut config = Map::new();
    put(&mut config, logins);
    Zeroizing::new(format!("{:#}\n", Value::Object(config)))
}

/// Puts the credentials in the place of whatever `config` has for their registries, under each of their names.
fn put(config: &mut Map<String, Value>, logins: &[Login]) {
    let hosts: HashSet<&str> = logins.iter().map(|login| login.host.as_str()).collect();
    let is_ours = |key: &str| RegistryKey::parse(key).is_some_and(|key| hosts.contains(key.host.as_str()));
    if config.contains_key("credHelpers") {
        let helpers = member(config, "credHelpers");
        helpers.retain(|key, _| !is_ours(key));
        if helpers.is_empty() {
            config.remove("credHelpers");
        }
    }
    let auths = member(config, "auths");
    auths.retain(|key, _| !is_ours(key));
    for login in logins {
        let pair = Zeroizing::new(format!("{}:{}", login.username, login.password.as_str()));
        let entry = json!({ "auth": BASE64_STANDARD.encode(pair.as_bytes()) });
        auths.insert(login.host.docker_config_key().to_owned(), entry);
    }
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

#[cfg(test)]
fn test_login(host: &str, password: &str) -> Login {
    Login {
        host: host.parse().unwrap(),
        username: "bob".parse().unwrap(),
        password: Zeroizing::new(password.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn merged(own: &Value, hosts: &[&str]) -> Value {
        let logins: Vec<Login> = hosts.iter().map(|host| test_login(host, "canary")).collect();
        let mut config = own.as_object().cloned().unwrap_or_default();
        put(&mut config, &logins);
        Value::Object(config)
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
    fn leaves_nothing_else_for_a_registry_of_its_own_under_any_name() {
        let own = json!({ "credHelpers": { "ghcr.io": "pass", "quay.io": "pass" } });
        assert_eq!(merged(&own, &["ghcr.io"])["credHelpers"], json!({ "quay.io": "pass" }));
        let entry = json!({ "auth": "eA==" });
        let own = json!({
            "auths": { "https://ghcr.io/v1/": entry, "GHCR.io/team": entry, "docker.io": entry, "ghcr.io.example": entry },
            "credHelpers": { "https://index.docker.io/v1/": "pass", "registry-1.docker.io": "pass" },
        });
        assert_eq!(
            merged(&own, &["ghcr.io", "docker.io"]),
            json!({ "auths": {
                "ghcr.io.example": entry, "ghcr.io": { "auth": OURS }, "https://index.docker.io/v1/": { "auth": OURS },
            } })
        );
    }
}
