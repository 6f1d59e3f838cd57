//! The names of scopes: of organizations, projects, workspaces and users.

use std::fmt;
use std::str::FromStr;

use super::{InvalidResourceName, segments};
use crate::identifier::{OrganizationId, ProjectId, UserId, WorkspaceId};
use crate::scope::ScopeKind;

/// The name of a scope of any kind.
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

const SHAPES: &str = "`organizations/{organization}`, alone or followed by `/projects/{project}`, \
                      `/workspaces/{workspace}` or `/users/{user}`";

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

    /// The identifier in its last segment.
    pub fn id(&self) -> &str {
        match self {
            Self::Organization(organization) => organization.as_str(),
            Self::Project(_, project) => project.as_str(),
            Self::Workspace(_, workspace) => workspace.as_str(),
            Self::User(_, user) => user.as_str(),
        }
    }

    pub(super) fn from_segments(segments: &[&str], expected: &'static str) -> Result<Self, InvalidResourceName> {
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
        Self::from_segments(&segments(text, SHAPES)?, SHAPES)
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

/// The name of an organization: `organizations/{organization}`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OrganizationName {
    /// The organization.
    pub organization: OrganizationId,
}

impl OrganizationName {
    /// The name of `organization`.
    pub const fn new(organization: OrganizationId) -> Self {
        Self { organization }
    }
}

impl FromStr for OrganizationName {
    type Err = InvalidResourceName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const SHAPE: &str = "`organizations/{organization}`";
        match segments(text, SHAPE)?.as_slice() {
            ["organizations", organization] => Ok(Self::new(organization.parse()?)),
            _ => Err(InvalidResourceName::Shape { expected: SHAPE }),
        }
    }
}

impl fmt::Display for OrganizationName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "organizations/{}", self.organization)
    }
}

impl From<OrganizationName> for ScopeName {
    fn from(name: OrganizationName) -> Self {
        Self::Organization(name.organization)
    }
}

/// The name of something in a collection of an organization.
macro_rules! in_organization {
    ($(#[$doc:meta])* $name:ident, $collection:literal, $field:ident: $id:ident, $scope:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name {
            /// The organization it belongs to.
            pub organization: OrganizationId,
            /// What it is called there.
            pub $field: $id,
        }

        impl $name {
            #[doc = concat!("The name of `", stringify!($field), "` in `organization`.")]
            pub const fn new(organization: OrganizationId, $field: $id) -> Self {
                Self { organization, $field }
            }
        }

        impl FromStr for $name {
            type Err = InvalidResourceName;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                const SHAPE: &str = concat!(
                    "`organizations/{organization}/", $collection, "/{", stringify!($field), "}`"
                );
                match segments(text, SHAPE)?.as_slice() {
                    ["organizations", organization, $collection, id] => {
                        Ok(Self::new(organization.parse()?, id.parse()?))
                    }
                    _ => Err(InvalidResourceName::Shape { expected: SHAPE }),
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!("organizations/{}/", $collection, "/{}"), self.organization, self.$field)
            }
        }

        impl From<$name> for ScopeName {
            fn from(name: $name) -> Self {
                Self::$scope(name.organization, name.$field)
            }
        }
    };
}

in_organization! {
    /// The name of a project: `organizations/{organization}/projects/{project}`.
    ProjectName, "projects", project: ProjectId, Project
}
in_organization! {
    /// The name of a workspace: `organizations/{organization}/workspaces/{workspace}`.
    WorkspaceName, "workspaces", workspace: WorkspaceId, Workspace
}
in_organization! {
    /// The name of a user: `organizations/{organization}/users/{user}`.
    UserName, "users", user: UserId, User
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [(&str, ScopeKind, &str); 4] = [
        ("organizations/acme", ScopeKind::Organization, "acme"),
        ("organizations/acme/projects/api", ScopeKind::Project, "api"),
        ("organizations/acme/workspaces/ws1", ScopeKind::Workspace, "ws1"),
        ("organizations/acme/users/bob@example.com", ScopeKind::User, "bob@example.com"),
    ];

    #[test]
    fn reads_the_four_kinds_of_scope() {
        for (text, kind, id) in NAMES {
            let scope: ScopeName = text.parse().unwrap();
            assert_eq!((scope.kind(), scope.id(), scope.organization().as_str()), (kind, id, "acme"));
            assert_eq!(scope.to_string(), text);
        }
    }

    #[test]
    fn reads_each_kind_as_its_own_type_and_no_other() {
        fn reads<T: FromStr + fmt::Display + Into<ScopeName>>(kind: ScopeKind) {
            for (text, other, _) in NAMES {
                let parsed = text.parse::<T>().ok();
                assert_eq!(parsed.is_some(), kind == other, "{text}");
                if let Some(name) = parsed {
                    assert_eq!(name.to_string(), text);
                    assert_eq!(name.into().to_string(), text);
                }
            }
        }
        reads::<OrganizationName>(ScopeKind::Organization);
        reads::<ProjectName>(ScopeKind::Project);
        reads::<WorkspaceName>(ScopeKind::Workspace);
        reads::<UserName>(ScopeKind::User);
    }

    #[test]
    fn refuses_what_is_no_scope() {
        for text in ["organizations/acme/secrets/A", "organizations/acme/serviceAccounts/ci", "platform"] {
            assert!(text.parse::<ScopeName>().is_err(), "{text:?}");
        }
    }
}
