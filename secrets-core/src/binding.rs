//! Bindings: which roles exist where, who can hold them, and which binding must stay.

use crate::principal::{AccountKind, PrincipalKind, PrincipalRef};
use crate::role::{Role, RoleResource, RoleResourceKind};

/// A principal has a role on a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Binding {
    /// Who.
    pub principal: PrincipalRef,
    /// Is what.
    pub role: Role,
    /// Where.
    pub resource: RoleResource,
}

/// Whether the role exists on that resource for that kind of holder.
///
/// A delegate is a service account of the platform: an organization's admins make tokens for its service accounts, and
/// would otherwise create their way to a user's own secrets.
#[expect(clippy::match_like_matches_macro, reason = "rows of a table")]
pub const fn exists(role: Role, resource: RoleResourceKind, holder: AccountKind) -> bool {
    use AccountKind::{PlatformServiceAccount, ServiceAccount, User};
    use RoleResourceKind::{Organization, Platform, Project, Workspace};
    match (role, resource, holder) {
        (Role::Admin | Role::Member, Organization | Project, _) => true,
        (Role::Auditor, Organization, _) => true,
        (Role::Owner | Role::Member, Workspace, User) => true,
        (Role::Resolver, Organization | Project | Workspace, ServiceAccount | PlatformServiceAccount) => true,
        (Role::Provisioner, Organization, ServiceAccount) => true,
        (Role::Provisioner | Role::Delegate, Organization | Platform, PlatformServiceAccount) => true,
        _ => false,
    }
}

/// Refuses a role that does not exist on that resource for that kind of holder.
pub fn check(role: Role, resource: RoleResourceKind, holder: AccountKind) -> Result<(), InvalidBinding> {
    if exists(role, resource, holder) { Ok(()) } else { Err(InvalidBinding { role, resource, holder }) }
}

/// Refuses to leave an organization without a person who administers it.
///
/// `admins` are all holders of `ADMIN` on the organization; `leaving` is the one who loses the role or is deleted.
/// Programs do not count: nobody can log in as one to make the next admin.
pub fn keeps_an_admin(admins: impl IntoIterator<Item = PrincipalRef>, leaving: PrincipalRef) -> Result<(), LastAdmin> {
    let mut people = admins.into_iter().filter(|admin| admin.kind == PrincipalKind::User);
    if leaving.kind != PrincipalKind::User || people.any(|admin| admin != leaving) { Ok(()) } else { Err(LastAdmin) }
}

/// A role that does not exist on that resource for that kind of holder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{holder} can't have the role {} on {resource}; {}", role.as_str(), expected(*resource, *holder))]
pub struct InvalidBinding {
    role: Role,
    resource: RoleResourceKind,
    holder: AccountKind,
}

fn expected(resource: RoleResourceKind, holder: AccountKind) -> String {
    let roles: Vec<_> =
        Role::ALL.iter().filter(|role| exists(**role, resource, holder)).map(|role| role.as_str()).collect();
    if roles.is_empty() { "it can have none there".to_owned() } else { format!("expected {}", roles.join(" or ")) }
}

/// The organization would be left without an admin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the organization's last admin can't be removed; make another person admin first")]
pub struct LastAdmin;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Uid;

    #[test]
    fn has_no_delegate_whose_tokens_an_admin_makes() {
        for resource in RoleResourceKind::ALL {
            assert!(!exists(Role::Delegate, *resource, AccountKind::ServiceAccount));
            assert!(!exists(Role::Delegate, *resource, AccountKind::User));
        }
    }

    #[test]
    fn says_which_roles_are_expected() {
        let refused = check(Role::Delegate, RoleResourceKind::Workspace, AccountKind::User).unwrap_err();
        assert_eq!(refused.to_string(), "a user can't have the role DELEGATE on a workspace; expected MEMBER or OWNER");
        let refused = check(Role::Admin, RoleResourceKind::Platform, AccountKind::User).unwrap_err();
        assert_eq!(refused.to_string(), "a user can't have the role ADMIN on the platform; it can have none there");
        assert_eq!(check(Role::Member, RoleResourceKind::Project, AccountKind::ServiceAccount), Ok(()));
    }

    #[test]
    fn keeps_the_last_person_who_is_admin() {
        let person = |uid| PrincipalRef { kind: PrincipalKind::User, uid: Uid::from_u128(uid) };
        let program = PrincipalRef { kind: PrincipalKind::ServiceAccount, uid: Uid::from_u128(9) };
        assert_eq!(keeps_an_admin([person(1)], person(1)), Err(LastAdmin));
        assert_eq!(keeps_an_admin([person(1), program], person(1)), Err(LastAdmin), "a program is nobody");
        assert_eq!(keeps_an_admin([person(1), person(2)], person(1)), Ok(()));
        assert_eq!(keeps_an_admin([person(1), program], program), Ok(()));
        assert_eq!(keeps_an_admin([person(1)], person(2)), Ok(()), "who is no admin may leave");
    }
}
