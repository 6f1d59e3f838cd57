//! What a principal is on a resource.

use std::fmt;

use crate::Uid;
use crate::principal::Account;

/// A role; [`binding`](crate::binding) says which exist where and who can hold them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Manages an organization or a project, and its secrets.
    Admin,
    /// Takes part in an organization, a project or a workspace.
    Member,
    /// Reads an organization's audit events, not its secrets.
    Auditor,
    /// Has a workspace. Every workspace has exactly one, and names it itself: no binding says so.
    Owner,
    /// Resolves contexts without a user.
    Resolver,
    /// Creates sessions on behalf of users.
    Delegate,
    /// Manages projects, workspaces and memberships, and sees no secret.
    Provisioner,
}

crate::wire_enum::wire_enum!(Role, "role", {
    Admin => "ADMIN",
    Member => "MEMBER",
    Auditor => "AUDITOR",
    Owner => "OWNER",
    Resolver => "RESOLVER",
    Delegate => "DELEGATE",
    Provisioner => "PROVISIONER",
});

/// The kinds of resource on which roles are held, the broadest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RoleResourceKind {
    /// All organizations at once.
    Platform,
    /// One organization.
    Organization,
    /// One project.
    Project,
    /// One workspace.
    Workspace,
}

crate::wire_enum::wire_enum!(RoleResourceKind, "resource", {
    Platform => "PLATFORM",
    Organization => "ORGANIZATION",
    Project => "PROJECT",
    Workspace => "WORKSPACE",
});

impl fmt::Display for RoleResourceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Platform => "the platform",
            Self::Organization => "an organization",
            Self::Project => "a project",
            Self::Workspace => "a workspace",
        })
    }
}

/// A resource on which roles are held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RoleResource {
    /// All organizations at once.
    Platform,
    /// One organization.
    Organization(Uid),
    /// One project.
    Project {
        /// The organization it belongs to.
        organization: Uid,
        /// The project.
        project: Uid,
    },
    /// One workspace.
    Workspace {
        /// The organization it belongs to.
        organization: Uid,
        /// The workspace.
        workspace: Uid,
    },
}

impl RoleResource {
    /// What it is.
    pub const fn kind(self) -> RoleResourceKind {
        match self {
            Self::Platform => RoleResourceKind::Platform,
            Self::Organization(_) => RoleResourceKind::Organization,
            Self::Project { .. } => RoleResourceKind::Project,
            Self::Workspace { .. } => RoleResourceKind::Workspace,
        }
    }

    /// The organization it is or belongs to; none for the platform.
    pub const fn organization(self) -> Option<Uid> {
        match self {
            Self::Platform => None,
            Self::Organization(organization)
            | Self::Project { organization, .. }
            | Self::Workspace { organization, .. } => Some(organization),
        }
    }

    /// Whether the account can have any role there: nobody has one in another organization than their own.
    pub fn admits(self, account: Account) -> bool {
        self.organization().is_none_or(|organization| account.may_enter(organization))
    }

    /// The uid of the resource; the nil uid for the platform.
    pub const fn uid(self) -> Uid {
        match self {
            Self::Platform => Uid::nil(),
            Self::Organization(uid) | Self::Project { project: uid, .. } | Self::Workspace { workspace: uid, .. } => {
                uid
            }
        }
    }
}
