//! What a refused caller may be told: which right is missing, and who has it.
//!
//! Only whoever may know that the resource is there is told anything, and the policy itself decides that, from the facts that
//! the refusal rested on: nothing more is looked up, and nobody learns that there is something by being refused.

use super::{Action, Denial, DenialReason, Entitlement, Resource, decide, entitlement};
use crate::Uid;
use crate::binding::Binding;
use crate::context::Context;
use crate::principal::Principal;
use crate::role::RoleResource;

/// Why an action was refused, for whoever may know the resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Disclosure {
    /// The right that is missing.
    pub action: Action,
    /// Who has it: any one of these would do.
    pub needs: &'static [Entitlement],
    /// The membership that is missing, where that is all that is.
    pub non_member: Option<NonMember>,
}

/// The user of a context who does not take part in all that it names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NonMember {
    /// Who.
    pub user: Uid,
    /// The first of the context's organization, project and workspace in which they do not take part.
    pub of: RoleResource,
}

/// What the principal may be told of the refusal; `None` if it may not know the resource, and for sessions, which know none.
///
/// The project of a context with a workspace is taken for the one that the workspace belongs to, which whoever sees the
/// workspace sees: a context that contradicts itself there must not be asked about.
pub fn disclose(
    denial: &Denial,
    principal: &Principal,
    bindings: &[Binding],
    resource: &Resource,
) -> Option<Disclosure> {
    let DenialReason::NeedsOneOf(needs) = denial.reason else { return None };
    let viewer = Viewer { principal, bindings };
    viewer.knows(denial.action, resource).then(|| Disclosure {
        action: denial.action,
        needs,
        non_member: viewer.non_member(needs, resource),
    })
}

/// Whoever was refused.
struct Viewer<'a> {
    principal: &'a Principal,
    bindings: &'a [Binding],
}

impl Viewer<'_> {
    fn may(&self, action: Action, resource: &Resource) -> bool {
        decide(self.principal, self.bindings, action, resource).is_ok()
    }

    /// Whether it may know that the resource is there. The nil uid stands for what is not.
    fn knows(&self, action: Action, resource: &Resource) -> bool {
        match *resource {
            Resource::Platform => self.may(Action::ListBindings, resource),
            Resource::Organization(uid) => !uid.is_nil() && self.may(Action::GetOrganization, resource),
            Resource::Project { project, .. } => !project.is_nil() && self.may(Action::GetProject, resource),
            // It will be there; what it is made of is there already.
            Resource::Workspace { organization, project, owner, .. } if action == Action::CreateWorkspace => {
                self.knows(action, &Resource::Organization(organization))
                    && project.is_none_or(|project| self.knows(action, &Resource::Project { organization, project }))
                    && owner.is_none_or(|user| self.knows(action, &Resource::User { organization, user }))
            }
            Resource::Workspace { workspace, .. } => !workspace.is_nil() && self.may(Action::GetWorkspace, resource),
            // Whoever is invited need not be there: whoever sees everybody may know that.
            Resource::User { user, .. } => {
                (!user.is_nil() || action == Action::InviteUser) && self.may(Action::GetUser, resource)
            }
            Resource::ServiceAccount { service_account, .. } => {
                !service_account.is_nil() && self.may(Action::GetServiceAccount, resource)
            }
            Resource::Context { context, owner } => self.knows_context(action, context, owner),
            // Found by an identifier that nobody guesses: whoever may know it may end it.
            Resource::Session { .. } => false,
            Resource::Binding { holder, resource: on, owner, .. } => {
                let holder = match holder {
                    crate::Account::User { organization, user } => Resource::User { organization, user },
                    crate::Account::ServiceAccount { organization, service_account } => {
                        Resource::ServiceAccount { organization, service_account }
                    }
                };
                let on = located(on, owner);
                self.may(Action::ListBindings, &on) && self.knows(action, &on) && self.knows(action, &holder)
            }
        }
    }

    fn knows_context(&self, action: Action, context: Context, owner: Option<Uid>) -> bool {
        let Context { organization, project, workspace, user } = context;
        let inner = match (workspace, project) {
            (Some(workspace), _) => Resource::Workspace { organization, workspace, project, owner },
            (None, Some(project)) => Resource::Project { organization, project },
            (None, None) => Resource::Organization(organization),
        };
        self.knows(action, &Resource::Organization(organization))
            && self.knows(action, &inner)
            && project.is_none_or(|project| !project.is_nil())
            && user.is_none_or(|user| self.knows(action, &Resource::User { organization, user }))
    }

    /// The missing membership, for the user themselves and for whoever may list the members there.
    fn non_member(&self, needs: &[Entitlement], resource: &Resource) -> Option<NonMember> {
        let (user, of) = entitlement::missing_membership(self.principal, self.bindings, needs, resource)?;
        let is_own = self.principal.reference().uid == user;
        (is_own || self.may(Action::ListBindings, &located(of, resource.owner()))).then_some(NonMember { user, of })
    }
}

/// What a role is held on, as a resource of its own.
fn located(on: RoleResource, owner: Option<Uid>) -> Resource {
    match on {
        RoleResource::Platform => Resource::Platform,
        RoleResource::Organization(organization) => Resource::Organization(organization),
        RoleResource::Project { organization, project } => Resource::Project { organization, project },
        RoleResource::Workspace { organization, workspace } => {
            Resource::Workspace { organization, workspace, project: None, owner }
        }
    }
}
