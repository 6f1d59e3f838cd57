//! Users: made as members of their organization, and ended with all that speaks for them.

use std::time::Duration;

use secrets_core::{
    Binding, OrganizationId, PrincipalKind, PrincipalRef, Resource, Role, RoleResource, Scope, ScopeKind, ScopeName,
    Uid, UserId, right,
};

use crate::audit::Subject;
use crate::call::Call;
use crate::error::{Error, Reason};
use crate::service::Service;
use crate::service::mutation::{Begun, Deleted, IdempotencyKey, MutationOutcome};
use crate::service::open_call::OpenCall;
use crate::service::page::Page;
use crate::service::page::list::Listed;
use crate::service::secret::delete::UNDELETE_WINDOW;
use crate::store::binding::BindingRecord;
use crate::store::organization::Organization;
use crate::store::secret::Stamp;
use crate::store::user::{User, UserState};
use crate::store::{KeyedConnection, binding, credential, secret, user, workspace};

/// How long the secrets of a deleted user are kept before they are destroyed.
const PURGE_DELAY: Duration = UNDELETE_WINDOW;

/// What CreateUser is asked for.
pub struct NewUser {
    pub organization: OrganizationId,
    pub id: UserId,
    /// For people.
    pub display_name: String,
}

/// A user by name and by row.
#[derive(Clone, Debug)]
pub struct UserView {
    pub organization: OrganizationId,
    pub row: User,
}

impl Service {
    /// Creates a user without a credential, as a member of the organization.
    pub async fn create_user(
        &self,
        call: &mut OpenCall,
        input: &NewUser,
        key: &IdempotencyKey<UserView>,
    ) -> Result<MutationOutcome<UserView>, Error> {
        let organization = self.locate_organization(self.store.reader(), call, &input.organization).await?;
        let name = ScopeName::User(input.organization.clone(), input.id.clone());
        let parent = ScopeName::Organization(input.organization.clone());
        let located = (Subject::new(organization.uid, &name, None), Resource::Organization(organization.uid), parent);
        let first = call.authorize::<right::ManageUsers>(&located)?;
        let locked = self.lock(call, organization.uid, first).await?;
        let mut mutation = match locked.mutate::<right::ManageUsers, _>(call, &located, key).await? {
            Begun::Replayed(outcome) => return Ok(outcome),
            Begun::New(mutation) => mutation,
        };
        let row = self.add_user(mutation.db(), call, &organization, &input.id, input.display_name.clone()).await?;
        mutation.bump(Scope::new(ScopeKind::Organization, organization.uid)).await?;
        call.identify(Subject::new(organization.uid, &name, row.uid));
        mutation.finish(call, key, UserView { organization: input.organization.clone(), row }).await
    }

    /// Returns a user.
    pub async fn get_user(&self, call: &mut OpenCall, name: ScopeName) -> Result<UserView, Error> {
        let db = &self.read(call).await?;
        let located = self.locate_scope(db, call, &name).await?;
        call.require::<right::GetUser>(&located)?;
        located.must_exist()?;
        let row = user::by_uids(db, located.organization.uid, [located.scope.uid]).await?.pop();
        let row = row.ok_or_else(|| Error::not_found(format_args!("user `{name}`")))?;
        Ok(UserView { organization: located.organization.organization_id, row })
    }

    /// Lists the users; whoever may list them may see each.
    pub async fn list_users(
        &self,
        call: &mut OpenCall,
        (organization, page): (OrganizationId, Page),
    ) -> Result<Listed<UserView>, Error> {
        let db = &self.read(call).await?;
        let parent = self.locate_scope(db, call, &ScopeName::Organization(organization.clone())).await?;
        call.require::<right::ListUsers>(&parent)?;
        let within = parent.organization.uid;
        let total = Some(user::count(db, within).await?);
        let fetch = |after: Option<UserId>, limit| async move { user::list(db, within, after.as_ref(), limit).await };
        let query = ["users", organization.as_str()];
        let listed = self.list_page(&page, &query, total, |_| true, |row| row.user_id.clone(), fetch).await?;
        Ok(listed.map(|row| UserView { organization: organization.clone(), row }))
    }

