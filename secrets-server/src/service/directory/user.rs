//! Users: made as members of their organization, and ended with all that speaks for them.

use std::time::Duration;

use sea_orm::ConnectionTrait;
use secrets_core::{
    Binding, OrganizationId, PrincipalKind, PrincipalRef, Role, RoleResource, Scope, ScopeKind, ScopeName, Uid, UserId,
    right,
};

use crate::call::Call;
use crate::error::{Error, Reason};
use crate::service::Service;
use crate::service::mutation::{Change, Deleted, Done, Keep};
use crate::service::page::Page;
use crate::service::page::list::Listed;
use crate::store::binding::BindingRecord;
use crate::store::organization::Organization;
use crate::store::secret::Stamp;
use crate::store::user::{User, UserState};
use crate::store::{binding, credential, secret, user, workspace};

/// How long the secrets of a deleted user are kept before they are destroyed.
const WINDOW: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// What CreateUser is asked for.
pub struct NewUser {
    /// The organization.
    pub organization: OrganizationId,
    /// Their identifier.
    pub id: UserId,
    /// For people.
    pub display_name: String,
}

/// A user by name and by row.
#[derive(Clone, Debug)]
pub struct UserView {
    /// The organization.
    pub organization: OrganizationId,
    /// The user.
    pub row: User,
}

impl Service {
    /// Creates a user without a credential, as a member of the organization.
    pub async fn create_user(
        &self,
        call: &Call,
        input: &NewUser,
        keep: &Keep<UserView>,
    ) -> Result<Done<UserView>, Error> {
        let organization = self.locate_organization(self.store.reader(), call, &input.organization).await?;
        let name = ScopeName::User(input.organization.clone(), input.id.clone());
        call.about(Some(organization.uid), name.to_string(), None);
        let mut change = self.begin(call, organization.uid).await?;
        let parent = ScopeName::Organization(input.organization.clone());
        let parent = self.locate_scope(change.db(), call, &parent).await?;
        let permit = call.authorize::<right::ManageUsers>(&parent.resource)?;
        if let Some(done) = change.repeated(keep).await? {
            return Ok(done);
        }
        let row = self.add_user(change.db(), call, &organization, &input.id, input.display_name.clone()).await?;
        change.bump(parent.scope).await?;
        call.about_precisely(Some(organization.uid), name.to_string(), Some(row.uid));
        change.finish(&permit, keep, UserView { organization: input.organization.clone(), row }).await
    }

    /// Returns a user.
    pub async fn get_user(&self, call: &Call, name: ScopeName) -> Result<UserView, Error> {
        let db = self.store.reader();
        let located = self.locate_scope(db, call, &name).await?;
        let _permit = call.authorize::<right::GetUser>(&located.resource)?;
        located.must_exist()?;
        let row = user::by_uids(db, located.organization.uid, [located.scope.uid]).await?.pop();
        let row = row.ok_or_else(|| Error::not_found(format_args!("user `{name}`")))?;
        Ok(UserView { organization: located.organization.organization_id, row })
    }

    /// Lists the users; whoever may list them may see each.
    pub async fn list_users(
        &self,
        call: &Call,
        (organization, page): (OrganizationId, Page),
    ) -> Result<Listed<UserView>, Error> {
        let db = self.store.reader();
        let parent = self.locate_scope(db, call, &ScopeName::Organization(organization.clone())).await?;
        let _permit = call.authorize::<right::ListUsers>(&parent.resource)?;
        let within = parent.organization.uid;
        let total = Some(user::count(db, within).await?);
        let fetch = |after: Option<UserId>, limit| async move { user::list(db, within, after.as_ref(), limit).await };
        let query = ["users", organization.as_str()];
        let listed = self.list_page(&page, &query, total, |_| true, |row| row.user_id.clone(), fetch).await?;
        Ok(listed.map(|row| UserView { organization: organization.clone(), row }))
    }

    /// Deletes a user: credentials, sessions and roles end at once, their workspaces have no owner, and their own secrets
    /// are destroyed after the window. The last administrator stays.
    pub async fn delete_user(
        &self,
        call: &Call,
        name: &ScopeName,
        keep: &Keep<Deleted>,
    ) -> Result<Done<Deleted>, Error> {
        let organization = self.locate_organization(self.store.reader(), call, name.organization()).await?;
        let mut change = self.begin(call, organization.uid).await?;
        let located = self.locate_scope(change.db(), call, name).await?;
        let permit = call.authorize::<right::ManageUsers>(&located.resource)?;
        if let Some(done) = change.repeated(keep).await? {
            return Ok(done);
        }
        located.must_exist()?;
        let (within, uid) = (organization.uid, located.scope.uid);
        let leaving = PrincipalRef { kind: PrincipalKind::User, uid };
        keeps_an_admin(change.db(), &organization, leaving).await?;
        end_credentials(&change, call, within, leaving).await?;
        binding::delete_of_principal(change.db(), Some(within), leaving).await?;
        for owned in workspace::owned_by(change.db(), within, uid).await? {
            workspace::transfer(change.db(), within, owned.uid, None).await?;
            change.bump(Scope::new(ScopeKind::Workspace, owned.uid)).await?;
        }
        let purge_time = call.now.saturating_add(WINDOW);
        let revision = change.bump(located.scope).await?;
        let stamp = Stamp { revision: revision.revision, time: call.now, updater: call.caller.name.clone() };
        secret::delete_scope(change.db(), within, located.scope, purge_time, &stamp).await?;
        user::delete(change.db(), within, uid, call.now, purge_time).await?;
        change.finish(&permit, keep, Deleted).await
    }

    /// Adds a user, who is a member of the organization.
    pub(crate) async fn add_user(
        &self,
        db: &impl ConnectionTrait,
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
        };
        user::insert(db, &row).await?;
        self.make_member(db, call, organization.uid, row.uid).await?;
        Ok(row)
    }

    /// Makes a user a member of the organization, unless they are already, or administer it.
    pub(crate) async fn make_member(
        &self,
        db: &impl ConnectionTrait,
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
            creator: call.caller.name.clone(),
        };
        Ok(binding::insert(db, &membership).await?)
    }
}

/// Whether a user is a member of the organization, or administers it.
pub(crate) async fn takes_part(db: &impl ConnectionTrait, organization: Uid, user: Uid) -> Result<bool, Error> {
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
    db: &impl ConnectionTrait,
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
    change: &Change<'_>,
    call: &Call,
    organization: Uid,
    of: PrincipalRef,
) -> Result<(), Error> {
    credential::revoke_of_principal(change.db(), of, call.now).await?;
    credential::revoke_sessions_for_user(change.db(), organization, of.uid, call.now).await?;
    Ok(())
}
