//! What the grid's table has no words for: memberships that end, roles in the wrong hands, evidence and reasons.

use std::collections::BTreeSet;

use secrets_core::{
    Account, AccountKind, Action, Binding, Context, DenialReason, Entitlement, Listing, Principal, Resource, Role,
    RoleResource, Uid, Visibility, authorize, decide, right,
};

use crate::callers::{ACME, ANN, API, WS1, account};

const ORGANIZATION: RoleResource = RoleResource::Organization(ACME);
const PROJECT: RoleResource = RoleResource::Project { organization: ACME, project: API };
const WORKSPACE: RoleResource = RoleResource::Workspace { organization: ACME, workspace: WS1 };

fn ann() -> Account {
    account(AccountKind::User)
}

fn bot() -> Account {
    account(AccountKind::ServiceAccount)
}

fn platform_bot() -> Account {
    account(AccountKind::PlatformServiceAccount)
}

fn binding(holder: Account, role: Role, on: RoleResource) -> Binding {
    Binding { principal: holder.reference(), role, resource: on }
}

/// ann's memberships in acme, api and ws1.
fn memberships() -> Vec<Binding> {
    [ORGANIZATION, PROJECT, WORKSPACE].map(|on| binding(ann(), Role::Member, on)).to_vec()
}

fn context_of(user: Option<Uid>) -> Context {
    Context { organization: ACME, project: Some(API), workspace: Some(WS1), user }
}

fn in_context(user: Option<Uid>) -> Resource {
    Resource::Context { context: context_of(user), owner: None }
}

fn may(who: impl Into<Principal>, bindings: &[Binding], action: Action, resource: &Resource) -> bool {
    decide(&who.into(), bindings, action, resource).is_ok()
}

#[test]
fn needs_membership_in_all_that_the_context_names() {
    assert!(may(ann(), &memberships(), Action::ReceiveValues, &in_context(Some(ANN))));
    for missing in 0..3 {
        let mut bindings = memberships();
        let gone = bindings.remove(missing);
        assert!(!may(ann(), &bindings, Action::ReceiveValues, &in_context(Some(ANN))), "without {gone:?}");
    }
}

#[test]
fn takes_an_owner_for_a_member_of_the_workspace_but_not_of_its_project() {
    let owned = Resource::Context { context: context_of(Some(ANN)), owner: Some(ANN) };
    assert!(may(ann(), &memberships()[..2], Action::ReceiveValues, &owned));
    assert!(!may(ann(), &memberships()[..1], Action::ReceiveValues, &owned));
    let workspace = Resource::Workspace { organization: ACME, workspace: WS1, project: Some(API), owner: Some(ANN) };
    assert!(may(ann(), &memberships()[..1], Action::WriteSecrets, &workspace), "still theirs to edit");
}

#[test]
fn ends_what_a_user_had_below_when_they_leave_the_organization() {
    let left: Vec<_> = [(Role::Admin, PROJECT), (Role::Member, WORKSPACE)]
        .map(|(role, on)| binding(ann(), role, on))
        .into_iter()
        .chain([binding(ann(), Role::Auditor, ORGANIZATION)])
        .collect();
    let project = Resource::Project { organization: ACME, project: API };
    let workspace = Resource::Workspace { organization: ACME, workspace: WS1, project: Some(API), owner: None };
    assert!(!may(ann(), &left, Action::WriteSecrets, &project));
    assert!(!may(ann(), &left, Action::ListSecrets, &workspace));
    let back: Vec<_> = left.into_iter().chain([binding(ann(), Role::Member, ORGANIZATION)]).collect();
    assert!(may(ann(), &back, Action::WriteSecrets, &project) && may(ann(), &back, Action::ListSecrets, &workspace));
}

