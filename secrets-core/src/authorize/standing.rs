//! What a caller is to a resource.

use std::fmt;

use super::{Action, Resource, decide};
use crate::Uid;
use crate::grant;
use crate::principal::{Account, Principal};
use crate::role::{Binding, Level, Role};

/// One way to be entitled; the table of [`authorize`](super) is made of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Standing {
    /// The operator of the platform.
    Operator,
    /// Any user or service account.
    AnyAccount,
    /// Has any role in the organization, or on the whole platform.
    Participant,
    /// `ADMIN` on the organization.
    Admin,
    /// `ADMIN` or `MEMBER` on the organization.
    Member,
    /// `AUDITOR` on the organization.
    Auditor,
    /// `PROVISIONER` on the organization or the platform.
    Provisioner,
    /// `ADMIN` on the project.
    ProjectAdmin,
    /// `ADMIN` or `MEMBER` on the project.
    ProjectMember,
    /// The workspace's owner.
    Owner,
    /// `MEMBER` on the workspace.
    WorkspaceMember,
    /// Will own the workspace, and takes part in its project.
    OwnerToBe,
    /// An organization's `ADMIN`, once the workspace's owner has left.
    AdminWithoutOwner,
    /// The user or service account itself.
    Themselves,
    /// The context's user, who takes part in all that the context names.
    UserOfContext,
    /// The session of exactly this context, whose minter may still mint it.
    SessionOfContext,
    /// `RESOLVER` on the organization, project or workspace of a context without a user.
    ResolverOfContext,
    /// `DELEGATE` on the organization or the platform, for a user who takes part in all that the context names.
    DelegateForUser,
    /// An organization's `ADMIN`, for a context without a user.
    AdminWithoutUser,
    /// Minted the session.
    Minter,
    /// The user whom the session serves.
    UserOfSession,
}

impl Standing {
    /// Whether the principal has this standing towards the resource.
    pub(super) fn is_held(self, principal: &Principal, bindings: &[Binding], resource: &Resource) -> bool {
        match (self, *principal) {
            (Self::Operator, Principal::Operator) => true,
            (Self::SessionOfContext, Principal::Session { context, minter, .. }) => {
                matches!(*resource, Resource::Context { context: asked, .. } if asked == context)
                    && decide(&minter.into(), bindings, Action::MintSession, resource).is_ok()
            }
            _ => principal.account().is_some_and(|account| Caller { account, bindings, resource }.has(self)),
        }
    }
}

/// A user or service account, the bindings among which its own are, and the resource in question.
struct Caller<'a> {
    account: Account,
    bindings: &'a [Binding],
    resource: &'a Resource,
}

