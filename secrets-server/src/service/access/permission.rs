//! Which permissions the caller has on a resource. It asks the policy and looks nothing up that the caller may not know:
//! what is missing is asked about too, and nobody has anything on it that they would not have on any other.

use secrets_core::authorize::{self, Action};
use secrets_core::{Account, AccountKind, Context, Principal, Resource, Role, RoleResource, ScopeName, Uid};

use crate::call::Call;
use crate::error::Error;
use crate::service::Service;
use crate::service::locate::LocatedScope;
use crate::service::open_call::{Located, OpenCall};

/// What TestPermissions is asked for.
pub struct PermissionQuery {
    /// An organization, project, workspace or user.
    pub resource: ScopeName,
    pub permissions: Vec<Action>,
}

impl Service {
    /// Those of the permissions that the caller has on the resource, in the order in which they were asked.
    pub async fn test_permissions(&self, call: &mut OpenCall, query: PermissionQuery) -> Result<Vec<Action>, Error> {
        let db = &self.read(call).await?;
        let located = self.locate_scope(db, call, &query.resource).await?;
        call.identify(located.subject());
        let own_context = match &call.caller.session {
            Some(session) => Some(self.locate_context(db, call, &session.context).await?.resource),
            None => None,
        };
        let has = |action: &Action| {
            let is_granted = |resource: &Resource| {
                authorize::decide(&call.caller.principal, &call.caller.bindings, *action, resource).is_ok()
            };
            resources(call, &located, own_context, *action).iter().any(is_granted)
        };
        Ok(query.permissions.into_iter().filter(has).collect())
    }
}

/// What the action would be done to, on or in the resource: any one of these.
fn resources(call: &Call, located: &LocatedScope, own_context: Option<Resource>, action: Action) -> Vec<Resource> {
    let organization = located.organization.uid;
    match action {
        Action::ReceiveValues | Action::Explain | Action::CreateSession | Action::RenewSession => {
            context_of(call, located, own_context).into_iter().collect()
        }
        Action::Grant | Action::Revoke => roles_on(located),
        // What is in an organization is asked about as the one of nobody in particular.
        _ => match located.resource {
            Resource::Organization(_) => {
                let user = match call.caller.principal {
                    Principal::User { user, .. } => Some(user),
                    _ => None,
                };
                let own = (action == Action::CreateWorkspace).then_some(user).flatten();
                let nil = Uid::nil();
                let context = Context { organization, project: None, workspace: None, user: None };
                let creator = Account::User { organization, user: nil };
                vec![
                    located.resource,
                    Resource::Project { organization, project: nil },
                    Resource::Workspace { organization, workspace: nil, project: None, owner: own.or(Some(nil)) },
                    Resource::User { organization, user: nil },
                    Resource::ServiceAccount { organization: Some(organization), service_account: nil },
                    Resource::Session { session: nil, context, creator },
                ]
            }
            resource => vec![resource],
        },
    }
}

/// The context of the resource: a session's own, a user's with themselves in it, another's without a user.
fn context_of(call: &Call, located: &LocatedScope, own_context: Option<Resource>) -> Option<Resource> {
    let (organization, user) = match call.caller.principal {
        Principal::Session { context, .. } => {
            return own_context.filter(|_| context.scopes().any(|scope| scope == located.scope));
        }
        Principal::User { organization, user } => (organization, Some(user)),
        Principal::ServiceAccount { .. } | Principal::Operator => (located.organization.uid, None),
    };
    let bare = Context { organization, project: None, workspace: None, user };
    match located.resource {
        Resource::Organization(_) => Some(Resource::Context { context: bare, owner: None }),
        Resource::Project { project, .. } => {
            Some(Resource::Context { context: Context { project: Some(project), ..bare }, owner: None })
        }
        Resource::Workspace { workspace, project, owner, .. } => {
            Some(Resource::Context { context: Context { workspace: Some(workspace), project, ..bare }, owner })
        }
        Resource::User { user, .. } => {
            Some(Resource::Context { context: Context { user: Some(user), ..bare }, owner: None })
        }
        _ => None,
    }
}

/// Every role that somebody could have there.
fn roles_on(located: &LocatedScope) -> Vec<Resource> {
    let (on, owner) = match located.resource {
        Resource::Organization(organization) => (RoleResource::Organization(organization), None),
        Resource::Project { organization, project } => (RoleResource::Project { organization, project }, None),
        Resource::Workspace { organization, workspace, owner, .. } => {
            (RoleResource::Workspace { organization, workspace }, owner)
        }
        _ => return Vec::new(),
    };
    let organization = located.organization.uid;
    let holders = AccountKind::ALL.iter().map(|kind| match kind {
        AccountKind::User => Account::User { organization, user: Uid::nil() },
        AccountKind::ServiceAccount => {
            Account::ServiceAccount { organization: Some(organization), service_account: Uid::nil() }
        }
        AccountKind::PlatformServiceAccount => {
            Account::ServiceAccount { organization: None, service_account: Uid::nil() }
        }
    });
    holders
        .flat_map(|holder| {
            Role::ALL.iter().map(move |role| Resource::Binding { holder, role: *role, resource: on, owner })
        })
        .collect()
}
