//! Service accounts: programs of an organization or of the platform.

use secrets_core::{
    AccountName, OrganizationId, Resource, RoleResourceName, Scope, ScopeKind, ScopeName, ServiceAccountId,
    ServiceAccountName, Uid, right,
};

use crate::audit::Subject;
use crate::call::Call;
use crate::error::Error;
use crate::service::Service;
use crate::service::mutation::{Begun, Deleted, IdempotencyKey, MutationOutcome};
use crate::service::open_call::OpenCall;
use crate::service::page::Page;
use crate::service::page::list::Listed;
use crate::store::service_account::ServiceAccount;
use crate::store::{KeyedConnection, PLATFORM, binding, credential, service_account};

/// What CreateServiceAccount is asked for.
pub struct NewServiceAccount {
    /// Its name: the organization, or none for the platform, and its identifier.
    pub name: ServiceAccountName,
    /// For people.
    pub display_name: String,
}

/// A service account by name and by row.
#[derive(Clone, Debug)]
pub struct ServiceAccountView {
    pub name: ServiceAccountName,
    pub row: ServiceAccount,
}

impl Service {
    /// Creates a service account.
    pub async fn create_service_account(
        &self,
        call: &mut OpenCall,
        input: &NewServiceAccount,
        key: &IdempotencyKey<ServiceAccountView>,
    ) -> Result<MutationOutcome<ServiceAccountView>, Error> {
        let organization = input.name.organization.as_ref();
        let (home, resource) = self.locate_home(self.store.reader(), call, organization).await?;
        let located = (Subject::new(home, &input.name, None), resource, home_name(organization));
        let first = call.authorize::<right::ManageServiceAccounts>(&located)?;
        let locked = self.lock(call, home.unwrap_or(PLATFORM), first).await?;
        let mutation = match locked.mutate::<right::ManageServiceAccounts, _>(call, &located, key).await? {
            Begun::Replayed(outcome) => return Ok(outcome),
            Begun::New(mutation) => mutation,
        };
        let row = ServiceAccount {
            uid: self.uid()?,
            organization: home,
            service_account_id: input.name.id.clone(),
            display_name: input.display_name.clone(),
            create_time: call.now,
        };
        service_account::insert(mutation.db(), &row).await?;
        call.identify(Subject::new(home, &input.name, row.uid));
        mutation.finish(call, key, ServiceAccountView { name: input.name.clone(), row }).await
    }

    /// Returns a service account.
    pub async fn get_service_account(
        &self,
        call: &mut OpenCall,
        name: ServiceAccountName,
    ) -> Result<ServiceAccountView, Error> {
        let db = &self.read(call).await?;
        let located = self.locate_account(db, call, &AccountName::ServiceAccount(name.clone())).await?;
        call.require::<right::GetServiceAccount>(&located)?;
        located.must_exist(call)?;
        let row = service_account::by_uids(db, located.organization, [located.reference().uid]).await?.pop();
        let row = row.ok_or_else(|| Error::not_found(format_args!("service account `{name}`")))?;
        Ok(ServiceAccountView { name, row })
    }

    /// Lists the service accounts of an organization or of the platform; whoever may list them may see each.
    pub async fn list_service_accounts(
        &self,
        call: &mut OpenCall,
        (organization, page): (Option<OrganizationId>, Page),
    ) -> Result<Listed<ServiceAccountView>, Error> {
        let db = &self.read(call).await?;
        let (home, resource) = self.locate_home(db, call, organization.as_ref()).await?;
        let name = home_name(organization.as_ref());
        call.require::<right::ListServiceAccounts>(&(Subject::new(home, &name, home), resource, name))?;
        let total = Some(service_account::count(db, home).await?);
        let fetch = |after: Option<ServiceAccountId>, limit| async move {
            service_account::list(db, home, after.as_ref(), limit).await
        };
        // No organization is called by an empty name.
        let query = ["service accounts", organization.as_ref().map_or("", OrganizationId::as_str)];
        let cursor = |row: &ServiceAccount| row.service_account_id.clone();
        let listed = self.list_page(&page, &query, total, |_| true, cursor, fetch).await?;
        Ok(listed.map(|row| {
            let name = ServiceAccountName { organization: organization.clone(), id: row.service_account_id.clone() };
            ServiceAccountView { name, row }
        }))
    }

    /// Deletes a service account: its tokens, the sessions it created and its roles end at once, wherever they are.
    pub async fn delete_service_account(
        &self,
        call: &mut OpenCall,
        name: &ServiceAccountName,
        key: &IdempotencyKey<Deleted>,
    ) -> Result<MutationOutcome<Deleted>, Error> {
        let (home, _) = self.locate_home(self.store.reader(), call, name.organization.as_ref()).await?;
        let account = AccountName::ServiceAccount(name.clone());
        let first = self.locate_account(self.store.reader(), call, &account).await?;
        let first = call.authorize::<right::ManageServiceAccounts>(&first)?;
        let locked = self.lock(call, home.unwrap_or(PLATFORM), first).await?;
        let located = self.locate_account(locked.db(), call, &account).await?;
        let mut mutation = match locked.mutate::<right::ManageServiceAccounts, _>(call, &located, key).await? {
            Begun::Replayed(outcome) => return Ok(outcome),
            Begun::New(mutation) => mutation,
        };
        located.must_exist(call)?;
        let reference = located.reference();
        credential::revoke_of_principal(mutation.db(), reference, call.now).await?;
        binding::delete_of_principal_everywhere(mutation.db(), reference).await?;
        service_account::delete(mutation.db(), home, reference.uid).await?;
        if let Some(organization) = home {
            mutation.bump(Scope::new(ScopeKind::Organization, organization)).await?;
        }
        mutation.finish(call, key, Deleted).await
    }

    /// Where service accounts are at home: an organization, or with none the platform.
    async fn locate_home(
        &self,
        db: &impl KeyedConnection,
        call: &Call,
        organization: Option<&OrganizationId>,
    ) -> Result<(Option<Uid>, Resource), Error> {
        match organization {
            Some(id) => {
                let uid = self.locate_organization(db, call, id).await?.uid;
                Ok((Some(uid), Resource::Organization(uid)))
            }
            None => Ok((None, Resource::Platform)),
        }
    }
}

/// The name of where service accounts are at home.
fn home_name(organization: Option<&OrganizationId>) -> RoleResourceName {
    organization.map_or(RoleResourceName::Platform, |id| RoleResourceName::Scope(ScopeName::Organization(id.clone())))
}