impl Caller<'_> {
    fn has(&self, standing: Standing) -> bool {
        let resource = self.resource;
        if resource.organization().is_some_and(|organization| !self.account.may_enter(organization)) {
            return false;
        }
        match standing {
            // No account has these.
            Standing::Operator | Standing::SessionOfContext => false,

            Standing::AnyAccount => true,
            Standing::Themselves => resource.account() == Some(self.account),

            Standing::Participant => self.participates(),
            Standing::Admin => self.holds(&[Role::Admin], resource.organization_level()),
            Standing::Member => self.holds(&[Role::Admin, Role::Member], resource.organization_level()),
            Standing::Auditor => self.holds(&[Role::Auditor], resource.organization_level()),
            Standing::Provisioner => self.holds_here_or_everywhere(Role::Provisioner),

            Standing::ProjectAdmin => self.holds(&[Role::Admin], resource.project_level()),
            Standing::ProjectMember => self.holds(&[Role::Admin, Role::Member], resource.project_level()),

            Standing::Owner => self.owns_the_workspace(),
            Standing::WorkspaceMember => self.holds(&[Role::Member], resource.workspace_level()),
            Standing::OwnerToBe => self.owns_the_workspace() && self.takes_part_in_the_project(),
            Standing::AdminWithoutOwner => self.has(Standing::Admin) && resource.owner().is_none(),

            Standing::UserOfContext => self.is_user(resource.user_of_context()) && self.takes_part(),
            Standing::ResolverOfContext => {
                let levels = [resource.organization_level(), resource.project_level(), resource.workspace_level()];
                resource.user_of_context().is_none()
                    && levels.into_iter().any(|level| self.holds(&[Role::Resolver], level))
            }
            Standing::DelegateForUser => {
                let user = resource.organization().zip(resource.user_of_context());
                let on_behalf_of =
                    |(organization, user)| Caller { account: Account::User { organization, user }, ..*self };
                self.holds_here_or_everywhere(Role::Delegate)
                    && user.map(on_behalf_of).is_some_and(|user| user.takes_part())
            }
            Standing::AdminWithoutUser => self.has(Standing::Admin) && resource.user_of_context().is_none(),

            Standing::Minter => matches!(*resource, Resource::Session { minter, .. } if minter == self.account),
            Standing::UserOfSession => {
                matches!(*resource, Resource::Session { context, .. } if self.is_user(context.user))
            }
        }
    }

    /// Whether one of the account's bindings gives it one of these roles there.
    ///
    /// A role that does not exist there for such an account counts for nothing. Below the organization a user's roles
    /// count only while they are its member.
    fn holds(&self, roles: &[Role], on: Option<Level>) -> bool {
        let Some(on) = on else { return false };
        let counts = match (on, self.account) {
            (Level::Project { .. } | Level::Workspace { .. }, Account::User { .. }) => self.has(Standing::Member),
            _ => true,
        };
        counts
            && roles.iter().any(|role| {
                grant::exists(*role, on.kind(), self.account.kind())
                    && self.bindings.contains(&Binding { principal: self.account.reference(), role: *role, on })
            })
    }

    fn holds_here_or_everywhere(&self, role: Role) -> bool {
        let here = self.resource.organization_level();
        here.is_some() && (self.holds(&[role], here) || self.holds(&[role], Some(Level::Platform)))
    }

    fn participates(&self) -> bool {
        let organization = self.resource.organization();
        self.bindings.iter().any(|binding| {
            let reaches_here = binding.on == Level::Platform || binding.on.organization() == organization;
            reaches_here && self.holds(&[binding.role], Some(binding.on))
        })
    }

    fn is_user(&self, uid: Option<Uid>) -> bool {
        matches!(self.account, Account::User { user, .. } if uid == Some(user))
    }

    fn owns_the_workspace(&self) -> bool {
        self.is_user(self.resource.owner()) && self.has(Standing::Member)
    }

    fn takes_part_in_the_project(&self) -> bool {
        self.resource.project_level().is_none() || self.has(Standing::ProjectMember)
    }

    fn takes_part_in_the_workspace(&self) -> bool {
        self.resource.workspace_level().is_none() || self.owns_the_workspace() || self.has(Standing::WorkspaceMember)
    }

    /// Membership in the organization and in whatever project and workspace the resource names.
    fn takes_part(&self) -> bool {
        self.has(Standing::Member) && self.takes_part_in_the_project() && self.takes_part_in_the_workspace()
    }
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Operator => "the operator",
            Self::AnyAccount => "any user or service account",
            Self::Participant => "whoever has a role in the organization",
            Self::Admin => "an organization admin",
            Self::Member => "a member of the organization",
            Self::Auditor => "an auditor",
            Self::Provisioner => "a provisioner",
            Self::ProjectAdmin => "a project admin",
            Self::ProjectMember => "a member of the project",
            Self::Owner => "the workspace's owner",
            Self::WorkspaceMember => "a member of the workspace",
            Self::OwnerToBe => "its owner to be, who is a member of its project",
            Self::AdminWithoutOwner => "an organization admin once its owner has left",
            Self::Themselves => "that very user or service account",
            Self::UserOfContext => "the context's user with membership in all that it names",
            Self::SessionOfContext => "the context's session while its minter may mint it",
            Self::ResolverOfContext => "a resolver for a context without a user",
            Self::DelegateForUser => "a delegate for a user with membership in all that the context names",
            Self::AdminWithoutUser => "an organization admin for a context without a user",
            Self::Minter => "whoever minted the session",
            Self::UserOfSession => "the session's user",
        })
    }
}
