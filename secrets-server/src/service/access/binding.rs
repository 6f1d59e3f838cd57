//! Bindings: who has which role where, given and taken by whom the table of `secrets_core::grant` says.

use secrets_core::{
    AccountName, Binding, BindingName, OrganizationId, Resource, Role, RoleResource, RoleResourceName, Timestamp, Uid,
    right,
};

use crate::audit::Subject;
use crate::call::Call;
use crate::error::Error;
use crate::service::Service;
use crate::service::directory::user::keeps_an_admin;
use crate::service::locate::account::{AccountNames, LocatedAccount, account_of};
use crate::service::locate::role_resource::LocatedRoleResource;
use crate::service::mutation::{Begun, Deleted, IdempotencyKey, MutationOutcome};
use crate::service::open_call::{Located, OpenCall};
use crate::service::page::Page;
use crate::service::page::list::Listed;
use crate::store::binding::BindingRecord;
use crate::store::{KeyedConnection, StoreError, binding};

/// What CreateBinding is asked for.
pub struct NewBinding {
    pub resource: RoleResourceName,
    pub principal: AccountName,
    pub role: Role,
}

/// A binding in words.
#[derive(Clone, Debug)]
pub struct BindingView {
    pub uid: Uid,
    /// Resource path of what it is on.
    pub resource: String,
    /// Resource path of who has it.
    pub principal: String,
    pub role: Role,
    pub create_time: Timestamp,
    /// Who gave it.
    pub creator: String,
}

impl BindingView {
    /// The row of a binding on `resource` of `principal`, in words.
    pub fn new(row: BindingRecord, resource: impl Into<String>, principal: impl Into<String>) -> Self {
        Self {
            uid: row.uid,
            resource: resource.into(),
            principal: principal.into(),
            role: row.binding.role,
            create_time: row.create_time,
            creator: row.creator,
        }
    }
}

impl Service {
    /// Gives a role; returns the binding that is there already, if there is one.
    pub async fn create_binding(
        &self,
        call: &mut OpenCall,
        input: &NewBinding,
        key: &IdempotencyKey<BindingView>,
    ) -> Result<MutationOutcome<BindingView>, Error> {
        one_organization(input.resource.organization(), &input.principal)?;
        let (on, _, located) = self.locate_grant(self.store.reader(), call, input).await?;
        let first = call.authorize::<right::Grant>(&located)?;
        let locked = self.lock(call, on.lock(), first).await?;
        let (on, holder, located) = self.locate_grant(locked.db(), call, input).await?;
        let mut mutation = match locked.mutate::<right::Grant, _>(call, &located, key).await? {
            Begun::Replayed(outcome) => return Ok(outcome),
            Begun::New(mutation) => mutation,
        };
        on.must_exist()?;
        holder.must_exist(call)?;
        let binding = Binding { principal: holder.reference(), role: input.role, resource: on.role_resource };
        let row = match binding::find(mutation.db(), &binding).await? {
            Some(row) => row,
            None => {
                let creator = call.caller.name.to_string();
                let row = BindingRecord { uid: self.uid()?, binding, create_time: call.now, creator };
                binding::insert(mutation.db(), &row).await?;
                if let Some(scope) = on.scope() {
                    mutation.bump(scope).await?;
                }
                let name = BindingName { resource: input.resource.clone(), uid: row.uid };
                call.identify(Subject::new(on.role_resource.organization(), name, row.uid));
                row
            }
        };
        let named = BindingView::new(row, input.resource.to_string(), input.principal.to_string());
        mutation.finish(call, key, named).await
    }

    /// What a role is given on, to whom, and what is authorized to give it.
    async fn locate_grant(
        &self,
        db: &impl KeyedConnection,
        call: &mut OpenCall,
        input: &NewBinding,
    ) -> Result<(LocatedRoleResource, LocatedAccount, (Subject, Resource, RoleResourceName)), Error> {
        let on = self.locate_role_resource(db, call, &input.resource).await?;
        call.identify(on.subject());
        let holder = self.locate_account(db, call, &input.principal).await?;
        if input.role == Role::Owner {
            let text = "a workspace has the owner it was made for or transferred to; TransferWorkspace changes it";
            return Err(Error::invalid("binding.role", text));
        }
        secrets_core::binding::check(input.role, on.role_resource.kind(), holder.account.kind())
            .map_err(|error| Error::invalid("binding.role", error))?;
        let resource =
            Resource::Binding { holder: holder.account, role: input.role, resource: on.role_resource, owner: on.owner };
        let located = (on.subject(), resource, on.name.clone());
        Ok((on, holder, located))
    }

