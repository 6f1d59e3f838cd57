//! Whoever can hold roles and tokens, by name: a user, or a service account of an organization or of the platform.

use std::collections::HashMap;

use secrets_core::{
    Account, AccountName, Principal, PrincipalKind, PrincipalRef, Resource, ServiceAccountName, Uid, UserName,
};

use crate::audit::Subject;
use crate::call::Call;
use crate::error::Error;
use crate::service::Service;
use crate::service::open_call::Located;
use crate::store::organization::Organization;
use crate::store::{KeyedConnection, service_account, user};

/// An account by name and by uid.
#[derive(Clone, Debug)]
pub struct LocatedAccount {
    pub name: AccountName,
    /// Its uid, nil when there is no such account, with the organization it belongs to.
    pub account: Account,
    /// The organization in whose name it is; none for the platform.
    pub organization: Option<Uid>,
}

impl Located for LocatedAccount {
    fn subject(&self) -> Subject {
        Subject::located(self.organization, &self.name, self.reference().uid)
    }

    fn resource(&self) -> Resource {
        resource_of(self.account)
    }

    fn path(&self) -> Option<String> {
        Some(self.name.to_string())
    }
}

impl LocatedAccount {
    /// The account as stored things refer to it.
    pub fn reference(&self) -> PrincipalRef {
        self.account.reference()
    }

    /// Refuses an account that does not exist. Call it after authorizing. That the platform has no such service account is
    /// for the operator to know.
    pub fn must_exist(&self, call: &Call) -> Result<(), Error> {
        if !self.reference().uid.is_nil() {
            return Ok(());
        }
        match (&self.name, call.caller.principal) {
            (AccountName::User(_), _) => Err(Error::not_found(format_args!("user `{}`", self.name))),
            (AccountName::ServiceAccount(name), principal) => {
                if name.organization.is_none() && principal != Principal::Operator {
                    return Err(Error::denied());
                }
                Err(Error::not_found(format_args!("service account `{}`", self.name)))
            }
        }
    }
}

impl Service {
    /// The account of this name.
    pub async fn locate_account(
        &self,
        db: &impl KeyedConnection,
        call: &Call,
        name: &AccountName,
    ) -> Result<LocatedAccount, Error> {
        let organization = match name.organization() {
            Some(id) => Some(self.locate_organization(db, call, id).await?.uid),
            None => None,
        };
        let account = match (name, organization) {
            (AccountName::User(name), Some(organization)) => {
                let user = user::by_id(db, organization, &name.user).await?.map_or(Uid::nil(), |row| row.uid);
                Account::User { organization, user }
            }
            (AccountName::ServiceAccount(name), organization) => {
                let found = service_account::by_id(db, organization, &name.id).await?;
                Account::ServiceAccount { organization, service_account: found.map_or(Uid::nil(), |row| row.uid) }
            }
            (AccountName::User(_), None) => return Err(Error::internal("a user belongs to an organization")),
        };
        Ok(LocatedAccount { name: name.clone(), account, organization })
    }
}

/// What is authorized about an account itself and its tokens.
pub fn resource_of(account: Account) -> Resource {
    match account {
        Account::User { organization, user } => Resource::User { organization, user },
        Account::ServiceAccount { organization, service_account } => {
            Resource::ServiceAccount { organization, service_account }
        }
    }
}

/// The account that stored things of the organization, or of the platform, refer to.
pub async fn account_of(
    db: &impl KeyedConnection,
    organization: Option<Uid>,
    reference: PrincipalRef,
) -> Result<Account, Error> {
    match (reference.kind, organization) {
        (PrincipalKind::User, Some(organization)) => Ok(Account::User { organization, user: reference.uid }),
        (PrincipalKind::ServiceAccount, _) => {
            let found = service_account::by_uids(db, organization, [reference.uid]).await?.pop();
            // One that is gone is nobody's but the organization's to manage.
            let organization = found.map_or(organization, |row| row.organization);
            Ok(Account::ServiceAccount { organization, service_account: reference.uid })
        }
        _ => Err(Error::internal(format!("{} is no account", reference.uid))),
    }
}

/// The names of some accounts of an organization and of the platform.
#[derive(Clone, Debug, Default)]
pub struct AccountNames(HashMap<PrincipalRef, String>);

impl AccountNames {
    /// Looks all of them up: two queries, however many there are. Without an organization only the platform's.
    pub async fn load(
        db: &impl KeyedConnection,
        organization: Option<&Organization>,
        accounts: impl IntoIterator<Item = PrincipalRef>,
    ) -> Result<Self, Error> {
        let (users, programs): (Vec<_>, Vec<_>) =
            accounts.into_iter().partition(|account| account.kind == PrincipalKind::User);
        let uids = |of: Vec<PrincipalRef>| of.into_iter().map(|account| account.uid).collect::<Vec<_>>();
        let mut names = HashMap::new();
        let within = organization.map(|organization| organization.uid);
        for row in service_account::by_uids(db, within, uids(programs)).await? {
            let owner = row.organization.and(organization).map(|organization| organization.organization_id.clone());
            let name = ServiceAccountName { organization: owner, id: row.service_account_id };
            names.insert(PrincipalRef { kind: PrincipalKind::ServiceAccount, uid: row.uid }, name.to_string());
        }
        if let Some(organization) = organization {
            for row in user::by_uids(db, organization.uid, uids(users)).await? {
                let name = UserName::new(organization.organization_id.clone(), row.user_id);
                names.insert(PrincipalRef { kind: PrincipalKind::User, uid: row.uid }, name.to_string());
            }
        }
        Ok(Self(names))
    }

    /// The name of one; its uid when it is gone.
    pub fn name(&self, account: PrincipalRef) -> String {
        self.0.get(&account).cloned().unwrap_or_else(|| match account.kind {
            PrincipalKind::Operator => "operator".to_owned(),
            _ => account.uid.to_string(),
        })
    }
}
