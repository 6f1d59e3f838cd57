//! The file that `REGISTRY_AUTH_FILE` names: one in place of the several in which podman and skopeo look.
//!
//! They take the first file that has a credential for an image (`containers-auth.json(5)`), and within a file a helper before
//! the entries, and the entry with the longest path. In one file the first file's say is kept by leaving out of the later ones
//! whatever it has a credential for.

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use super::credential_store;
use super::entry::{Credential, RegistryKey};
use super::member;

/// What the first files have: registries, and parts of them.
#[derive(Default)]
struct Taken {
    hosts: HashSet<String>,
    entries: HashSet<(String, String)>,
}

impl Taken {
    fn add(&mut self, key: RegistryKey) {
        self.hosts.insert(key.host.clone());
        self.entries.insert((key.host, key.path));
    }

    fn covers(&self, key: &RegistryKey) -> bool {
        key.prefixes().any(|(host, path)| self.entries.contains(&(host.to_owned(), path.to_owned())))
    }
}

/// Merges `files`, of which the first have precedence.
pub(super) fn merged(files: Vec<Map<String, Value>>) -> Map<String, Value> {
    let mut config = Map::new();
    config.insert("auths".to_owned(), json!({}));
    let mut taken = Taken::default();
    for mut file in files {
        credential_store::spread(&mut file);
        let mut found = Vec::new();
        for (key, helper) in std::mem::take(member(&mut file, "credHelpers")) {
            let Some(parsed) = RegistryKey::parse(&key) else { continue };
            // A helper would be asked before an earlier file's entry for a part of its registry.
            if !taken.hosts.contains(&parsed.host) {
                member(&mut config, "credHelpers").insert(key, helper);
                // Of Docker Hub's helper, podman does not know.
                found.extend(Some(parsed).filter(|key| key.is_whole_registry() && key.host_of_url.is_none()));
            }
        }
        for (key, entry) in std::mem::take(member(&mut file, "auths")) {
            let Some(parsed) = RegistryKey::parse(&key) else { continue };
            if Credential::from_entry(&entry).is_some() && !taken.covers(&parsed) {
                member(&mut config, "auths").insert(key, entry);
                found.push(parsed);
            }
        }
        found.into_iter().for_each(|key| taken.add(key));
    }
    config
}

#[cfg(test)]
mod tests {
    use super::*;

    fn merge(files: &[Value]) -> Value {
        Value::Object(merged(files.iter().map(|file| file.as_object().unwrap().clone()).collect()))
    }

    fn auth(text: &str) -> Value {
        json!({ "auth": text })
    }

    #[test]
    fn takes_the_first_credential_for_a_registry() {
        let first = json!({ "auths": { "quay.io": auth("eDox"), "a.example": {} } });
        let second = json!({ "auths": { "https://quay.io/v1/": auth("eDoy"), "a.example": auth("eDoy") } });
        let third = json!({ "auths": { "a.example": auth("eDoz"), "b.example": auth("eDoz") }, "psFormat": "x" });
        assert_eq!(
            merge(&[first, second, third]),
            json!({ "auths": { "quay.io": auth("eDox"), "a.example": auth("eDoy"), "b.example": auth("eDoz") } })
        );
        assert_eq!(merge(&[]), json!({ "auths": {} }));
    }

    #[test]
    fn lets_a_later_file_have_what_an_earlier_one_has_a_part_of() {
        let team = json!({ "auths": { "quay.io/team": auth("eDox") } });
        let whole = json!({ "auths": { "quay.io": auth("eDoy"), "quay.io/team/app": auth("eDoy") } });
        assert_eq!(
            merge(&[team.clone(), whole.clone()]),
            json!({ "auths": { "quay.io/team": auth("eDox"), "quay.io": auth("eDoy") } })
        );
        assert_eq!(merge(&[whole.clone(), team]), whole);
    }

    #[test]
    fn asks_no_helper_of_a_later_file_for_what_an_earlier_one_has() {
        let plain = json!({ "auths": { "quay.io/team": auth("eDox") } });
        let helper = json!({ "credHelpers": { "quay.io": "pass", "ghcr.io": "pass" } });
        assert_eq!(merge(&[plain.clone(), helper.clone()])["credHelpers"], json!({ "ghcr.io": "pass" }));
        assert_eq!(merge(&[helper, plain])["auths"], json!({}));
    }

    #[test]
    fn names_dockers_store_for_its_registries() {
        let docker = json!({ "auths": { "quay.io": {}, "ghcr.io": auth("eDox") }, "credsStore": "pass" });
        assert_eq!(
            merge(&[docker]),
            json!({ "auths": { "ghcr.io": auth("eDox") }, "credHelpers": { "quay.io": "pass" } })
        );
    }
}
