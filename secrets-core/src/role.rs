//! What a principal is on a resource.

use std::fmt;

use crate::Uid;
use crate::principal::{Account, PrincipalRef};

/// A role; [`grant`](crate::grant) says which exist where, who can hold them and who gives them.
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
    /// Mints sessions on behalf of users.
    Delegate,
    /// Manages projects, workspaces and memberships, and sees no secret.
    Provisioner,
}

crate::keyword::keywords!(Role, "role", {
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
pub enum LevelKind {
    /// All organizations at once.
    Platform,
    /// One organization.
    Organization,
    /// One project.
    Project,
    /// One workspace.
    Workspace,
}

crate::keyword::keywords!(LevelKind, "level", {
    Platform => "PLATFORM",
    Organization => "ORGANIZATION",
    Project => "PROJECT",
    Workspace => "WORKSPACE",
});

impl fmt::Display for LevelKind {
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
pub enum Level {
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

impl Level {
    /// What it is.
    pub const fn kind(self) -> LevelKind {
        match self {
            Self::Platform => LevelKind::Platform,
            Self::Organization(_) => LevelKind::Organization,
            Self::Project { .. } => LevelKind::Project,
            Self::Workspace { .. } => LevelKind::Workspace,
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

/// A principal has a role on a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Binding {
    /// Who.
    pub principal: PrincipalRef,
    /// Is what.
    pub role: Role,
    /// Where.
    pub on: Level,
}