#[test]
fn passes_over_roles_in_hands_that_can_not_hold_them() {
    let mut bindings = memberships();
    for (holder, role, on) in [
        (bot(), Role::Delegate, ORGANIZATION),
        (bot(), Role::Delegate, RoleResource::Platform),
        (bot(), Role::Provisioner, RoleResource::Platform),
        (ann(), Role::Resolver, ORGANIZATION),
        (ann(), Role::Provisioner, ORGANIZATION),
        (ann(), Role::Admin, RoleResource::Platform),
        (bot(), Role::Member, WORKSPACE),
    ] {
        bindings.push(binding(holder, role, on));
    }
    let workspace = Resource::Workspace { organization: ACME, workspace: WS1, project: Some(API), owner: None };
    assert!(!may(bot(), &bindings, Action::CreateSession, &in_context(Some(ANN))));
    assert!(!may(ann(), &bindings, Action::ReceiveValues, &in_context(None)));
    assert!(!may(ann(), &bindings, Action::CreateProject, &Resource::Organization(ACME)));
    assert!(!may(bot(), &bindings, Action::CreateProject, &Resource::Organization(ACME)));
    assert!(!may(ann(), &bindings, Action::UpdateOrganization, &Resource::Organization(ACME)));
    assert!(!may(bot(), &bindings, Action::ListSecrets, &workspace));
}

#[test]
fn lets_a_delegate_create_only_for_members() {
    let delegate = binding(platform_bot(), Role::Delegate, RoleResource::Platform);
    let mut bindings = memberships();
    bindings.push(delegate);
    assert!(may(platform_bot(), &bindings, Action::CreateSession, &in_context(Some(ANN))));
    assert!(!may(platform_bot(), &[delegate], Action::CreateSession, &in_context(Some(ANN))));
    assert!(!may(platform_bot(), &bindings, Action::CreateSession, &in_context(Some(WS1))), "nobody has that uid");
}

#[test]
fn ends_a_session_with_its_creator_s_role_and_with_its_user_s_membership() {
    let actions = [Action::ReceiveValues, Action::Explain, Action::RenewSession, Action::CreateSession];
    let session = |creator| Principal::Session { session: Uid::max(), context: context_of(Some(ANN)), creator };
    let delegate = binding(platform_bot(), Role::Delegate, ORGANIZATION);
    let all: Vec<_> = memberships().into_iter().chain([delegate]).collect();
    for action in actions {
        assert!(may(session(platform_bot()), &all, action, &in_context(Some(ANN))), "{action:?}");
        for missing in 0..all.len() {
            let mut bindings = all.clone();
            bindings.remove(missing);
            let denial = decide(&session(platform_bot()), &bindings, action, &in_context(Some(ANN))).unwrap_err();
            assert_eq!(denial.reason, DenialReason::CreatorMayNot);
        }
        assert!(may(session(ann()), &memberships(), action, &in_context(Some(ANN))), "{action:?}");
        assert!(!may(session(ann()), &memberships()[1..], action, &in_context(Some(ANN))), "{action:?}");
        assert!(!may(session(bot()), &all, action, &in_context(Some(ANN))), "a bot without a role created it");
    }
}

#[test]
fn keeps_a_session_from_everything_but_its_own_context() {
    let session = Principal::Session { session: Uid::max(), context: context_of(Some(ANN)), creator: ann() };
    for narrower in [
        Context { user: None, ..context_of(Some(ANN)) },
        Context { workspace: None, ..context_of(Some(ANN)) },
        Context { workspace: None, project: None, ..context_of(Some(ANN)) },
    ] {
        // A context without the user is no narrower: what the user had overridden would come to light.
        let resource = Resource::Context { context: narrower, owner: None };
        let denial = decide(&session, &memberships(), Action::ReceiveValues, &resource).unwrap_err();
        assert_eq!(denial.reason, DenialReason::NotForSessions);
    }
    let own = Resource::User { organization: ACME, user: ANN };
    for action in Action::ALL {
        assert!(!may(session, &memberships(), *action, &own), "{action:?}");
    }
}

