//! Who receives what a workspace gets without taking part in it: a `RESOLVER` on it, on its project or on the organization, which an
//! administrator can make of a service account. The workspace's owner is told.

use std::collections::BTreeMap;

use secrets_core::{Principal, Resource, Role, ScopeName, Uid};

use super::binding::BindingView;
use crate::call::Call;
use crate::error::Error;
use crate::service::locate::account::AccountNames;
use crate::service::locate::context::LocatedContext;
use crate::store::organization::Organization;
use crate::store::{KeyedConnection, binding, organization, project, workspace};

/// Resolvers that an answer names.
const MAX_NAMED: usize = 100;

/// The resolvers that reach the workspace of a context, for its owner; none for others.
pub(in crate::service) async fn of_context(
    db: &impl KeyedConnection,
    call: &Call,
    located: &LocatedContext,
) -> Result<Vec<BindingView>, Error> {
    let Principal::User { user, .. } = call.caller.principal else { return Ok(Vec::new()) };
    let Resource::Context { owner: Some(owner), .. } = located.resource else { return Ok(Vec::new()) };
    if owner != user {
        return Ok(Vec::new());
    }
    let names = located.context.scopes().zip(located.name.scopes());
    let shared = names.filter(|(_, name)| !matches!(name, ScopeName::User(..)));
    let names = shared.map(|(scope, name)| (scope.uid, name.to_string())).collect();
    on(db, &located.organization, &names).await
}

/// The resolvers that reach one of the workspaces that the caller owns.
pub(super) async fn of_owned_workspaces(db: &impl KeyedConnection, call: &Call) -> Result<Vec<BindingView>, Error> {
    let Principal::User { organization, user } = call.caller.principal else { return Ok(Vec::new()) };
    let owned = workspace::owned_by(db, organization, user).await?;
    let Some(organization) = organization::by_uid(db, organization).await?.filter(|_| !owned.is_empty()) else {
        return Ok(Vec::new());
    };
    let id = &organization.organization_id;
    let mut names = BTreeMap::from([(organization.uid, ScopeName::Organization(id.clone()).to_string())]);
    for row in project::by_uids(db, organization.uid, owned.iter().filter_map(|row| row.project)).await? {
        names.insert(row.uid, ScopeName::Project(id.clone(), row.project_id).to_string());
    }
    for row in owned {
        names.insert(row.uid, ScopeName::Workspace(id.clone(), row.workspace_id).to_string());
    }
    on(db, &organization, &names).await
}

/// The resolvers on the resources of these names.
async fn on(
    db: &impl KeyedConnection,
    organization: &Organization,
    names: &BTreeMap<Uid, String>,
) -> Result<Vec<BindingView>, Error> {
    let resources: Vec<_> = names.keys().copied().collect();
    let rows = binding::of_role_on(db, organization.uid, Role::Resolver, &resources, MAX_NAMED).await?;
    let accounts = AccountNames::load(db, Some(organization), rows.iter().map(|row| row.binding.principal)).await?;
    let view = |row: binding::BindingRecord| {
        let name = names.get(&row.binding.resource.uid())?.clone();
        let account = accounts.name(row.binding.principal);
        Some(BindingView::new(row, name, account))
    };
    Ok(rows.into_iter().filter_map(view).collect())
}
