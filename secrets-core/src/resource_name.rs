//! Resource names: the paths of collections and identifiers by which requests and answers name things.
//!
//! Each kind of resource has a type of its own, which is parsed strictly and displays what it was parsed from. A name is
//! split at `/` and nothing else: no percent-decoding, no case folding, no `..`, no empty segments. To add a kind, add
//! its type to the file of its noun, and its shape to the message of [`InvalidResourceName::Shape`].

mod account;
mod credential;
mod role_resource;
mod scope;
mod secret;

pub use account::{AccountName, PrincipalName, ServiceAccountName};
pub use credential::{AdminInvitationName, SessionName, SignInCodeName, TokenName};
pub use role_resource::{BindingName, RoleResourceName};
pub use scope::{OrganizationName, ProjectName, ScopeName, UserName, WorkspaceName};
pub use secret::SecretName;

use crate::Uid;
use crate::identifier::InvalidIdentifier;
use crate::name::InvalidSecretId;

/// The length of the longest resource name, in bytes: a user's secret with every identifier at its limit.
const MAX_BYTES: usize = 348;

/// Why a text is not a valid resource name of its kind.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidResourceName {
    /// It is longer than every resource name.
    #[error("resource name must be at most {MAX_BYTES} bytes (got {length})")]
    TooLong {
        /// Its length in bytes.
        length: usize,
    },
    /// Two slashes meet, or one stands at an end; or the text is empty.
    #[error("resource name must not be empty or have empty parts; expected {expected}")]
    EmptySegment {
        /// The shapes of this kind of name.
        expected: &'static str,
    },
    /// Its collections are not those of this kind of name, or its last segment is not a uid where one belongs.
    #[error("expected {expected}")]
    Shape {
        /// The shapes of this kind of name.
        expected: &'static str,
    },
    /// One of its identifiers is not valid.
    #[error(transparent)]
    Identifier(#[from] InvalidIdentifier),
    /// The name of the secret is not valid.
    #[error(transparent)]
    SecretId(#[from] InvalidSecretId),
}

/// The segments of a name of the kind whose shapes are `expected`.
fn segments<'a>(text: &'a str, expected: &'static str) -> Result<Vec<&'a str>, InvalidResourceName> {
    if text.len() > MAX_BYTES {
        return Err(InvalidResourceName::TooLong { length: text.len() });
    }
    let segments: Vec<_> = text.split('/').collect();
    if segments.contains(&"") { Err(InvalidResourceName::EmptySegment { expected }) } else { Ok(segments) }
}

/// A uid in the one spelling in which names have it: lower case, with hyphens.
fn uid(text: &str, expected: &'static str) -> Result<Uid, InvalidResourceName> {
    let uid = Uid::try_parse(text).ok().filter(|uid| uid.to_string() == text);
    uid.ok_or(InvalidResourceName::Shape { expected })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// No name of any kind.
    pub(super) const NO_NAMES: &[&str] = &[
        "",
        "/",
        "acme",
        "organizations",
        "organizations/",
        "/organizations/acme",
        "organizations/acme/",
        "organizations//projects/api",
        "Organizations/acme",
        "organizations/Acme",
        "organizations/acme/projects",
        "organizations/acme/projects/../projects/api",
        "organizations/../acme",
        "organizations/./acme",
        "organizations/acme/projects/api/workspaces/ws1",
        "organizations/acme/project/api",
        "projects/api",
        "organizations/acme%2Fprojects/api",
        "organizations/acme/users/%62ob",
        "organizations/acme\0",
        "organizations/\u{0430}cme",
        "organizations\\acme",
        " organizations/acme",
        "organizations/acme\n",
        "organizations/acme/users/..",
        "organizations/acme?x",
        "platform/",
        "Platform",
        "users/bob",
        "serviceAccounts",
        "serviceAccounts/",
        "serviceAccounts/a/b",
        "serviceaccounts/a",
    ];

    #[test]
    fn refuses_what_is_no_name_of_any_kind() {
        let long = format!("organizations/{}", "a".repeat(400));
        for text in NO_NAMES.iter().copied().chain([long.as_str()]) {
            assert!(text.parse::<ScopeName>().is_err(), "{text:?}");
            assert!(text.parse::<SecretName>().is_err(), "{text:?}");
            assert!(text.parse::<PrincipalName>().is_err(), "{text:?}");
            assert!(text.parse::<RoleResourceName>().is_err(), "{text:?}");
            assert!(text.parse::<TokenName>().is_err(), "{text:?}");
            assert!(text.parse::<BindingName>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn says_what_is_expected() {
        assert_eq!(
            "projects/api".parse::<ProjectName>().unwrap_err().to_string(),
            "expected `organizations/{organization}/projects/{project}`"
        );
        assert_eq!(
            "organizations//x".parse::<OrganizationName>().unwrap_err().to_string(),
            "resource name must not be empty or have empty parts; expected `organizations/{organization}`"
        );
        assert_eq!(
            "organizations/Acme".parse::<OrganizationName>().unwrap_err().to_string(),
            "invalid character `A` at byte 0 of organization identifier; did you mean `acme`?"
        );
    }

    proptest! {
        #[test]
        fn displays_what_it_parsed(text in "organizations/[a-z]{1,3}(/(projects|workspaces|users)/[a-z0-9]{1,3})?/secrets/[A-Za-z_]{1,4}") {
            prop_assert_eq!(text.parse::<SecretName>().unwrap().to_string(), text);
        }

        #[test]
        fn accepts_nothing_that_it_would_write_differently(text in "[a-zA-Z/.%]{0,40}|organizations/[a-z./%-]{0,8}(/[a-z./]{0,9}){0,3}") {
            if let Ok(scope) = text.parse::<ScopeName>() {
                prop_assert_eq!(scope.to_string(), text.clone());
            }
            if let Ok(principal) = text.parse::<PrincipalName>() {
                prop_assert_eq!(principal.to_string(), text);
            }
        }
    }
}
