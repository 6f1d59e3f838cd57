//! What a caller is to a resource.

use std::fmt;

use super::{Action, Resource, decide};
use crate::Uid;
use crate::binding::{self, Binding};
use crate::principal::{Account, Principal};
use crate::role::{Role, RoleResource};

/// One way to be entitled; the table of [`authorize`](super) is made of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Entitlement {
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
    /// The session of exactly this context, whose creator may still create it.
    SessionOfContext,
    /// `RESOLVER` on the organization, project or workspace of a context without a user.
    ResolverOfContext,
    /// `DELEGATE` on the organization or the platform, for a user who takes part in all that the context names.
    DelegateForUser,
    /// An organization's `ADMIN`, for a context without a user.
    AdminWithoutUser,
    /// Created the session.
    Creator,
    /// The user whom the session serves.
    UserOfSession,
}

crate::wire_enum::wire_enum!(Entitlement, "entitlement", {
    Operator => "OPERATOR",
    AnyAccount => "ANY_ACCOUNT",
    Participant => "PARTICIPANT",
    Admin => "ORGANIZATION_ADMIN",
    Member => "ORGANIZATION_MEMBER",
    Auditor => "AUDITOR",
    Provisioner => "PROVISIONER",
    ProjectAdmin => "PROJECT_ADMIN",
    ProjectMember => "PROJECT_MEMBER",
    Owner => "WORKSPACE_OWNER",
    WorkspaceMember => "WORKSPACE_MEMBER",
    OwnerToBe => "OWNER_TO_BE",
    AdminWithoutOwner => "ADMIN_WITHOUT_OWNER",
    Themselves => "THEMSELVES",
    UserOfContext => "USER_OF_CONTEXT",
    SessionOfContext => "SESSION_OF_CONTEXT",
    ResolverOfContext => "RESOLVER_OF_CONTEXT",
    DelegateForUser => "DELEGATE_FOR_USER",
    AdminWithoutUser => "ADMIN_WITHOUT_USER",
    Creator => "CREATOR",
    UserOfSession => "USER_OF_SESSION",
});

impl Entitlement {
    /// Whether the principal has this entitlement towards the resource.
    pub(super) fn is_held(self, principal: &Principal, bindings: &[Binding], resource: &Resource) -> bool {
        match (self, *principal) {
            (Self::Operator, Principal::Operator) => true,
            (Self::SessionOfContext, Principal::Session { context, creator, .. }) => {
                matches!(*resource, Resource::Context { context: asked, .. } if asked == context)
                    && decide(&creator.into(), bindings, Action::CreateSession, resource).is_ok()
            }
            _ => principal.account().is_some_and(|account| Caller { account, bindings, resource }.has(self)),
        }
    }
}

/// The first of what a context names in which its user does not take part, where that alone keeps the principal out: it is that
/// user, or acts for users as a delegate.
pub(super) fn missing_membership(
    principal: &Principal,
    bindings: &[Binding],
    row: &[Entitlement],
    resource: &Resource,
) -> Option<(Uid, RoleResource)> {
    let caller = Caller { account: principal.account()?, bindings, resource };
    let (organization, user) = resource.organization().zip(resource.user_of_context())?;
    let is_own = row.contains(&Entitlement::UserOfContext) && caller.is_user(Some(user));
    let is_delegate = row.contains(&Entitlement::DelegateForUser) && caller.holds_here_or_everywhere(Role::Delegate);
    let outside = Caller { account: Account::User { organization, user }, ..caller }.is_outside_of()?;
    (is_own || is_delegate).then_some((user, outside))
}

/// A user or service account, the bindings among which its own are, and the resource in question.
struct Caller<'a> {
    account: Account,
    bindings: &'a [Binding],
    resource: &'a Resource,
}

