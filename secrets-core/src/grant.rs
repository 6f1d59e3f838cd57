//! Which roles exist where, who can hold them, and who gives and takes them.

use std::fmt;

use crate::authorize::Standing;
use crate::principal::{AccountKind, PrincipalKind, PrincipalRef};
use crate::role::{LevelKind, Role};

/// Whether the role exists on that level for that kind of holder.
///
/// A delegate is a service account of the platform: an organization's admins make tokens for its service accounts, and
/// would otherwise mint their way to a user's own secrets.
#[expect(clippy::match_like_matches_macro, reason = "rows of a table")]
pub const fn exists(role: Role, level: LevelKind, holder: AccountKind) -> bool {
    use AccountKind::{PlatformServiceAccount, ServiceAccount, User};
    use LevelKind::{Organization, Platform, Project, Workspace};
    match (role, level, holder) {
        (Role::Admin | Role::Member, Organization | Project, _) => true,
        (Role::Auditor, Organization, _) => true,
        (Role::Owner | Role::Member, Workspace, User) => true,
        (Role::Resolver, Organization | Project | Workspace, ServiceAccount | PlatformServiceAccount) => true,
        (Role::Provisioner, Organization, ServiceAccount) => true,
        (Role::Provisioner | Role::Delegate, Organization | Platform, PlatformServiceAccount) => true,
        _ => false,
    }
}

/// Refuses a role that does not exist on that level for that kind of holder.
pub fn check(role: Role, level: LevelKind, holder: AccountKind) -> Result<(), InvalidBinding> {
    if exists(role, level, holder) { Ok(()) } else { Err(InvalidBinding { role, level, holder }) }
}

/// Who gives that role on that level to that kind of holder, and takes it away: any one of these suffices.
///
/// Nobody gives `OWNER`: a workspace gets its owner when it is made, transferred or reassigned. A provisioner makes
/// members of people only, or it could let a program of its own see secrets.
pub(crate) const fn granters(role: Role, level: LevelKind, holder: AccountKind) -> &'static [Standing] {
    use AccountKind::User;
    use LevelKind::{Organization, Platform, Project, Workspace};
    use Standing::{Admin, Operator, Owner, ProjectAdmin, Provisioner};
    match (role, level, holder) {
        _ if !exists(role, level, holder) => &[],
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

/// Refuses to leave an organization without a person who administers it.
///
/// `admins` are all holders of `ADMIN` on the organization; `leaving` is the one who loses the role or is deleted.
/// Programs do not count: nobody can log in as one to make the next admin.
pub fn keeps_an_admin(admins: impl IntoIterator<Item = PrincipalRef>, leaving: PrincipalRef) -> Result<(), LastAdmin> {
    let mut people = admins.into_iter().filter(|admin| admin.kind == PrincipalKind::User);
    if leaving.kind != PrincipalKind::User || people.any(|admin| admin != leaving) { Ok(()) } else { Err(LastAdmin) }
}

/// A role that does not exist on that level for that kind of holder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidBinding {
    role: Role,
    level: LevelKind,
    holder: AccountKind,
}

impl fmt::Display for InvalidBinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { role, level, holder } = *self;
        let passing: Vec<_> =
            Role::ALL.iter().filter(|role| exists(**role, level, holder)).map(|role| role.as_str()).collect();
        write!(f, "{holder} can't have the role {} on {level}; ", role.as_str())?;
        if passing.is_empty() {
            f.write_str("no role passes there")
        } else {
            write!(f, "{} would pass", passing.join(" or "))
        }
    }
}

impl std::error::Error for InvalidBinding {}

/// The organization would be left without an admin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LastAdmin;

impl fmt::Display for LastAdmin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the organization's last admin can't be removed; make another person admin first")
    }
}

impl std::error::Error for LastAdmin {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Uid;

    fn combinations() -> impl Iterator<Item = (Role, LevelKind, AccountKind)> {
        Role::ALL.iter().flat_map(|role| {
            LevelKind::ALL
                .iter()
                .flat_map(move |level| AccountKind::ALL.iter().map(move |holder| (*role, *level, *holder)))
        })
    }

    #[test]
    fn lets_somebody_grant_exactly_the_roles_that_exist_but_owner() {
        for (role, level, holder) in combinations() {
            let is_granted = !granters(role, level, holder).is_empty();
            assert_eq!(is_granted, exists(role, level, holder) && role != Role::Owner, "{role:?} {level:?} {holder:?}");
        }
    }

    #[test]
    fn lets_only_the_operator_make_delegates_and_provisioners() {
        for (role, level, holder) in combinations() {
            let by_operator = granters(role, level, holder).contains(&Standing::Operator);
            let is_special = matches!(role, Role::Delegate | Role::Provisioner);
            assert_eq!(by_operator, is_special && exists(role, level, holder), "{role:?} {level:?} {holder:?}");
        }
    }

    #[test]
    fn has_no_delegate_whose_tokens_an_admin_makes() {
        for level in LevelKind::ALL {
            assert!(!exists(Role::Delegate, *level, AccountKind::ServiceAccount));
            assert!(!exists(Role::Delegate, *level, AccountKind::User));
        }
    }

    #[test]
    fn says_which_roles_would_pass() {
        let refused = check(Role::Delegate, LevelKind::Workspace, AccountKind::User).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "a user can't have the role DELEGATE on a workspace; MEMBER or OWNER would pass"
        );
        let refused = check(Role::Admin, LevelKind::Platform, AccountKind::User).unwrap_err();
        assert_eq!(refused.to_string(), "a user can't have the role ADMIN on the platform; no role passes there");
        assert_eq!(check(Role::Member, LevelKind::Project, AccountKind::ServiceAccount), Ok(()));
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
