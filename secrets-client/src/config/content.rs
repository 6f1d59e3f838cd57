//! The content of the user's own configuration file.
//!
//! ```toml
//! endpoint = "https://secrets.example.com"    # of the default profile, with its other settings
//! organization = "acme"
//! token = "sper_…"
//! signed_in_at = "https://secrets.example.com"
//!
//! [profiles.lab]                              # another one, whose token is in the desktop's keyring
//! endpoint = "http://10.0.0.5:50051"
//! keyring_item = "0b0d3c5e-…"
//!
//! [endpoints."http://10.0.0.5:50051"]         # what holds for an endpoint, whoever uses it
//! insecure = true
//! ```

use std::collections::BTreeMap;
use std::path::PathBuf;

use secrecy::{ExposeSecret as _, SecretString};
use secrets_core::{OrganizationId, ProjectId, WorkspaceId};
use serde::{Deserialize, Serialize};

use super::file::identifier;
use super::profile::{KeyringItem, Profile, ProfileName, StoredToken, TokenLocation};
use super::{Config, EndpointConfig};
use crate::endpoint::Endpoint;

/// A struct with the settings of a profile between its own fields. Flattening one struct into another would lose the line of
/// a value that is refused.
macro_rules! with_settings {
    (
        $(#[$attribute:meta])*
        $visibility:vis struct $name:ident {
            $($(#[$of_first:meta])* $first:ident: $first_type:ty,)*
            ..
            $($(#[$of_last:meta])* $last:ident: $last_type:ty,)*
        }
    ) => {
        $(#[$attribute])*
        #[derive(Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        $visibility struct $name {
            $($(#[$of_first])* $first: $first_type,)*
            #[serde(skip_serializing_if = "Option::is_none")]
            endpoint: Option<Endpoint>,
            #[serde(default, deserialize_with = "identifier::<OrganizationId, _>", skip_serializing_if = "Option::is_none")]
            organization: Option<String>,
            #[serde(default, deserialize_with = "identifier::<ProjectId, _>", skip_serializing_if = "Option::is_none")]
            project: Option<String>,
            #[serde(default, deserialize_with = "identifier::<WorkspaceId, _>", skip_serializing_if = "Option::is_none")]
            workspace: Option<String>,
            #[serde(skip_serializing_if = "Option::is_none")]
            token: Option<String>,
            #[serde(skip_serializing_if = "Option::is_none")]
            keyring_item: Option<KeyringItem>,
            #[serde(skip_serializing_if = "Option::is_none")]
            signed_in_at: Option<Endpoint>,
            #[serde(skip_serializing_if = "Option::is_none")]
            principal: Option<String>,
            $($(#[$of_last])* $last: $last_type,)*
        }
    };
}

with_settings! {
    /// The whole file. The settings of the default profile stand at its top, as in a file that knows of no others.
    pub(super) struct Content {
        #[serde(skip_serializing_if = "Option::is_none")]
        profile: Option<ProfileName>,
        ..
        #[serde(skip_serializing_if = "Option::is_none")]
        ca_file: Option<PathBuf>,
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        profiles: BTreeMap<ProfileName, ProfileContent>,
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        endpoints: BTreeMap<Endpoint, EndpointConfig>,
    }
}

with_settings! {
    /// The settings of a profile.
    #[derive(Default)]
    struct ProfileContent { .. }
}

impl From<Content> for Config {
    fn from(content: Content) -> Self {
        let mut profiles: BTreeMap<ProfileName, Profile> =
            content.profiles.into_iter().map(|(name, profile)| (name, profile.into())).collect();
        let top = Profile::from(ProfileContent {
            endpoint: content.endpoint,
            organization: content.organization,
            project: content.project,
            workspace: content.workspace,
            token: content.token,
            keyring_item: content.keyring_item,
            signed_in_at: content.signed_in_at,
            principal: content.principal,
        });
        if !top.is_empty() {
            profiles.insert(ProfileName::default(), top);
        }
        Self {
            profile: content.profile.unwrap_or_default(),
            profiles,
            ca_file: content.ca_file,
            endpoints: content.endpoints,
        }
    }
}

impl From<&Config> for Content {
    fn from(config: &Config) -> Self {
        let others = config.profiles.iter().filter(|(name, _)| !name.is_default());
        let top = config.profiles.get(&ProfileName::default()).map(ProfileContent::from).unwrap_or_default();
        Self {
            profile: Some(config.profile.clone()).filter(|name| !name.is_default()),
            endpoint: top.endpoint,
            organization: top.organization,
            project: top.project,
            workspace: top.workspace,
            token: top.token,
            keyring_item: top.keyring_item,
            signed_in_at: top.signed_in_at,
            principal: top.principal,
            ca_file: config.ca_file.clone(),
            profiles: others.map(|(name, profile)| (name.clone(), profile.into())).collect(),
            endpoints: config.endpoints.clone(),
        }
    }
}

impl From<ProfileContent> for Profile {
    fn from(content: ProfileContent) -> Self {
        // Before tokens had an endpoint of their own, a login wrote it beside them.
        let signed_in_at = content.signed_in_at.or_else(|| content.endpoint.clone()).unwrap_or_default();
        let in_file = content.token.map(|token| TokenLocation::File(SecretString::from(token)));
        let token = in_file.or(content.keyring_item.map(TokenLocation::Keyring));
        let token = token.map(|token| StoredToken { token, endpoint: signed_in_at, principal: content.principal });
        Self {
            endpoint: content.endpoint,
            organization: content.organization,
            project: content.project,
            workspace: content.workspace,
            token,
        }
    }
}

impl From<&Profile> for ProfileContent {
    fn from(profile: &Profile) -> Self {
        let stored = profile.token.as_ref();
        Self {
            endpoint: profile.endpoint.clone(),
            organization: profile.organization.clone(),
            project: profile.project.clone(),
            workspace: profile.workspace.clone(),
            token: stored.and_then(StoredToken::in_file).map(|token| token.expose_secret().to_owned()),
            keyring_item: stored.and_then(StoredToken::keyring_item).cloned(),
            signed_in_at: stored.map(|stored| stored.endpoint.clone()),
            principal: stored.and_then(|stored| stored.principal.clone()),
        }
    }
}
