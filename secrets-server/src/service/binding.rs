//! Bindings: who has which role where, given and taken by whom the table of `secrets_core::grant` says.

use secrets_core::{Binding, Level, OrganizationId, Resource, Role, Timestamp, Uid, grant, right};

use super::account::{AccountName, AccountNames, account_of};
use super::change::{Deleted, Done, Keep};
use super::level::LevelName;
use super::listing::Listed;
use super::page::Page;
use super::user::keeps_an_admin;
use crate::app::App;
use crate::call::Call;
use crate::failure::Failure;
use crate::store::binding::BindingRow;
use crate::store::{StoreError, binding};

/// What CreateBinding is asked for.
pub struct NewBinding {
    /// On what.
    pub on: LevelName,
    /// Who.
    pub principal: AccountName,
    /// Is what.
    pub role: Role,
}

/// The name of a binding: its resource, then `/bindings/{uid}`.
pub struct BindingName {
    /// On what.
    pub on: LevelName,
    /// Its uid.
    pub uid: Uid,
}

/// A binding in words.
#[derive(Clone, Debug)]
pub struct NamedBinding {
    /// Its uid.
    pub uid: Uid,
    /// Resource path of what it is on.
    pub resource: String,
    /// Resource path of who has it.
    pub principal: String,
    /// The role.
    pub role: Role,
    /// When it was given.
    pub create_time: Timestamp,
    /// Who gave it.
    pub creator: String,
}

impl NamedBinding {
    /// The row of a binding on `resource` of `principal`, in words.
    pub fn new(row: BindingRow, resource: impl Into<String>, principal: impl Into<String>) -> Self {
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

impl App {
    /// Gives a role; returns the binding that is there already, if there is one.
    pub async fn create_binding(
        &self,
        call: &Call,
        input: &NewBinding,
        keep: &Keep<NamedBinding>,
    ) -> Result<Done<NamedBinding>, Failure> {
        one_organization(input.on.organization(), &input.principal)?;
        let lock = self.locate_level(self.store().reader(), call, &input.on).await?.lock();
        let mut change = self.begin(call, lock).await?;
        let on = self.locate_level(change.db(), call, &input.on).await?;
        let holder = self.locate_account(change.db(), call, &input.principal).await?;
        if input.role == Role::Owner {
            let text = "a workspace has the owner it was made for or transferred to; TransferWorkspace changes it";
            return Err(Failure::invalid("binding.role", text));
        }
        grant::check(input.role, on.level.kind(), holder.account.kind())
            .map_err(|error| Failure::invalid("binding.role", error))?;
        let resource = Resource::Binding { holder: holder.account, role: input.role, on: on.level, owner: on.owner };
        let permit = call.authorize::<right::Grant>(&resource)?;
        if let Some(done) = change.repeated(keep).await? {
            return Ok(done);
        }
        on.must_exist()?;
        holder.must_exist(call)?;
        let binding = Binding { principal: holder.reference(), role: input.role, on: on.level };
        let row = match binding::find(change.db(), &binding).await? {
            Some(row) => row,
            None => {
                let creator = call.caller.name.clone();
                let row = BindingRow { uid: self.uid()?, binding, create_time: call.now, creator };
                binding::insert(change.db(), &row).await?;
                if let Some(scope) = on.scope() {
                    change.bump(scope).await?;
                }
                call.about_precisely(
                    on.level.organization(),
                    format!("{}/bindings/{}", input.on, row.uid),
                    Some(row.uid),
                );
                row
            }
        };
        let named = NamedBinding::new(row, input.on.to_string(), input.principal.to_string());
        change.finish(&permit, keep, named).await
    }

    /// Lists the bindings on a resource; with those of an organization come those of the platform, which reach it too.
    pub async fn list_bindings(
        &self,
        call: &Call,
        (name, page): (LevelName, Page),
    ) -> Result<Listed<NamedBinding>, Failure> {
        let db = self.store().reader();
        let on = self.locate_level(db, call, &name).await?;
        let _permit = call.authorize::<right::ListBindings>(&on.resource)?;
        on.must_exist()?;
        let levels: &[Level] = match on.level {
            level @ Level::Organization(_) => &[level, Level::Platform],
            level => &[level],
        };
        let mut total = 0;
        for level in levels {
            total += binding::count(db, *level).await?;
        }
        // Uids sort as their bytes do, in both databases and here.
        let fetch = |after: Option<Uid>, limit: u64| async move {
            let mut rows = Vec::new();
            for level in levels {
                rows.extend(binding::list(db, *level, after, limit).await?);
            }
            rows.sort_by_key(|row| row.uid);
            rows.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
            Ok::<_, StoreError>(rows)
        };
        let level_name = name.to_string();
        let query = ["bindings", level_name.as_str()];
        let listed = self.list_page(&page, &query, Some(total), |_| true, |row: &BindingRow| row.uid, fetch).await?;
        let holders = listed.rows.iter().map(|row| row.binding.principal);
        let names = AccountNames::of(db, on.organization(), holders).await?;
        Ok(listed.map(|row| {
            let resource = if row.binding.on == Level::Platform { "platform" } else { &level_name };
            let principal = names.name(row.binding.principal);
            NamedBinding::new(row, resource, principal)
        }))
    }

    /// Takes a role away. The last administrator stays.
    pub async fn delete_binding(
        &self,
        call: &Call,
        name: &BindingName,
        keep: &Keep<Deleted>,
    ) -> Result<Done<Deleted>, Failure> {
        let lock = self.locate_level(self.store().reader(), call, &name.on).await?.lock();
        let mut change = self.begin(call, lock).await?;
        let on = self.locate_level(change.db(), call, &name.on).await?;
        let within = on.level.organization();
        let found = binding::by_uid(change.db(), within, name.uid).await?.filter(|row| row.binding.on == on.level);
        let Some(row) = found else {
            // Whoever may list the bindings may know that there is none.
            let _permit = call.authorize::<right::ListBindings>(&on.resource)?;
            if let Some(done) = change.repeated(keep).await? {
                return Ok(done);
            }
            on.must_exist()?;
            return Err(Failure::not_found(format_args!("binding `{}/bindings/{}`", name.on, name.uid)));
        };
        let Binding { principal, role, .. } = row.binding;
        let holder = account_of(change.db(), within, principal).await?;
        let resource = Resource::Binding { holder, role, on: on.level, owner: on.owner };
        let permit = call.authorize::<right::Revoke>(&resource)?;
        if let Some(done) = change.repeated(keep).await? {
            return Ok(done);
        }
        if let (Level::Organization(_), Role::Admin, Some(organization)) = (on.level, role, on.organization()) {
            keeps_an_admin(change.db(), organization, principal).await?;
        }
        binding::delete(change.db(), within, row.uid).await?;
        if let Some(scope) = on.scope() {
            change.bump(scope).await?;
        }
        change.finish(&permit, keep, Deleted).await
    }
}

/// No role crosses from one organization to another.
fn one_organization(on: Option<&OrganizationId>, principal: &AccountName) -> Result<(), Failure> {
    match (on, principal.organization()) {
        (Some(on), Some(own)) if on != own => {
            let text = format!("an account of `organizations/{on}`, or a service account of the platform, passes");
            Err(Failure::invalid("binding.principal", text))
        }
        _ => Ok(()),
    }
}
