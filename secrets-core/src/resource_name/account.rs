//! The names of whoever calls: of accounts, which are users and service accounts, and of principals of every kind.

use std::fmt;
use std::str::FromStr;

use super::{InvalidResourceName, SessionName, UserName, segments};
use crate::identifier::{OrganizationId, ServiceAccountId};

/// The name of a service account: `organizations/{organization}/serviceAccounts/{service_account}`, or
/// `serviceAccounts/{service_account}` for one of the platform.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServiceAccountName {
    /// The organization it belongs to; `None`: the platform.
    pub organization: Option<OrganizationId>,
    /// What it is called there.
    pub id: ServiceAccountId,
}

impl FromStr for ServiceAccountName {
    type Err = InvalidResourceName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const SHAPES: &str =
            "`organizations/{organization}/serviceAccounts/{service_account}` or `serviceAccounts/{service_account}`";
        match segments(text, SHAPES)?.as_slice() {
            ["serviceAccounts", id] => Ok(Self { organization: None, id: id.parse()? }),
            ["organizations", organization, "serviceAccounts", id] => {
                Ok(Self { organization: Some(organization.parse()?), id: id.parse()? })
            }
            _ => Err(InvalidResourceName::Shape { expected: SHAPES }),
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

/// The name of an account: whoever can hold roles and tokens.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AccountName {
    /// A user.
    User(UserName),
    /// A service account of an organization or of the platform.
    ServiceAccount(ServiceAccountName),
}

impl AccountName {
    /// The organization it belongs to; `None` for a service account of the platform.
    pub const fn organization(&self) -> Option<&OrganizationId> {
        match self {
            Self::User(name) => Some(&name.organization),
            Self::ServiceAccount(name) => name.organization.as_ref(),
        }
    }
}

impl FromStr for AccountName {
    type Err = InvalidResourceName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const SHAPES: &str = "`organizations/{organization}/users/{user}`, \
                              `organizations/{organization}/serviceAccounts/{service_account}` or \
                              `serviceAccounts/{service_account}`";
        match segments(text, SHAPES)?.as_slice() {
            ["organizations", _, "users", _] => Ok(Self::User(text.parse()?)),
            ["organizations", _, "serviceAccounts", _] | ["serviceAccounts", _] => {
                Ok(Self::ServiceAccount(text.parse()?))
            }
            _ => Err(InvalidResourceName::Shape { expected: SHAPES }),
        }
    }
}

impl fmt::Display for AccountName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(name) => name.fmt(f),
            Self::ServiceAccount(name) => name.fmt(f),
        }
    }
}

impl From<UserName> for AccountName {
    fn from(name: UserName) -> Self {
        Self::User(name)
    }
}

impl From<ServiceAccountName> for AccountName {
    fn from(name: ServiceAccountName) -> Self {
        Self::ServiceAccount(name)
    }
}

/// The name of whoever makes a call, as the audit log and `WhoAmI` have it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PrincipalName {
    /// `operator`
    Operator,
    /// A user or a service account.
    Account(AccountName),
    /// A session.
    Session(SessionName),
}

impl PrincipalName {
    /// The organization it belongs to; `None` for the operator and for a service account of the platform.
    pub const fn organization(&self) -> Option<&OrganizationId> {
        match self {
            Self::Operator => None,
            Self::Account(name) => name.organization(),
            Self::Session(name) => Some(&name.organization),
        }
    }
}

impl FromStr for PrincipalName {
    type Err = InvalidResourceName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const SHAPES: &str = "`organizations/{organization}/users/{user}`, \
                              `organizations/{organization}/serviceAccounts/{service_account}`, \
                              `serviceAccounts/{service_account}`, `organizations/{organization}/sessions/{uid}` or \
                              `operator`";
        match segments(text, SHAPES)?.as_slice() {
            ["operator"] => Ok(Self::Operator),
            ["organizations", _, "sessions", _] => Ok(Self::Session(text.parse()?)),
            ["organizations", _, "users" | "serviceAccounts", _] | ["serviceAccounts", _] => {
                Ok(Self::Account(text.parse()?))
            }
            _ => Err(InvalidResourceName::Shape { expected: SHAPES }),
        }
    }
}

impl fmt::Display for PrincipalName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Operator => f.write_str("operator"),
            Self::Account(name) => name.fmt(f),
            Self::Session(name) => name.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_service_accounts_of_the_platform_and_of_organizations() {
        let platform: ServiceAccountName = "serviceAccounts/sandboxd".parse().unwrap();
        assert_eq!((platform.organization, platform.id.as_str()), (None, "sandboxd"));
        let text = "organizations/acme/serviceAccounts/ci";
        assert_eq!(text.parse::<ServiceAccountName>().unwrap().to_string(), text);
        assert!("organizations/acme".parse::<ServiceAccountName>().is_err());
    }

    #[test]
    fn reads_the_three_kinds_of_account() {
        for (text, organization) in [
            ("organizations/acme/users/bob@example.com", Some("acme")),
            ("organizations/acme/serviceAccounts/ci", Some("acme")),
            ("serviceAccounts/sandboxd", None),
        ] {
            let name: AccountName = text.parse().unwrap();
            assert_eq!(name.to_string(), text);
            assert_eq!(name.organization().map(OrganizationId::as_str), organization);
            assert_eq!(text.parse(), Ok(PrincipalName::Account(name)));
        }
    }

    #[test]
    fn refuses_other_accounts_and_says_what_is_expected() {
        for text in ["bob", "organizations/acme", "organizations/acme/projects/api", "users/bob", "operator"] {
            let error = text.parse::<AccountName>().unwrap_err().to_string();
            assert!(error.starts_with("expected `organizations/{organization}/users/{user}`, "), "{text}: {error}");
        }
        assert!("organizations/acme/users/../x".parse::<AccountName>().is_err());
    }

    #[test]
    fn reads_every_kind_of_principal() {
        for (text, organization) in [
            ("operator", None),
            ("serviceAccounts/sandboxd", None),
            ("organizations/acme/users/bob", Some("acme")),
            ("organizations/acme/sessions/7c2a51d2-0a5c-4d9d-9f3b-1d1f6b7c2e11", Some("acme")),
        ] {
            let name: PrincipalName = text.parse().unwrap();
            assert_eq!(name.to_string(), text);
            assert_eq!(name.organization().map(OrganizationId::as_str), organization);
        }
        for text in [
            "organizations/acme",
            "organizations/acme/projects/api",
            "organizations/acme/sessions/7",
            "organizations/../sessions/7c2a51d2-0a5c-4d9d-9f3b-1d1f6b7c2e11",
            "organizations/acme/sessions/7C2A51D2-0A5C-4D9D-9F3B-1D1F6B7C2E11",
        ] {
            assert!(text.parse::<PrincipalName>().is_err(), "{text}");
        }
    }
}
