//! The names of the resources on which roles are held, and of the bindings there.

use std::fmt;
use std::str::FromStr;

use super::{InvalidResourceName, ScopeName, segments, uid};
use crate::Uid;
use crate::identifier::OrganizationId;

/// The name of a resource on which roles are held.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RoleResourceName {
    /// `platform`
    Platform,
    /// `organizations/{organization}`, alone or followed by `/projects/{project}` or `/workspaces/{workspace}`; never
    /// a user, on whom no roles are held.
    Scope(ScopeName),
}

impl RoleResourceName {
    /// The organization it is or belongs to; `None` for the platform.
    pub const fn organization(&self) -> Option<&OrganizationId> {
        match self {
            Self::Platform => None,
            Self::Scope(scope) => Some(scope.organization()),
        }
    }

    fn from_segments(segments: &[&str], expected: &'static str) -> Result<Self, InvalidResourceName> {
        match segments {
            ["platform"] => Ok(Self::Platform),
            ["organizations", _, "users", _] => Err(InvalidResourceName::Shape { expected }),
            _ => Ok(Self::Scope(ScopeName::from_segments(segments, expected)?)),
        }
    }
}

impl FromStr for RoleResourceName {
    type Err = InvalidResourceName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const SHAPES: &str = "`organizations/{organization}`, alone or followed by `/projects/{project}` or \
                              `/workspaces/{workspace}`, or `platform`";
        Self::from_segments(&segments(text, SHAPES)?, SHAPES)
    }
}

impl fmt::Display for RoleResourceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Platform => f.write_str("platform"),
            Self::Scope(scope) => scope.fmt(f),
        }
    }
}

/// The name of a binding: a resource on which roles are held, then `/bindings/{uid}`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BindingName {
    /// The resource on which the role is held.
    pub resource: RoleResourceName,
    /// The uid of the binding.
    pub uid: Uid,
}

impl FromStr for BindingName {
    type Err = InvalidResourceName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const SHAPES: &str = "`organizations/{organization}`, alone or followed by `/projects/{project}` or \
                              `/workspaces/{workspace}`, or `platform`, followed by `/bindings/{uid}`";
        match segments(text, SHAPES)?.as_slice() {
            [resource @ .., "bindings", id] => {
                let resource = RoleResourceName::from_segments(resource, SHAPES)?;
                Ok(Self { resource, uid: uid(id, SHAPES)? })
            }
            _ => Err(InvalidResourceName::Shape { expected: SHAPES }),
        }
    }
}

impl fmt::Display for BindingName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/bindings/{}", self.resource, self.uid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RESOURCES: [&str; 4] =
        ["platform", "organizations/acme", "organizations/acme/projects/api", "organizations/acme/workspaces/ws1"];

    #[test]
    fn reads_the_four_kinds_of_resource_and_their_bindings() {
        for text in RESOURCES {
            let name: RoleResourceName = text.parse().unwrap();
            assert_eq!(name.to_string(), text);
            assert_eq!(name.organization().is_none(), text == "platform");
            let binding = format!("{text}/bindings/7c2a51d2-0a5c-4d9d-9f3b-1d1f6b7c2e11");
            assert_eq!(binding.parse::<BindingName>().unwrap().to_string(), binding);
            assert_eq!(binding.parse::<BindingName>().unwrap().resource, name);
        }
    }

    #[test]
    fn refuses_a_user_and_says_what_is_expected() {
        for text in ["organizations/acme/users/bob", "serviceAccounts/x"] {
            let error = text.parse::<RoleResourceName>().unwrap_err().to_string();
            assert!(error.starts_with("expected `organizations/{organization}`, alone or"), "{text}: {error}");
        }
    }

    #[test]
    fn refuses_what_is_no_binding() {
        for text in ["platform/bindings/", "bindings/x", "organizations/acme/bindings/1", "platform"] {
            assert!(text.parse::<BindingName>().is_err(), "{text}");
        }
    }
}