#[test]
fn gives_no_role_to_an_account_of_another_organization() {
    let foreign = Account::User { organization: WS1, user: ANN };
    let admin = Account::User { organization: ACME, user: API };
    let bindings = [binding(admin, Role::Admin, ORGANIZATION)];
    let give = |holder| Resource::Binding { holder, role: Role::Member, resource: ORGANIZATION, owner: None };
    assert!(may(admin, &bindings, Action::Grant, &give(ann())));
    assert_eq!(
        decide(&admin.into(), &bindings, Action::Grant, &give(foreign)).unwrap_err().reason,
        DenialReason::NotForAnybody
    );
}

#[test]
fn hands_out_a_permit_that_says_who_may_what_to_which_and_why() {
    let admin = [binding(ann(), Role::Admin, ORGANIZATION)];
    let permit = authorize::<right::Explain>(&ann().into(), &admin, &in_context(None)).unwrap();
    assert_eq!(permit.principal(), &Principal::from(ann()));
    assert_eq!(permit.resource(), &in_context(None));
    assert_eq!(permit.entitlement(), Entitlement::AdminWithoutUser);
    assert!(authorize::<right::ReceiveValues>(&ann().into(), &admin, &in_context(None)).is_err());
}

#[test]
fn says_why_not() {
    let project = Resource::Project { organization: ACME, project: API };
    let denial = |who: Principal, action, resource: &Resource| {
        decide(&who, &memberships(), action, resource).unwrap_err().to_string()
    };
    assert_eq!(
        denial(ann().into(), Action::WriteSecrets, &project),
        "`secrets.write` on a project is for an organization admin, or a project admin"
    );
    assert_eq!(
        denial(Principal::Operator, Action::ReceiveValues, &project),
        "`secrets.receive` on a project is for nobody"
    );
    let stranger = Account::User { organization: API, user: ANN };
    assert_eq!(
        denial(stranger.into(), Action::ListSecrets, &project),
        "`secrets.list` on a project does not reach into another organization"
    );
}

#[test]
fn lists_to_a_member_only_what_reaches_them() {
    let organization = Resource::Organization(ACME);
    let (other_project, owned) = (Uid::from_u128(0xAB), Uid::from_u128(0xAC));
    let mut bindings = memberships();
    bindings.push(binding(bot(), Role::Member, RoleResource::Project { organization: ACME, project: other_project }));
    bindings.push(binding(ann(), Role::Member, RoleResource::Project { organization: owned, project: other_project }));
    let permit = authorize::<right::ListSecrets>(&ann().into(), &bindings, &organization).unwrap();
    let listing = Listing::new(&permit, &bindings, [owned]);
    assert_eq!(listing, Listing::Reaching { projects: [API].into(), workspaces: [WS1, owned].into() });

    let selected = |projects: &[Uid], workspaces: &[Uid]| Visibility::Selected {
        projects: projects.iter().copied().collect::<BTreeSet<_>>(),
        workspaces: workspaces.iter().copied().collect(),
    };
    assert_eq!(listing.shows(&Visibility::All), Some(Visibility::All));
    assert_eq!(listing.shows(&selected(&[API, other_project], &[owned])), Some(selected(&[API], &[owned])));
    assert_eq!(listing.shows(&selected(&[other_project], &[])), None);
    assert_eq!(listing.shows(&selected(&[], &[])), None);
}

#[test]
fn lists_everything_to_an_admin() {
    let bindings = [binding(ann(), Role::Admin, ORGANIZATION)];
    let permit = authorize::<right::ListSecrets>(&ann().into(), &bindings, &Resource::Organization(ACME)).unwrap();
    let listing = Listing::new(&permit, &bindings, []);
    let nowhere = Visibility::Selected { projects: BTreeSet::new(), workspaces: BTreeSet::new() };
    assert_eq!(listing, Listing::All);
    assert_eq!(listing.shows(&nowhere), Some(nowhere));
}