impl Caller<'_> {
    fn has(&self, entitlement: Entitlement) -> bool {
        let resource = self.resource;
        if resource.organization().is_some_and(|organization| !self.account.may_enter(organization)) {
            return false;
        }
        match entitlement {
            // No account has these.
            Entitlement::Operator | Entitlement::SessionOfContext => false,

            Entitlement::AnyAccount => true,
            Entitlement::Themselves => resource.account() == Some(self.account),

            Entitlement::Participant => self.participates(),
            Entitlement::Admin => self.holds(&[Role::Admin], resource.organization_resource()),
            Entitlement::Member => self.holds(&[Role::Admin, Role::Member], resource.organization_resource()),
            Entitlement::Auditor => self.holds(&[Role::Auditor], resource.organization_resource()),
            Entitlement::Provisioner => self.holds_here_or_everywhere(Role::Provisioner),

            Entitlement::ProjectAdmin => self.holds(&[Role::Admin], resource.project_resource()),
            Entitlement::ProjectMember => self.holds(&[Role::Admin, Role::Member], resource.project_resource()),

            Entitlement::Owner => self.owns_the_workspace(),
            Entitlement::WorkspaceMember => self.holds(&[Role::Member], resource.workspace_resource()),
            Entitlement::OwnerToBe => self.owns_the_workspace() && self.takes_part_in_the_project(),
            Entitlement::AdminWithoutOwner => self.has(Entitlement::Admin) && resource.owner().is_none(),

            Entitlement::UserOfContext => self.is_user(resource.user_of_context()) && self.takes_part(),
            Entitlement::ResolverOfContext => {
                let levels =
                    [resource.organization_resource(), resource.project_resource(), resource.workspace_resource()];
                resource.user_of_context().is_none()
                    && levels.into_iter().any(|level| self.holds(&[Role::Resolver], level))
            }
            Entitlement::DelegateForUser => {
                let user = resource.organization().zip(resource.user_of_context());
                let on_behalf_of =
                    |(organization, user)| Caller { account: Account::User { organization, user }, ..*self };
                self.holds_here_or_everywhere(Role::Delegate)
                    && user.map(on_behalf_of).is_some_and(|user| user.takes_part())
            }
            Entitlement::AdminWithoutUser => self.has(Entitlement::Admin) && resource.user_of_context().is_none(),

            Entitlement::Creator => matches!(*resource, Resource::Session { creator, .. } if creator == self.account),
            Entitlement::UserOfSession => {
                matches!(*resource, Resource::Session { context, .. } if self.is_user(context.user))
            }
        }
    }

    /// Whether one of the account's bindings gives it one of these roles there.
    ///
    /// A role that does not exist there for such an account counts for nothing. Below the organization a user's roles
    /// count only while they are its member.
    fn holds(&self, roles: &[Role], role_resource: Option<RoleResource>) -> bool {
        let Some(on) = role_resource else { return false };
        let counts = match (on, self.account) {
            (RoleResource::Project { .. } | RoleResource::Workspace { .. }, Account::User { .. }) => {
                self.has(Entitlement::Member)
            }
            _ => true,
        };
        counts
            && roles.iter().any(|role| {
                binding::exists(*role, on.kind(), self.account.kind())
                    && self.bindings.contains(&Binding {
                        principal: self.account.reference(),
                        role: *role,
                        resource: on,
                    })
            })
    }

    fn holds_here_or_everywhere(&self, role: Role) -> bool {
        let here = self.resource.organization_resource();
        here.is_some() && (self.holds(&[role], here) || self.holds(&[role], Some(RoleResource::Platform)))
    }

    fn participates(&self) -> bool {
        let organization = self.resource.organization();
        self.bindings.iter().any(|binding| {
            let reaches_here =
                binding.resource == RoleResource::Platform || binding.resource.organization() == organization;
            reaches_here && self.holds(&[binding.role], Some(binding.resource))
        })
    }

    fn is_user(&self, uid: Option<Uid>) -> bool {
        matches!(self.account, Account::User { user, .. } if uid == Some(user))
    }

    fn owns_the_workspace(&self) -> bool {
        self.is_user(self.resource.owner()) && self.has(Entitlement::Member)
    }

    fn takes_part_in_the_project(&self) -> bool {
        self.resource.project_resource().is_none() || self.has(Entitlement::ProjectMember)
    }

    fn takes_part_in_the_workspace(&self) -> bool {
        self.resource.workspace_resource().is_none()
            || self.owns_the_workspace()
            || self.has(Entitlement::WorkspaceMember)
    }

    /// Membership in the organization and in whatever project and workspace the resource names.
    fn takes_part(&self) -> bool {
        self.has(Entitlement::Member) && self.takes_part_in_the_project() && self.takes_part_in_the_workspace()
    }

    /// The first of these that lacks it.
    fn is_outside_of(&self) -> Option<RoleResource> {
        if !self.has(Entitlement::Member) {
            self.resource.organization_resource()
        } else if !self.takes_part_in_the_project() {
            self.resource.project_resource()
        } else if !self.takes_part_in_the_workspace() {
            self.resource.workspace_resource()
        } else {
            None
        }
    }
}

impl fmt::Display for Entitlement {
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
            Self::SessionOfContext => "the context's session while its creator may create it",
            Self::ResolverOfContext => "a resolver for a context without a user",
            Self::DelegateForUser => "a delegate for a user with membership in all that the context names",
            Self::AdminWithoutUser => "an organization admin for a context without a user",
            Self::Creator => "whoever created the session",
            Self::UserOfSession => "the session's user",
        })
    }
}
