//! The names that requests use for scopes, secrets and service accounts: paths of collections and identifiers.
//!
//! They are split at `/` and nothing else: no percent-decoding, no case folding, no `..`, no empty segments.

use std::fmt;
use std::str::FromStr;

use crate::identifier::{InvalidIdentifier, OrganizationId, ProjectId, ServiceAccountId, UserId, WorkspaceId};
use crate::name::{InvalidSecretId, NamePolicy, SecretId};
use crate::scope::ScopeKind;

/// The length of the longest resource name that passes: a user's secret with every identifier at its limit.
const MAX_BYTES: usize = 348;

/// A scope by name: `organizations/acme`, or one of its projects, workspaces or users.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ScopeName {
    /// `organizations/{organization}`
    Organization(OrganizationId),
    /// `organizations/{organization}/projects/{project}`
    Project(OrganizationId, ProjectId),
    /// `organizations/{organization}/workspaces/{workspace}`
    Workspace(OrganizationId, WorkspaceId),
    /// `organizations/{organization}/users/{user}`
    User(OrganizationId, UserId),
}

/// A secret by name: its scope, then `/secrets/{secret_id}`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SecretName {
    /// Where it lives.
    pub scope: ScopeName,
    /// What it is called there.
    pub secret_id: SecretId,
}

/// A service account by name: `organizations/{organization}/serviceAccounts/{id}`, or the platform's own
/// `serviceAccounts/{id}`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServiceAccountName {
    /// The organization it belongs to; none for the platform's own.
    pub organization: Option<OrganizationId>,
    /// What it is called there.
    pub id: ServiceAccountId,
}

/// Why a text is no resource name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InvalidResourceName {
    /// It is longer than every name that passes.
    TooLong {
        /// Its length in bytes.
        length: usize,
    },
    /// Two slashes meet, or one stands at an end.
    EmptySegment,
    /// Its collections are not those of this kind of name.
    Shape {
        /// The shapes that pass.
        expected: &'static str,
    },
    /// One of its identifiers does not pass.
    Identifier(InvalidIdentifier),
    /// The name of the secret does not pass.
    SecretId(InvalidSecretId),
}

const SCOPE_SHAPES: &str = "`organizations/{organization}`, alone or followed by `/projects/{project}`, \
                            `/workspaces/{workspace}` or `/users/{user}`";
const SECRET_SHAPES: &str = "`organizations/{organization}[/projects/{project} | /workspaces/{workspace} | \
                             /users/{user}]/secrets/{secret}`";
const SERVICE_ACCOUNT_SHAPES: &str =
    "`organizations/{organization}/serviceAccounts/{service_account}` or `serviceAccounts/{service_account}`";

impl ScopeName {
    /// The organization it is in, or is.
    pub const fn organization(&self) -> &OrganizationId {
        match self {
            Self::Organization(organization)
            | Self::Project(organization, _)
            | Self::Workspace(organization, _)
            | Self::User(organization, _) => organization,
        }
    }

    /// Which kind of scope it names.
    pub const fn kind(&self) -> ScopeKind {
        match self {
            Self::Organization(_) => ScopeKind::Organization,
            Self::Project(..) => ScopeKind::Project,
            Self::Workspace(..) => ScopeKind::Workspace,
            Self::User(..) => ScopeKind::User,
        }
    }

    /// The identifier of its last segment.
    pub fn id(&self) -> &str {
        match self {
            Self::Organization(organization) => organization.as_str(),
            Self::Project(_, project) => project.as_str(),
            Self::Workspace(_, workspace) => workspace.as_str(),
            Self::User(_, user) => user.as_str(),
        }
    }

    fn from_segments(segments: &[&str], expected: &'static str) -> Result<Self, InvalidResourceName> {
        match segments {
            ["organizations", organization] => Ok(Self::Organization(organization.parse()?)),
            ["organizations", organization, "projects", project] => {
                Ok(Self::Project(organization.parse()?, project.parse()?))
            }
            ["organizations", organization, "workspaces", workspace] => {
                Ok(Self::Workspace(organization.parse()?, workspace.parse()?))
            }
            ["organizations", organization, "users", user] => Ok(Self::User(organization.parse()?, user.parse()?)),
            _ => Err(InvalidResourceName::Shape { expected }),
        }
    }
}

impl FromStr for ScopeName {
    type Err = InvalidResourceName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::from_segments(&segments(text)?, SCOPE_SHAPES)
    }
}

impl fmt::Display for ScopeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "organizations/{}", self.organization())?;
        match self {
            Self::Organization(_) => Ok(()),
            Self::Project(_, project) => write!(f, "/projects/{project}"),
            Self::Workspace(_, workspace) => write!(f, "/workspaces/{workspace}"),
            Self::User(_, user) => write!(f, "/users/{user}"),
        }
    }
}

impl SecretName {
    /// The name of the secret `secret_id` in `scope`.
    pub const fn new(scope: ScopeName, secret_id: SecretId) -> Self {
        Self { scope, secret_id }
    }
}

/// Takes names of either policy: a secret made while an organization's policy was relaxed keeps its name.
impl FromStr for SecretName {
    type Err = InvalidResourceName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match segments(text)?.as_slice() {
            [scope @ .., "secrets", secret_id] => {
                let scope = ScopeName::from_segments(scope, SECRET_SHAPES)?;
                Ok(Self { scope, secret_id: SecretId::parse(secret_id, NamePolicy::Relaxed)? })
            }
            _ => Err(InvalidResourceName::Shape { expected: SECRET_SHAPES }),
        }
    }
}