    /// Deletes a user: credentials, sessions and roles end at once, their workspaces have no owner, and their own secrets
    /// are destroyed in seven days. Administrators are deleted by administrators alone, and the last one stays.
    pub async fn delete_user(
        &self,
        call: &mut OpenCall,
        name: &ScopeName,
        key: &IdempotencyKey<Deleted>,
    ) -> Result<MutationOutcome<Deleted>, Error> {
        let organization = self.locate_organization(self.store.reader(), call, name.organization()).await?;
        let first = self.locate_scope(self.store.reader(), call, name).await?;
        let first = call.authorize::<right::ManageUsers>(&first)?;
        let locked = self.lock(call, organization.uid, first).await?;
        let located = self.locate_scope(locked.db(), call, name).await?;
        let mut mutation = match locked.mutate::<right::ManageUsers, _>(call, &located, key).await? {
            Begun::Replayed(outcome) => return Ok(outcome),
            Begun::New(mutation) => mutation,
        };
        located.must_exist()?;
        let (within, uid) = (organization.uid, located.scope.uid);
        let leaving = PrincipalRef { kind: PrincipalKind::User, uid };
        // Whoever may not take the role away does not delete who has it: a program of the operator could otherwise leave an organization
        // without an administrator who can sign in.
        if binding::admins(mutation.db(), within).await?.contains(&leaving) {
            call.permit::<right::InviteUser>(&located.resource).map(|_permit| ())?;
        }
        keeps_an_admin(mutation.db(), &organization, leaving).await?;
        end_credentials(mutation.db(), call, within, leaving).await?;
        binding::delete_of_principal(mutation.db(), Some(within), leaving).await?;
        for owned in workspace::owned_by(mutation.db(), within, uid).await? {
            workspace::transfer(mutation.db(), within, owned.uid, None).await?;
            mutation.bump(Scope::new(ScopeKind::Workspace, owned.uid)).await?;
        }
        let purge_time = call.now.saturating_add(PURGE_DELAY);
        let revision = mutation.bump(located.scope).await?;
        let stamp = Stamp { revision: revision.revision, time: call.now, updater: call.caller.name.to_string() };
        secret::delete_scope(mutation.db(), within, located.scope, purge_time, &stamp).await?;
        user::delete(mutation.db(), within, uid, call.now, purge_time).await?;
        mutation.finish(call, key, Deleted).await
    }

    /// Adds a user, who is a member of the organization.
    pub(crate) async fn add_user(
        &self,
        db: &impl KeyedConnection,
        call: &Call,
        organization: &Organization,
        id: &UserId,
        display_name: String,
    ) -> Result<User, Error> {
        let row = User {
            uid: self.uid()?,
            organization: organization.uid,
            user_id: id.clone(),
            display_name,
            state: UserState::Invited,
            create_time: call.now,
            delete_time: None,
            purge_time: None,
            recovery_time: None,
        };
        user::insert(db, &row).await?;
        self.make_member(db, call, organization.uid, row.uid).await?;
        Ok(row)
    }

    /// Makes a user a member of the organization, unless they are already, or administer it.
    pub(crate) async fn make_member(
        &self,
        db: &impl KeyedConnection,
        call: &Call,
        organization: Uid,
        user: Uid,
    ) -> Result<(), Error> {
        if takes_part(db, organization, user).await? {
            return Ok(());
        }
        let principal = PrincipalRef { kind: PrincipalKind::User, uid: user };
        let membership = BindingRecord {
            uid: self.uid()?,
            binding: Binding { principal, role: Role::Member, resource: RoleResource::Organization(organization) },
            create_time: call.now,
            creator: call.caller.name.to_string(),
        };
        Ok(binding::insert(db, &membership).await?)
    }
}

/// Whether a user is a member of the organization, or administers it.
pub(crate) async fn takes_part(db: &impl KeyedConnection, organization: Uid, user: Uid) -> Result<bool, Error> {
    let principal = PrincipalRef { kind: PrincipalKind::User, uid: user };
    for role in [Role::Admin, Role::Member] {
        let held = Binding { principal, role, resource: RoleResource::Organization(organization) };
        if binding::find(db, &held).await?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Refuses to take the last administrator from an organization. Ask under its lock.
pub(crate) async fn keeps_an_admin(
    db: &impl KeyedConnection,
    organization: &Organization,
    leaving: PrincipalRef,
) -> Result<(), Error> {
    let admins = binding::admins(db, organization.uid).await?;
    if !admins.contains(&leaving) {
        return Ok(());
    }
    secrets_core::binding::keeps_an_admin(admins, leaving)
        .map_err(|error| Error::new(Reason::LastAdmin, error.to_string()))
}

/// Ends every credential of a user and every session for them, whoever created it.
pub(crate) async fn end_credentials(
    db: &impl KeyedConnection,
    call: &Call,
    organization: Uid,
    user: PrincipalRef,
) -> Result<(), Error> {
    credential::revoke_of_principal(db, user, call.now).await?;
    credential::revoke_sessions_for_user(db, organization, user.uid, call.now).await?;
    Ok(())
}
