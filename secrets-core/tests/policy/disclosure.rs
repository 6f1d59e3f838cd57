//! What a refusal tells, and to whom.

use secrets_core::{
    Account, Action, Binding, Context, Disclosure, Entitlement, NonMember, Principal, Resource, Role, RoleResource,
    Uid, decide, disclose,
};

use crate::callers::{ACME, ANN, API, CALLERS, RELATIONS, RESOURCES, WS1, caller, resource, roles_held};

const ORGANIZATION: RoleResource = RoleResource::Organization(ACME);
const PROJECT: RoleResource = RoleResource::Project { organization: ACME, project: API };
const PLANE: Account = Account::ServiceAccount { organization: None, service_account: Uid::from_u128(0xC0) };
const BOB: Account = Account::User { organization: ACME, user: ANN };

fn binding(holder: Account, role: Role, on: RoleResource) -> Binding {
    Binding { principal: holder.reference(), role, resource: on }
}

fn told(who: impl Into<Principal>, bindings: &[Binding], action: Action, resource: &Resource) -> Option<Disclosure> {
    let who = who.into();
    let denial = decide(&who, bindings, action, resource).unwrap_err();
    disclose(&denial, &who, bindings, resource)
}

/// The context of ws1 of api, which ann owns, for her.
fn own_context() -> Resource {
    let context = Context { organization: ACME, project: Some(API), workspace: Some(WS1), user: Some(ANN) };
    Resource::Context { context, owner: Some(ANN) }
}

/// The action that shows that the resource is there.
fn seeing(resource: &Resource) -> Option<Action> {
    match resource {
        Resource::Organization(_) => Some(Action::GetOrganization),
        Resource::Project { .. } => Some(Action::GetProject),
        Resource::Workspace { .. } => Some(Action::GetWorkspace),
        Resource::User { .. } => Some(Action::GetUser),
        Resource::ServiceAccount { .. } => Some(Action::GetServiceAccount),
        _ => None,
    }
}

/// The resources that a context names.
fn parts(context: Context, owner: Option<Uid>) -> Vec<Resource> {
    let Context { organization, project, workspace, user } = context;
    let inner = match (workspace, project) {
        (Some(workspace), _) => Some(Resource::Workspace { organization, workspace, project, owner }),
        (None, Some(project)) => Some(Resource::Project { organization, project }),
        (None, None) => None,
    };
    let user = user.map(|user| Resource::User { organization, user });
    [Some(Resource::Organization(organization)), inner, user].into_iter().flatten().collect()
}

#[test]
fn tells_nothing_of_what_its_caller_may_not_see() {
    let (mut refused, mut told) = (0, 0);
    for name in RESOURCES.iter().map(|name| (*name).to_owned()).chain(roles_held()) {
        for caller_name in CALLERS {
            for relation in RELATIONS {
                let Some(caller) = caller(caller_name, *relation, &name) else { continue };
                let resource = resource(&name, &caller);
                let sees = |resource: &Resource| {
                    seeing(resource)
                        .is_none_or(|action| decide(&caller.principal, &caller.bindings, action, resource).is_ok())
                };
                let knows = match resource {
                    Resource::Context { context, owner } => parts(context, owner).iter().all(sees),
                    Resource::Session { .. } => false,
                    Resource::Binding { resource: RoleResource::Project { organization, project }, .. } => {
                        sees(&Resource::Project { organization, project })
                    }
                    Resource::Binding { resource: RoleResource::Organization(uid), .. } => {
                        sees(&Resource::Organization(uid))
                    }
                    _ => sees(&resource),
                };
                for action in Action::ALL {
                    // What is to be created is not there to be seen.
                    if *action == Action::CreateWorkspace {
                        continue;
                    }
                    let Err(denial) = decide(&caller.principal, &caller.bindings, *action, &resource) else { continue };
                    refused += 1;
                    if disclose(&denial, &caller.principal, &caller.bindings, &resource).is_some() {
                        told += 1;
                        assert!(knows, "{relation:?} {caller_name} is told of {} on {name}", action.as_str());
                        assert!(!matches!(caller.principal, Principal::Session { .. }), "{caller_name}");
                    }
                }
            }
        }
    }
    assert!(told > 1_000 && refused > 10 * told, "{told} of {refused}");
}

#[test]
fn tells_nothing_of_what_is_not_there() {
    let (nil, user) = (Uid::nil(), Some(ANN));
    let admin = [binding(BOB, Role::Admin, ORGANIZATION)];
    let context = |project, workspace, user| {
        let context = Context { organization: ACME, project, workspace, user };
        Resource::Context { context, owner: None }
    };
    for resource in [
        Resource::Project { organization: ACME, project: nil },
        Resource::Workspace { organization: ACME, workspace: nil, project: None, owner: None },
        Resource::User { organization: ACME, user: nil },
        Resource::ServiceAccount { organization: Some(ACME), service_account: nil },
        context(Some(nil), None, user),
        context(None, Some(nil), user),
        context(None, None, Some(nil)),
    ] {
        for action in Action::ALL {
            // A workspace of nobody's in particular can be created.
            if *action != Action::CreateWorkspace && decide(&BOB.into(), &admin, *action, &resource).is_err() {
                assert_eq!(told(BOB, &admin, *action, &resource), None, "{action:?} {resource:?}");
            }
        }
    }
}

#[test]
fn tells_a_member_who_changes_the_organizations_secrets() {
    let member = [binding(BOB, Role::Member, ORGANIZATION)];
    let expected = Disclosure { action: Action::WriteSecrets, needs: &[Entitlement::Admin], non_member: None };
    assert_eq!(told(BOB, &member, Action::WriteSecrets, &Resource::Organization(ACME)), Some(expected));
    assert_eq!(told(BOB, &[], Action::WriteSecrets, &Resource::Organization(ACME)), None);
}

#[test]
fn tells_a_control_plane_which_membership_a_workspaces_owner_lacks() {
    let plane = |role| binding(PLANE, role, RoleResource::Platform);
    let (delegate, provisioner) = (plane(Role::Delegate), plane(Role::Provisioner));
    let member = binding(BOB, Role::Member, ORGANIZATION);
    let missing =
        |bindings: &[Binding]| told(PLANE, bindings, Action::CreateSession, &own_context()).map(|told| told.non_member);
    assert_eq!(missing(&[delegate, provisioner, member]), Some(Some(NonMember { user: ANN, of: PROJECT })));
    assert_eq!(missing(&[delegate, provisioner]), Some(Some(NonMember { user: ANN, of: ORGANIZATION })));
    // Who sees neither projects nor members is not told of them.
    assert_eq!(missing(&[delegate, member]), None);
    // A membership would not do for whoever is no delegate.
    assert_eq!(missing(&[provisioner, member]), Some(None));
}

#[test]
fn tells_an_owner_that_they_are_no_member_of_the_workspaces_project() {
    let member = [binding(BOB, Role::Member, ORGANIZATION)];
    let told_of = |resource: &Resource| told(BOB, &member, Action::ReceiveValues, resource);
    let expected = Some(NonMember { user: ANN, of: PROJECT });
    assert_eq!(told_of(&own_context()).map(|told| told.non_member), Some(expected));
    // They know the project by their workspace alone.
    let context = Context { organization: ACME, project: Some(API), workspace: None, user: Some(ANN) };
    assert_eq!(told_of(&Resource::Context { context, owner: None }), None);
}
