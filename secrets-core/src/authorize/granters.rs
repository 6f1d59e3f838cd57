//! Who gives and takes which role.

use super::Entitlement;
use crate::binding::exists;
use crate::principal::AccountKind;
use crate::role::{Role, RoleResourceKind};

/// Who gives that role on that resource to that kind of holder, and takes it away: any one of these suffices.
///
/// Nobody gives `OWNER`: a workspace gets its owner when it is made, transferred or reassigned. A provisioner makes
/// members of people only, or it could let a program of its own see secrets.
pub(super) const fn granters(role: Role, resource: RoleResourceKind, holder: AccountKind) -> &'static [Entitlement] {
    use AccountKind::User;
    use Entitlement::{Admin, Operator, Owner, ProjectAdmin, Provisioner};
    use RoleResourceKind::{Organization, Platform, Project, Workspace};
    match (role, resource, holder) {
        _ if !exists(role, resource, holder) => &[],
        (Role::Member, Organization, User) => &[Admin, Provisioner],
        (Role::Admin | Role::Member | Role::Auditor, Organization, _) => &[Admin],
        (Role::Member, Project, User) => &[Admin, ProjectAdmin, Provisioner],
        (Role::Admin | Role::Member, Project, _) => &[Admin, ProjectAdmin],
        (Role::Member, Workspace, _) => &[Owner, Provisioner],
        (Role::Resolver, Organization | Project | Workspace, _) => &[Admin],
        (Role::Provisioner | Role::Delegate, Platform | Organization, _) => &[Operator],
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn combinations() -> impl Iterator<Item = (Role, RoleResourceKind, AccountKind)> {
        Role::ALL.iter().flat_map(|role| {
            RoleResourceKind::ALL
                .iter()
                .flat_map(move |resource| AccountKind::ALL.iter().map(move |holder| (*role, *resource, *holder)))
        })
    }

    #[test]
    fn lets_somebody_grant_exactly_the_roles_that_exist_but_owner() {
        for (role, resource, holder) in combinations() {
            let is_granted = !granters(role, resource, holder).is_empty();
            assert_eq!(
                is_granted,
                exists(role, resource, holder) && role != Role::Owner,
                "{role:?} {resource:?} {holder:?}"
            );
        }
    }

    #[test]
    fn lets_only_the_operator_make_delegates_and_provisioners() {
        for (role, resource, holder) in combinations() {
            let by_operator = granters(role, resource, holder).contains(&Entitlement::Operator);
            let is_special = matches!(role, Role::Delegate | Role::Provisioner);
            assert_eq!(by_operator, is_special && exists(role, resource, holder), "{role:?} {resource:?} {holder:?}");
        }
    }
}
