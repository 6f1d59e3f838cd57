//! Who may do what: default deny, and a reason for every denial.
//!
//! [`decide`] answers; [`authorize`] answers with a [`Permit`] that later steps demand as an argument, so that an
//! unchecked path does not compile. The rules are one table, the function `sufficient`, whose rows name entitlements: what a
//! caller is to a resource. How an [`Entitlement`] follows from the bindings is in `entitlement.rs` alone.
//!
//! # What the caller hands in
//!
//! The bindings of the calling account (of a session: of its creator) and, for a context with a user, those of that
//! user, in one slice; bindings of others are ignored. The [`Resource`] carries the few other facts.
//!
//! To add an action: a line in `authorize/action.rs`, its rows in `sufficient`, its rows in
//! `tests/data/authorization.tsv`.

mod action;
mod denial;
mod disclosure;
mod entitlement;
mod granters;
mod listing;
mod permit;
mod resource;

pub use action::{Action, Right, right};
pub use denial::{Denial, DenialReason};
pub use disclosure::{Disclosure, NonMember, disclose};
pub use entitlement::Entitlement;
pub use listing::Listing;
pub use permit::Permit;
pub use resource::{Resource, ResourceKind};

use self::granters::granters;
use crate::binding::Binding;
use crate::principal::Principal;

/// Whether the principal may do that to the resource; if so, the first entitlement of the table's row that it has.
pub fn decide(
    principal: &Principal,
    bindings: &[Binding],
    action: Action,
    resource: &Resource,
) -> Result<Entitlement, Denial> {
    let row = sufficient(action, resource);
    row.iter()
        .copied()
        .find(|entitlement| entitlement.is_held(principal, bindings, resource))
        .ok_or_else(|| Denial::explain(principal, action, resource, row))
}

/// The same as [`decide`], with evidence that the question was asked and answered yes.
pub fn authorize<A: Right>(
    principal: &Principal,
    bindings: &[Binding],
    resource: &Resource,
) -> Result<Permit<A>, Denial> {
    let entitlement = decide(principal, bindings, A::ACTION, resource)?;
    Ok(Permit::new(*principal, *resource, entitlement))
}