    /// Lists the bindings on a resource; with those of an organization come those of the platform, which reach it too.
    pub async fn list_bindings(
        &self,
        call: &mut OpenCall,
        (name, page): (RoleResourceName, Page),
    ) -> Result<Listed<BindingView>, Error> {
        let db = &self.read(call).await?;
        let on = self.locate_role_resource(db, call, &name).await?;
        call.require::<right::ListBindings>(&on)?;
        on.must_exist()?;
        let role_resources: &[RoleResource] = match on.role_resource {
            role_resource @ RoleResource::Organization(_) => &[role_resource, RoleResource::Platform],
            role_resource => &[role_resource],
        };
        let mut total = 0;
        for role_resource in role_resources {
            total += binding::count(db, *role_resource).await?;
        }
        // Uids sort as their bytes do, in both databases and here.
        let fetch = |after: Option<Uid>, limit: u64| async move {
            let mut rows = Vec::new();
            for role_resource in role_resources {
                rows.extend(binding::list(db, *role_resource, after, limit).await?);
            }
            rows.sort_by_key(|row| row.uid);
            rows.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
            Ok::<_, StoreError>(rows)
        };
        let level_name = name.to_string();
        let query = ["bindings", level_name.as_str()];
        let listed = self.list_page(&page, &query, Some(total), |_| true, |row: &BindingRecord| row.uid, fetch).await?;
        let holders = listed.rows.iter().map(|row| row.binding.principal);
        let names = AccountNames::load(db, on.organization(), holders).await?;
        Ok(listed.map(|row| {
            let resource = if row.binding.resource == RoleResource::Platform { "platform" } else { &level_name };
            let principal = names.name(row.binding.principal);
            BindingView::new(row, resource, principal)
        }))
    }

    /// What a role was given on, and the binding, if it is there, with what is authorized to take it away.
    async fn locate_binding(
        &self,
        db: &impl KeyedConnection,
        call: &Call,
        name: &BindingName,
    ) -> Result<(LocatedRoleResource, Option<(BindingRecord, Resource)>), Error> {
        let on = self.locate_role_resource(db, call, &name.resource).await?;
        let within = on.role_resource.organization();
        let found = binding::by_uid(db, within, name.uid).await?;
        let Some(row) = found.filter(|row| row.binding.resource == on.role_resource) else { return Ok((on, None)) };
        let holder = account_of(db, within, row.binding.principal).await?;
        let resource =
            Resource::Binding { holder, role: row.binding.role, resource: on.role_resource, owner: on.owner };
        Ok((on, Some((row, resource))))
    }

    /// Takes a role away. The last administrator stays.
    pub async fn delete_binding(
        &self,
        call: &mut OpenCall,
        name: &BindingName,
        key: &IdempotencyKey<Deleted>,
    ) -> Result<MutationOutcome<Deleted>, Error> {
        let (on, found) = self.locate_binding(self.store.reader(), call, name).await?;
        let locked = match &found {
            Some((_, resource)) => {
                let first = call.authorize::<right::Revoke>(&(on.subject(), *resource, &on.name))?;
                self.lock(call, on.lock(), first).await?
            }
            None => {
                // Unnamed: whoever may not list the bindings is told as little as of one that is there.
                let first = call.authorize::<right::ListBindings>(&(on.subject(), on.resource))?;
                self.lock(call, on.lock(), first).await?
            }
        };
        let (on, found) = self.locate_binding(locked.db(), call, name).await?;
        let within = on.role_resource.organization();
        let Some((row, resource)) = found else {
            // Whoever may list the bindings may know that there is none.
            if let Begun::Replayed(outcome) =
                locked.mutate::<right::ListBindings, _>(call, &(on.subject(), on.resource), key).await?
            {
                return Ok(outcome);
            }
            on.must_exist()?;
            return Err(Error::not_found(format_args!("binding `{name}`")));
        };
        let Binding { principal, role, .. } = row.binding;
        let mut mutation =
            match locked.mutate::<right::Revoke, _>(call, &(on.subject(), resource, &on.name), key).await? {
                Begun::Replayed(outcome) => return Ok(outcome),
                Begun::New(mutation) => mutation,
            };
        if let (RoleResource::Organization(_), Role::Admin, Some(organization)) =
            (on.role_resource, role, on.organization())
        {
            keeps_an_admin(mutation.db(), organization, principal).await?;
        }
        binding::delete(mutation.db(), within, row.uid).await?;
        if let Some(scope) = on.scope() {
            mutation.bump(scope).await?;
        }
        mutation.finish(call, key, Deleted).await
    }
}

/// No role crosses from one organization to another.
fn one_organization(on: Option<&OrganizationId>, principal: &AccountName) -> Result<(), Error> {
    match (on, principal.organization()) {
        (Some(on), Some(own)) if on != own => {
            let text = format!("must be an account of `organizations/{on}` or a service account of the platform");
            Err(Error::invalid("binding.principal", text))
        }
        _ => Ok(()),
    }
}
