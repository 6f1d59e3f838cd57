//! An entry of `auths`: which registry its key means, and the credential that it holds.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use secrets_core::RegistryHost;
use serde_json::Value;
use zeroize::Zeroizing;

/// The longest host and the longest repository fit into it.
const MAX_KEY_BYTES: usize = 1024;

/// What a key of `auths` or `credHelpers` stands for.
///
/// Docker writes a host, and for Docker Hub a URL; older programs wrote a URL for every registry, of which readers take the
/// host alone. Podman also writes a host and the beginning of a repository: `quay.io/team`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RegistryKey {
    /// The host in lower case; `docker.io` for each name of Docker Hub.
    pub(super) host: String,
    /// What follows the host, without a `/` at its ends; empty for the whole registry.
    pub(super) path: String,
    /// The host as the key has it, where that is a URL.
    pub(super) host_of_url: Option<String>,
}

/// What an entry signs in with. It is compared and never shown.
#[derive(PartialEq, Eq)]
pub(super) struct Credential {
    /// `user:password`
    pair: Zeroizing<Vec<u8>>,
    identity_token: Zeroizing<String>,
    registry_token: Zeroizing<String>,
}

impl RegistryKey {
    /// None for a key that is longer than any registry.
    pub(super) fn parse(key: &str) -> Option<Self> {
        if key.len() > MAX_KEY_BYTES {
            return None;
        }
        let bare = key.strip_prefix("https://").or_else(|| key.strip_prefix("http://"));
        let (host, path) = bare.unwrap_or(key).split_once('/').unwrap_or((bare.unwrap_or(key), ""));
        let path = if bare.is_some() { "" } else { path.trim_matches('/') };
        let host_of_url = bare.map(|_| host.to_owned());
        // The names of Docker Hub are among what a registry's host may be.
        let host =
            host.parse().map_or_else(|_| host.to_ascii_lowercase(), |host: RegistryHost| host.as_str().to_owned());
        Some(Self { host, path: path.to_owned(), host_of_url })
    }

    /// Whether the key is the host alone, as `credHelpers` has it.
    pub(super) fn is_whole_registry(&self) -> bool {
        self.path.is_empty()
    }

    /// The host and path, and each beginning of the path up to the host alone.
    pub(super) fn prefixes(&self) -> impl Iterator<Item = (&str, &str)> {
        let ends = self.path.match_indices('/').map(|(at, _)| at).chain([self.path.len()]);
        let paths = ends.filter_map(|end| self.path.get(..end));
        std::iter::once("").chain(paths).map(|path| (self.host.as_str(), path))
    }
}

impl Credential {
    /// The credential of an entry; none if it has none, as where a store holds it.
    pub(super) fn from_entry(entry: &Value) -> Option<Self> {
        let text = |name: &str| entry.get(name).and_then(Value::as_str).unwrap_or_default();
        let pair = match text("auth") {
            "" => match (text("username"), text("password")) {
                ("", "") => Vec::new(),
                (username, password) => format!("{username}:{password}").into_bytes(),
            },
            // What can't be decoded is somebody's credential all the same.
            auth => BASE64_STANDARD.decode(auth.trim()).unwrap_or_else(|_| auth.as_bytes().to_vec()),
        };
        let credential = Self {
            pair: Zeroizing::new(pair),
            identity_token: Zeroizing::new(text("identitytoken").to_owned()),
            registry_token: Zeroizing::new(text("registrytoken").to_owned()),
        };
        let is_empty =
            credential.pair.is_empty() && credential.identity_token.is_empty() && credential.registry_token.is_empty();
        (!is_empty).then_some(credential)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn knows_each_spelling_of_a_registry() {
        for (key, host, path) in [
            ("ghcr.io", "ghcr.io", ""),
            ("GHCR.io", "ghcr.io", ""),
            ("https://ghcr.io/v1/", "ghcr.io", ""),
            ("http://ghcr.io:5000", "ghcr.io:5000", ""),
            ("quay.io/team/app", "quay.io", "team/app"),
            ("quay.io/", "quay.io", ""),
            ("https://index.docker.io/v1/", "docker.io", ""),
            ("registry-1.docker.io", "docker.io", ""),
            ("docker.io/library", "docker.io", "library"),
            ("user:pass@host", "user:pass@host", ""),
            ("", "", ""),
        ] {
            let parsed = RegistryKey::parse(key).unwrap();
            assert_eq!((parsed.host.as_str(), parsed.path.as_str()), (host, path), "{key}");
        }
        assert!(RegistryKey::parse(&"x".repeat(1025)).is_none());
    }

    #[test]
    fn lists_what_lies_above_a_key() {
        let key = RegistryKey::parse("quay.io/a/b").unwrap();
        assert_eq!(key.prefixes().collect::<Vec<_>>(), [("quay.io", ""), ("quay.io", "a"), ("quay.io", "a/b")]);
    }

    #[test]
    fn takes_the_same_credential_in_each_form_for_the_same() {
        let credential = |entry: Value| Credential::from_entry(&entry);
        let pair = credential(json!({ "auth": "Ym9iOng=" }));
        assert!(pair.is_some() && pair == credential(json!({ "username": "bob", "password": "x" })));
        assert!(pair != credential(json!({ "auth": "Ym9iOng=", "identitytoken": "t" })));
        for empty in [json!({}), json!(null), json!({ "auth": "" }), json!({ "email": "x" }), json!("x")] {
            assert!(credential(empty.clone()).is_none(), "{empty}");
        }
        assert!(credential(json!({ "auth": "no base64" })).is_some());
    }
}