/// The table: any one entitlement of a row suffices, and what has no row is for nobody.
///
/// Broader entitlements come first where what is shown depends on them. A `List…` action on a parent only lets its caller
/// ask: every row of the answer needs the `Get…` action of its own.
#[rustfmt::skip]
fn sufficient(action: Action, resource: &Resource) -> &'static [Entitlement] {
    use Action as A;
    use ResourceKind as R;
    use Entitlement::*;
    match (action, resource.kind()) {
        // Secrets: the operator, PROVISIONER, DELEGATE and AUDITOR are in no row.
        (A::ListSecrets,   R::Organization) => &[Admin, Member],
        (A::ListSecrets,   R::Project)      => &[Admin, ProjectAdmin, ProjectMember],
        (A::ListSecrets,   R::Workspace)    => &[Admin, Owner, WorkspaceMember],
        (A::ListSecrets,   R::User)         => &[Themselves],
        (A::WriteSecrets,  R::Organization) => &[Admin],
        (A::WriteSecrets,  R::Project)      => &[Admin, ProjectAdmin],
        (A::WriteSecrets,  R::Workspace)    => &[Owner],
        (A::WriteSecrets,  R::User)         => &[Themselves],
        (A::ReceiveValues, R::Context)      => &[UserOfContext, SessionOfContext, ResolverOfContext],
        (A::Explain,       R::Context)      => &[UserOfContext, SessionOfContext, ResolverOfContext, AdminWithoutUser],

        // Sessions. Whoever may receive a context's set may pass that on; a delegate passes on what it may not receive.
        (A::CreateSession,   R::Context)      => &[UserOfContext, SessionOfContext, ResolverOfContext, DelegateForUser],
        (A::RenewSession | A::RevokeSession, R::Context) => &[SessionOfContext],
        (A::RenewSession,  R::Session)      => &[Creator],
        (A::ListSessions,  R::Organization) => &[Admin, Participant],
        (A::ListSessions,  R::Session)      => &[Admin, Creator, UserOfSession],
        (A::RevokeSession, R::Session)      => &[Admin, Creator, UserOfSession],

        // Tokens: nobody makes one for another person.
        (A::CreateToken,   R::Platform)     => &[Operator],
        (A::CreateToken,   R::User)         => &[Themselves],
        (A::CreateToken,   R::ServiceAccount) => &[Themselves, Admin],
        (A::CreateToken,   R::PlatformServiceAccount) => &[Themselves, Operator],
        (A::ListTokens | A::RevokeToken, R::Platform) => &[Operator],
        (A::ListTokens | A::RevokeToken, R::User | R::ServiceAccount) => &[Themselves, Admin],
        (A::ListTokens | A::RevokeToken, R::PlatformServiceAccount) => &[Themselves, Operator],

        // Organizations.
        (A::ListOrganizations,  R::Platform)     => &[Operator, AnyAccount],
        (A::CreateOrganization, R::Platform)     => &[Operator],
        (A::GetOrganization,    R::Organization) => &[Operator, Participant],
        (A::UpdateOrganization, R::Organization) => &[Admin],
        (A::DeleteOrganization, R::Organization) => &[Operator],

        // Projects.
        (A::ListProjects,  R::Organization) => &[Admin, Provisioner, Participant],
        (A::GetProject,    R::Project)      => &[Admin, Provisioner, ProjectAdmin, ProjectMember],
        (A::CreateProject, R::Organization) => &[Admin, Provisioner],
        (A::DeleteProject, R::Project)      => &[Admin, Provisioner],

        // Workspaces.
        (A::ListWorkspaces,    R::Organization) => &[Admin, Provisioner, Participant],
        (A::GetWorkspace,      R::Workspace)    => &[Admin, Provisioner, Owner, WorkspaceMember],
        (A::CreateWorkspace,   R::Workspace)    => &[Admin, Provisioner, OwnerToBe],
        (A::DeleteWorkspace,   R::Workspace)    => &[Admin, Provisioner, Owner],
        (A::TransferWorkspace, R::Workspace)    => &[Owner],
        (A::ReassignWorkspace, R::Workspace)    => &[AdminWithoutOwner],

        // People and programs.
        (A::ListUsers,             R::Organization) => &[Admin, Provisioner, Member, Auditor],
        (A::GetUser,               R::User)         => &[Admin, Provisioner, Member, Auditor, Themselves],
        (A::ManageUsers,           R::Organization | R::User) => &[Admin, Provisioner],
        (A::InviteUser,            R::User)         => &[Admin],
        (A::InviteAdmin,           R::Organization) => &[Operator],
        (A::RefuseAdmin,           R::Organization) => &[Operator, Admin],
        (A::ListServiceAccounts,   R::Organization) => &[Admin, Provisioner, Member, Auditor],
        (A::ListServiceAccounts,   R::Platform)     => &[Operator],
        (A::GetServiceAccount,     R::ServiceAccount) => &[Admin, Provisioner, Member, Auditor, Themselves],
        (A::GetServiceAccount,     R::PlatformServiceAccount) => &[Operator, Themselves],
        (A::ManageServiceAccounts, R::Organization | R::ServiceAccount) => &[Admin],
        (A::ManageServiceAccounts, R::Platform | R::PlatformServiceAccount) => &[Operator],

        // Bindings; who gives which role is a table of its own. The platform's are visible to everybody they reach.
        (A::ListBindings, R::Platform)     => &[Operator, AnyAccount],
        (A::ListBindings, R::Organization) => &[Operator, Admin, Provisioner, Member, Auditor],
        (A::ListBindings, R::Project)      => &[Admin, Provisioner, ProjectAdmin, ProjectMember],
        (A::ListBindings, R::Workspace)    => &[Admin, Provisioner, Owner, WorkspaceMember],
        (A::Grant | A::Revoke, R::Binding) => match *resource {
            Resource::Binding { holder, role, resource, .. } if resource.admits(holder) => granters(role, resource.kind(), holder.kind()),
            _ => &[],
        },

        // The rest.
        (A::ReadAudit,  R::Organization) => &[Admin, Auditor],
        (A::ReadAudit,  R::User)         => &[Themselves],
        (A::ReadAudit,  R::Platform)     => &[Operator],
        (A::ManageKeys, R::Platform | R::Organization) => &[Operator],
        _ => &[],
    }
}