impl fmt::Display for SecretName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/secrets/{}", self.scope, self.secret_id)
    }
}

impl FromStr for ServiceAccountName {
    type Err = InvalidResourceName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match segments(text)?.as_slice() {
            ["serviceAccounts", id] => Ok(Self { organization: None, id: id.parse()? }),
            ["organizations", organization, "serviceAccounts", id] => {
                Ok(Self { organization: Some(organization.parse()?), id: id.parse()? })
            }
            _ => Err(InvalidResourceName::Shape { expected: SERVICE_ACCOUNT_SHAPES }),
        }
    }
}

impl fmt::Display for ServiceAccountName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(organization) = &self.organization {
            write!(f, "organizations/{organization}/")?;
        }
        write!(f, "serviceAccounts/{}", self.id)
    }
}

fn segments(text: &str) -> Result<Vec<&str>, InvalidResourceName> {
    if text.len() > MAX_BYTES {
        return Err(InvalidResourceName::TooLong { length: text.len() });
    }
    let segments: Vec<_> = text.split('/').collect();
    if segments.contains(&"") { Err(InvalidResourceName::EmptySegment) } else { Ok(segments) }
}

impl From<InvalidIdentifier> for InvalidResourceName {
    fn from(error: InvalidIdentifier) -> Self {
        Self::Identifier(error)
    }
}

impl From<InvalidSecretId> for InvalidResourceName {
    fn from(error: InvalidSecretId) -> Self {
        Self::SecretId(error)
    }
}

impl fmt::Display for InvalidResourceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong { length } => write!(f, "resource name is {length} bytes long; at most {MAX_BYTES} pass"),
            Self::EmptySegment => {
                f.write_str("resource name is empty or has an empty segment; segments divided by single slashes pass")
            }
            Self::Shape { expected } => write!(f, "resource name has the wrong collections; {expected} passes"),
            Self::Identifier(error) => error.fmt(f),
            Self::SecretId(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for InvalidResourceName {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_the_four_kinds_of_scope() {
        for (text, kind, id) in [
            ("organizations/acme", ScopeKind::Organization, "acme"),
            ("organizations/acme/projects/api", ScopeKind::Project, "api"),
            ("organizations/acme/workspaces/ws1", ScopeKind::Workspace, "ws1"),
            ("organizations/acme/users/bob@example.com", ScopeKind::User, "bob@example.com"),
        ] {
            let scope: ScopeName = text.parse().unwrap();
            assert_eq!((scope.kind(), scope.id(), scope.organization().as_str()), (kind, id, "acme"));
            assert_eq!(scope.to_string(), text);
            let secret: SecretName = format!("{text}/secrets/API_KEY").parse().unwrap();
            assert_eq!((&secret.scope, secret.secret_id.as_str()), (&scope, "API_KEY"));
        }
    }

    #[test]
    fn refuses_what_is_no_scope() {
        let long = format!("organizations/{}", "a".repeat(400));
        for text in [
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
            "organizations/acme/secrets/A",
            "organizations/acme/users/..",
            "organizations/acme?x",
            &long,
        ] {
            assert!(text.parse::<ScopeName>().is_err(), "{text:?}");
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
    fn takes_relaxed_names_in_paths() {
        let name: SecretName = "organizations/acme/users/bob/secrets/myToken".parse().unwrap();
        assert_eq!(name.secret_id.as_str(), "myToken");
    }

    #[test]
    fn reads_service_accounts_of_both_levels() {
        let platform: ServiceAccountName = "serviceAccounts/sandboxd".parse().unwrap();
        assert_eq!((platform.organization, platform.id.as_str()), (None, "sandboxd"));
        let text = "organizations/acme/serviceAccounts/ci";
        assert_eq!(text.parse::<ServiceAccountName>().unwrap().to_string(), text);
        for text in
            ["serviceAccounts", "serviceAccounts/", "serviceAccounts/a/b", "serviceaccounts/a", "organizations/acme"]
        {
            assert!(text.parse::<ServiceAccountName>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn says_what_would_pass() {
        assert_eq!(
            "projects/api".parse::<ScopeName>().unwrap_err().to_string(),
            "resource name has the wrong collections; `organizations/{organization}`, alone or followed by \
             `/projects/{project}`, `/workspaces/{workspace}` or `/users/{user}` passes"
        );
        assert_eq!(
            "organizations//x".parse::<ScopeName>().unwrap_err().to_string(),
            "resource name is empty or has an empty segment; segments divided by single slashes pass"
        );
    }

    #[test]
    fn takes_the_longest_name_there_is() {
        let (organization, user, secret) = ("o".repeat(63), "u".repeat(128), "S".repeat(127));
        let text = format!("organizations/{organization}/users/{user}/secrets/{secret}");
        assert_eq!(text.len(), MAX_BYTES);
        assert_eq!(text.parse::<SecretName>().unwrap().to_string(), text);
    }

    proptest! {
        #[test]
        fn displays_what_it_parsed(text in "organizations/[a-z]{1,3}(/(projects|workspaces|users)/[a-z0-9]{1,3})?/secrets/[A-Za-z_]{1,4}") {
            prop_assert_eq!(text.parse::<SecretName>().unwrap().to_string(), text);
        }

        #[test]
        fn accepts_nothing_that_it_would_write_differently(text in "[a-zA-Z/.%]{0,40}|organizations/[a-z./%-]{0,8}(/[a-z./]{0,9}){0,3}") {
            if let Ok(scope) = text.parse::<ScopeName>() {
                prop_assert_eq!(scope.to_string(), text);
            }
        }
    }
}
