//! The names of secrets.

use std::fmt;
use std::str::FromStr;

use super::{InvalidResourceName, ScopeName, segments};
use crate::name::{NamePolicy, SecretId};

/// The name of a secret: its scope, then `/secrets/{secret}`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SecretName {
    /// The scope that it belongs to.
    pub scope: ScopeName,
    /// What it is called there.
    pub secret_id: SecretId,
}

const SHAPES: &str = "`organizations/{organization}[/projects/{project} | /workspaces/{workspace} | \
                      /users/{user}]/secrets/{secret}`";

impl SecretName {
    /// The name of the secret `secret_id` in `scope`.
    pub const fn new(scope: ScopeName, secret_id: SecretId) -> Self {
        Self { scope, secret_id }
    }
}

/// Accepts names of either policy: a secret created while an organization's policy was relaxed keeps its name.
impl FromStr for SecretName {
    type Err = InvalidResourceName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match segments(text, SHAPES)?.as_slice() {
            [scope @ .., "secrets", secret_id] => {
                let scope = ScopeName::from_segments(scope, SHAPES)?;
                Ok(Self { scope, secret_id: SecretId::parse(secret_id, NamePolicy::Relaxed)? })
            }
            _ => Err(InvalidResourceName::Shape { expected: SHAPES }),
        }
    }
}

impl fmt::Display for SecretName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/secrets/{}", self.scope, self.secret_id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource_name::MAX_BYTES;

    #[test]
    fn reads_secrets_of_every_scope() {
        for scope in [
            "organizations/acme",
            "organizations/acme/projects/api",
            "organizations/acme/workspaces/ws1",
            "organizations/acme/users/bob",
        ] {
            let secret: SecretName = format!("{scope}/secrets/API_KEY").parse().unwrap();
            assert_eq!((secret.scope.to_string().as_str(), secret.secret_id.as_str()), (scope, "API_KEY"));
        }
    }

    #[test]
    fn refuses_what_is_no_secret() {
        for text in [
            "organizations/acme",
            "organizations/acme/secrets",
            "organizations/acme/secrets/",
            "secrets/A",
            "organizations/acme/secrets/A/B",
            "organizations/acme/secrets/A%42",
            "organizations/acme/secrets/..",
            "organizations/acme/secrets/1A",
            "organizations/acme/secrets/\u{0410}",
            "organizations/acme/secrets/A\0",
            "organizations/acme/serviceAccounts/x/secrets/A",
        ] {
            assert!(text.parse::<SecretName>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn accepts_relaxed_names_in_paths() {
        let name: SecretName = "organizations/acme/users/bob/secrets/myToken".parse().unwrap();
        assert_eq!(name.secret_id.as_str(), "myToken");
    }

    #[test]
    fn accepts_the_longest_name_there_is() {
        let (organization, user, secret) = ("o".repeat(63), "u".repeat(128), "S".repeat(127));
        let text = format!("organizations/{organization}/users/{user}/secrets/{secret}");
        assert_eq!(text.len(), MAX_BYTES);
        assert_eq!(text.parse::<SecretName>().unwrap().to_string(), text);
    }
}
