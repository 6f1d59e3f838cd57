//! Profiles: one for each account that a person has, at one service or at several.

use std::fmt;
use std::str::FromStr;

use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::endpoint::Endpoint;

/// The longest name of a profile, in bytes.
const MAX_NAME_BYTES: usize = 64;

/// The name of a profile.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ProfileName(String);

/// Why a text is not the name of a profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the name of a profile must be 1 to {MAX_NAME_BYTES} letters, digits, `-`, `_` or `.`, and must not begin with `-` or `.`"
)]
pub struct InvalidProfileName;

/// An account at a service, and what its commands mean when they name nothing.
#[derive(Clone, Debug, Default)]
pub struct Profile {
    /// Address of the service.
    pub endpoint: Option<Endpoint>,
    /// The default organization.
    pub organization: Option<String>,
    /// The default project.
    pub project: Option<String>,
    /// The default workspace.
    pub workspace: Option<String>,
    /// The token that a login stored.
    pub token: Option<StoredToken>,
}

/// A token that a login stored. It is sent to the service that it was made at, and to no other.
#[derive(Clone, Debug)]
pub struct StoredToken {
    /// The token, or where it is.
    pub token: TokenLocation,
    /// The service that it was made at.
    pub endpoint: Endpoint,
    /// Resource path of its owner.
    pub principal: Option<String>,
}

/// Where a stored token is.
#[derive(Clone, Debug)]
pub enum TokenLocation {
    /// In the user's configuration, beside the profile.
    File(SecretString),
    /// In the desktop's keyring.
    Keyring(KeyringItem),
}

/// What a token in the desktop's keyring is found by: an identifier of its own, so that neither another profile nor another
/// configuration of the same person finds it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct KeyringItem(uuid::Uuid);

/// Why a text is not the identifier of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be a UUID, as `secrets login --keyring` writes it")]
pub struct InvalidKeyringItem;

impl KeyringItem {
    /// Returns the identifier of an item that does not exist yet.
    pub fn random() -> Self {
        Self(crate::retry::random_uuid())
    }
}

impl FromStr for KeyringItem {
    type Err = InvalidKeyringItem;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        uuid::Uuid::try_parse(text).map(Self).map_err(|_| InvalidKeyringItem)
    }
}

impl TryFrom<String> for KeyringItem {
    type Error = InvalidKeyringItem;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<KeyringItem> for String {
    fn from(item: KeyringItem) -> Self {
        item.to_string()
    }
}

impl fmt::Display for KeyringItem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl From<SecretString> for TokenLocation {
    fn from(token: SecretString) -> Self {
        Self::File(token)
    }
}

impl From<&str> for TokenLocation {
    fn from(token: &str) -> Self {
        Self::File(token.into())
    }
}

impl StoredToken {
    /// Returns the token, if it is in the configuration.
    pub fn in_file(&self) -> Option<&SecretString> {
        match &self.token {
            TokenLocation::File(token) => Some(token),
            TokenLocation::Keyring(_) => None,
        }
    }

    /// Returns the item of the desktop's keyring, if the token is there.
    pub fn keyring_item(&self) -> Option<&KeyringItem> {
        match &self.token {
            TokenLocation::File(_) => None,
            TokenLocation::Keyring(item) => Some(item),
        }
    }
}

impl ProfileName {
    /// The name of the profile that is used when none is named.
    pub const DEFAULT: &str = "default";

    /// Returns the name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is the profile that is used when none is named.
    pub fn is_default(&self) -> bool {
        self.0 == Self::DEFAULT
    }
}

impl Default for ProfileName {
    fn default() -> Self {
        Self(Self::DEFAULT.to_owned())
    }
}

impl FromStr for ProfileName {
    type Err = InvalidProfileName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_valid = (1..=MAX_NAME_BYTES).contains(&text.len())
            && !text.starts_with(['-', '.'])
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
        is_valid.then(|| Self(text.to_owned())).ok_or(InvalidProfileName)
    }
}

impl TryFrom<String> for ProfileName {
    type Error = InvalidProfileName;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<ProfileName> for String {
    fn from(name: ProfileName) -> Self {
        name.0
    }
}

impl fmt::Display for ProfileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Profile {
    /// Returns the stored token, if it was made at this service.
    pub fn token_for(&self, endpoint: &Endpoint) -> Option<&StoredToken> {
        self.token.as_ref().filter(|stored| stored.endpoint == *endpoint)
    }

    /// Whether it says nothing.
    pub(super) fn is_empty(&self) -> bool {
        let Self { endpoint, organization, project, workspace, token } = self;
        endpoint.is_none() && token.is_none() && [organization, project, workspace].iter().all(|id| id.is_none())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_names_that_mean_themselves_in_a_shell() {
        for text in ["work", "acme-prod.2", "A_b", &"x".repeat(64)] {
            assert_eq!(text.parse::<ProfileName>().unwrap().as_str(), text);
        }
        for text in ["", "-x", ".x", "two words", "a/b", "\u{e4}", &"x".repeat(65)] {
            assert!(text.parse::<ProfileName>().is_err(), "{text}");
        }
        assert!(ProfileName::DEFAULT.parse::<ProfileName>().unwrap().is_default());
    }

    #[test]
    fn a_token_is_for_its_own_endpoint() {
        let endpoint = |text: &str| text.parse::<Endpoint>().unwrap();
        let token = StoredToken { token: "sper_x".into(), endpoint: endpoint("https://a.example"), principal: None };
        let profile =
            Profile { endpoint: Some(endpoint("https://b.example")), token: Some(token), ..Profile::default() };
        assert!(profile.token_for(&endpoint("https://A.example:443")).is_some());
        for other in ["https://b.example", "http://a.example", "https://a.example:8443"] {
            assert!(profile.token_for(&endpoint(other)).is_none(), "{other}");
        }
    }
}
