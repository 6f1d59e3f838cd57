//! A credential store of the caller's, named for each registry that it is known to hold.
//!
//! `credsStore` is asked for every registry, and there is no exception from it that all readers understand: an empty name in
//! `credHelpers` is one for Docker alone, podman and skopeo start a program without a name, and docker-py asks the store. So
//! the store becomes the helper of the registries for which `auths` has an entry without a credential, which is what `docker
//! login` leaves there when the store takes the credential. The store itself is not asked for a list: some unlock a key ring
//! for it, and some call a cloud.

use serde_json::{Map, Value};

use super::entry::{Credential, RegistryKey};
use super::member;

/// The stores into which people sign in; others make credentials up for whatever registry of theirs is asked for.
const LOGIN_STORES: [&str; 6] = ["desktop", "desktop.exe", "osxkeychain", "pass", "secretservice", "wincred"];
const DOCKER_HUB: &str = "docker.io";

/// Names the store in `credHelpers`, and takes out what readers understand in different ways. Returns a store that the
/// program will not have, if it is one that knows registries without a login.
pub(super) fn spread(config: &mut Map<String, Value>) -> Option<String> {
    let store = config.remove("credsStore");
    let store = store.as_ref().and_then(Value::as_str).filter(|store| is_program(store));
    let hosts = store.map(|_| hosts_in_store(config)).unwrap_or_default();
    if config.contains_key("credHelpers") || !hosts.is_empty() {
        let helpers = member(config, "credHelpers");
        for host in &hosts {
            // One that is there has precedence, also an empty one, which is an exception from the store.
            helpers.entry(host).or_insert_with(|| store.into());
        }
        helpers.retain(|_, helper| helper.as_str().is_some_and(is_program));
        if helpers.is_empty() {
            config.remove("credHelpers");
        }
    }
    store.filter(|store| hosts.is_empty() && !LOGIN_STORES.contains(store)).map(str::to_owned)
}

fn hosts_in_store(config: &Map<String, Value>) -> Vec<String> {
    let entries = config.get("auths").and_then(Value::as_object).into_iter().flatten();
    let keys = entries.filter(|(_, entry)| Credential::from_entry(entry).is_none()).map(|(key, _)| key);
    keys.flat_map(|key| {
        // Readers look for the host alone, but Docker Hub, for which they ask the store with the URL.
        let parsed = RegistryKey::parse(key).filter(|parsed| parsed.host != DOCKER_HUB);
        [Some(key.clone()), parsed.and_then(|parsed| parsed.host_of_url)].into_iter().flatten()
    })
    .collect()
}

/// Whether `docker-credential-NAME` is a program that is looked for in `PATH` alone.
fn is_program(name: &str) -> bool {
    !name.is_empty() && name.len() <= 200 && !name.contains(['/', '\0'])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn spread_out(config: Value) -> (Value, Option<String>) {
        let Value::Object(mut config) = config else { unreachable!() };
        let left = spread(&mut config);
        (Value::Object(config), left)
    }

    #[test]
    fn names_the_store_for_what_it_holds() {
        let hub = "https://index.docker.io/v1/";
        let auths =
            json!({ "quay.io": {}, hub: {}, "https://old.example/v2/": {}, "file.example": { "auth": "eDp5" } });
        let (config, left) = spread_out(json!({ "auths": auths, "credsStore": "pass", "psFormat": "x" }));
        let helpers =
            json!({ "quay.io": "pass", hub: "pass", "https://old.example/v2/": "pass", "old.example": "pass" });
        assert_eq!(config, json!({ "auths": auths, "credHelpers": helpers, "psFormat": "x" }));
        assert_eq!(left, None);
    }

    #[test]
    fn keeps_a_helper_and_an_exception_from_the_store() {
        let auths = json!({ "quay.io": {}, "ghcr.io": {}, "a.example": {} });
        let helpers = json!({ "quay.io": "gcloud", "ghcr.io": "" });
        let (config, _) = spread_out(json!({ "auths": auths, "credsStore": "pass", "credHelpers": helpers }));
        assert_eq!(config["credHelpers"], json!({ "quay.io": "gcloud", "a.example": "pass" }));
    }

    #[test]
    fn leaves_out_what_is_no_program() {
        for name in ["", "../evil", "a/b", "nul\0"] {
            let (config, left) =
                spread_out(json!({ "auths": { "quay.io": {} }, "credsStore": name, "credHelpers": { "x": name } }));
            assert_eq!((config, left), (json!({ "auths": { "quay.io": {} } }), None), "{name}");
        }
        let (config, _) = spread_out(json!({ "credsStore": 1, "credHelpers": { "x": 2 } }));
        assert_eq!(config, json!({}));
    }

    #[test]
    fn names_a_store_that_knows_registries_without_a_login() {
        assert_eq!(spread_out(json!({ "credsStore": "ecr-login" })).1.as_deref(), Some("ecr-login"));
        assert_eq!(spread_out(json!({ "credsStore": "desktop", "auths": {} })).1, None);
        assert_eq!(spread_out(json!({ "credsStore": "ecr-login", "auths": { "x.example": {} } })).1, None);
    }
}
