//! To what it is done.

use std::fmt;

use crate::Uid;
use crate::context::Context;
use crate::principal::Account;
use crate::role::{Role, RoleResource};

/// A resource with the facts on which decisions about it rest. What is about to be made is described as it will be.
///
/// `owner` is always the owner of the workspace in question, as its row says it: `None` when the owner has left, and
/// when there is no workspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Resource {
    /// All organizations at once, the operator's tokens, and keys.
    Platform,
    /// An organization, its secrets, and what is to be made in it.
    Organization(Uid),
    /// A project and its secrets.
    Project {
        /// The organization it belongs to.
        organization: Uid,
        /// The project.
        project: Uid,
    },
    /// A workspace and its secrets.
    Workspace {
        /// The organization it belongs to.
        organization: Uid,
        /// The workspace; the nil uid serves for one that is to be made.
        workspace: Uid,
        /// The project it belongs to.
        project: Option<Uid>,
        /// The user who owns it.
        owner: Option<Uid>,
    },
    /// A user, their own secrets and tokens.
    User {
        /// The organization they belong to.
        organization: Uid,
        /// The user.
        user: Uid,
    },
    /// A service account and its tokens.
    ServiceAccount {
        /// The organization it belongs to; `None`: the platform.
        organization: Option<Uid>,
        /// The service account.
        service_account: Uid,
    },
    /// For whom a set is resolved.
    Context {
        /// The context, with the project that its workspace implies.
        context: Context,
        /// The user who owns its workspace.
        owner: Option<Uid>,
    },
    /// A session, as others see it.
    Session {
        /// The session.
        session: Uid,
        /// The one context it serves.
        context: Context,
        /// Who created it, or created the session that did.
        creator: Account,
    },
    /// A role that somebody has or shall have.
    Binding {
        /// Who.
        holder: Account,
        /// Is what.
        role: Role,
        /// Where.
        resource: RoleResource,
        /// The user who owns the workspace.
        owner: Option<Uid>,
    },
}

/// The kinds of resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "each is the variant of the same name")]
pub enum ResourceKind {
    Platform,
    Organization,
    Project,
    Workspace,
    User,
    ServiceAccount,
    PlatformServiceAccount,
    Context,
    Session,
    Binding,
}

impl Resource {
    /// What it is.
    pub const fn kind(&self) -> ResourceKind {
        match self {
            Self::Platform => ResourceKind::Platform,
            Self::Organization(_) => ResourceKind::Organization,
            Self::Project { .. } => ResourceKind::Project,
            Self::Workspace { .. } => ResourceKind::Workspace,
            Self::User { .. } => ResourceKind::User,
            Self::ServiceAccount { organization: Some(_), .. } => ResourceKind::ServiceAccount,
            Self::ServiceAccount { organization: None, .. } => ResourceKind::PlatformServiceAccount,
            Self::Context { .. } => ResourceKind::Context,
            Self::Session { .. } => ResourceKind::Session,
            Self::Binding { .. } => ResourceKind::Binding,
        }
    }

    /// The organization it is or belongs to; none for the platform and what is the platform's.
    pub const fn organization(&self) -> Option<Uid> {
        match *self {
            Self::Platform => None,
            Self::Organization(organization)
            | Self::Project { organization, .. }
            | Self::Workspace { organization, .. }
            | Self::User { organization, .. } => Some(organization),
            Self::ServiceAccount { organization, .. } => organization,
            Self::Context { context, .. } | Self::Session { context, .. } => Some(context.organization),
            Self::Binding { resource, .. } => resource.organization(),
        }
    }

    /// The organization, as a resource on which roles are held.
    pub(super) fn organization_resource(&self) -> Option<RoleResource> {
        self.organization().map(RoleResource::Organization)
    }

    /// The project it is or belongs to.
    pub(super) fn project_resource(&self) -> Option<RoleResource> {
        let project = match *self {
            Self::Binding { resource: resource @ RoleResource::Project { .. }, .. } => return Some(resource),
            Self::Project { project, .. } => Some(project),
            Self::Workspace { project, .. } => project,
            Self::Context { context, .. } => context.project,
            _ => None,
        };
        self.organization().zip(project).map(|(organization, project)| RoleResource::Project { organization, project })
    }

    /// The workspace it is or belongs to.
    pub(super) fn workspace_resource(&self) -> Option<RoleResource> {
        let workspace = match *self {
            Self::Binding { resource: resource @ RoleResource::Workspace { .. }, .. } => return Some(resource),
            Self::Workspace { workspace, .. } => Some(workspace),
            Self::Context { context, .. } => context.workspace,
            _ => None,
        };
        self.organization()
            .zip(workspace)
            .map(|(organization, workspace)| RoleResource::Workspace { organization, workspace })
    }

    /// The owner of that workspace.
    pub(super) const fn owner(&self) -> Option<Uid> {
        match *self {
            Self::Workspace { owner, .. } | Self::Context { owner, .. } | Self::Binding { owner, .. } => owner,
            _ => None,
        }
    }

    /// The user for whom a set is resolved.
    pub(super) const fn user_of_context(&self) -> Option<Uid> {
        match *self {
            Self::Context { context, .. } => context.user,
            _ => None,
        }
    }

    /// The account it is.
    pub(super) const fn account(&self) -> Option<Account> {
        match *self {
            Self::User { organization, user } => Some(Account::User { organization, user }),
            Self::ServiceAccount { organization, service_account } => {
                Some(Account::ServiceAccount { organization, service_account })
            }
            _ => None,
        }
    }
}

impl fmt::Display for ResourceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Platform => "the platform",
            Self::Organization => "an organization",
            Self::Project => "a project",
            Self::Workspace => "a workspace",
            Self::User => "a user",
            Self::ServiceAccount => "a service account",
            Self::PlatformServiceAccount => "a service account of the platform",
            Self::Context => "a context",
            Self::Session => "a session",
            Self::Binding => "a role",
        })
    }
}
