//! Whoever can hold roles and tokens, by name: a user, or a service account of an organization or of the platform.

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;

use sea_orm::ConnectionTrait;
use secrets_core::{
    Account, InvalidResourceName, OrganizationId, Principal, PrincipalKind, PrincipalRef, Resource, ScopeName,
    ServiceAccountName, Uid, UserId,
};

use crate::audit::Subject;
use crate::call::Call;
use crate::error::Error;
use crate::service::Service;
use crate::service::open_call::Located;
use crate::store::organization::Organization;
use crate::store::{service_account, user};

/// The name of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccountName {
    /// `organizations/{organization}/users/{user}`
    User(OrganizationId, UserId),
    /// `organizations/{organization}/serviceAccounts/{id}`, or `serviceAccounts/{id}`
    ServiceAccount(ServiceAccountName),
}

impl AccountName {
    /// The organization it belongs to; none for the platform's service accounts.
    pub fn organization(&self) -> Option<&OrganizationId> {
        match self {
            Self::User(organization, _) => Some(organization),
            Self::ServiceAccount(name) => name.organization.as_ref(),
        }
    }
}

impl FromStr for AccountName {
    type Err = InvalidAccountName;

    fn from_str(text: &str) -> Result<Self, InvalidAccountName> {
        if let Ok(name) = text.parse::<ServiceAccountName>() {
            return Ok(Self::ServiceAccount(name));
        }
        match text.parse::<ScopeName>() {
            Ok(ScopeName::User(organization, user)) => Ok(Self::User(organization, user)),
            Ok(_) => Err(InvalidAccountName::Shape),
            Err(InvalidResourceName::Shape { .. }) => Err(InvalidAccountName::Shape),
            Err(error) => Err(InvalidAccountName::Name(error)),
        }
    }
}

impl fmt::Display for AccountName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(organization, user) => write!(f, "organizations/{organization}/users/{user}"),
            Self::ServiceAccount(name) => name.fmt(f),
        }
    }
}

/// Why a text is no name of an account.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidAccountName {
    /// Its collections are others.
    #[error(
        "expected `organizations/{{organization}}/users/{{user}}`, `organizations/{{organization}}/serviceAccounts/{{id}}` or \
         `serviceAccounts/{{id}}`"
    )]
    Shape,
    /// One of its identifiers is not valid.
    #[error("{0}")]
    Name(InvalidResourceName),
}

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
            (AccountName::User(..), _) => Err(Error::not_found(format_args!("user `{}`", self.name))),
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
        db: &impl ConnectionTrait,
        call: &Call,
        name: &AccountName,
    ) -> Result<LocatedAccount, Error> {
        let organization = match name.organization() {
            Some(id) => Some(self.locate_organization(db, call, id).await?.uid),
            None => None,
        };
        let account = match (name, organization) {
            (AccountName::User(_, id), Some(organization)) => {
                let user = user::by_id(db, organization, id).await?.map_or(Uid::nil(), |row| row.uid);
                Account::User { organization, user }
            }
            (AccountName::ServiceAccount(name), organization) => {
                let found = service_account::by_id(db, organization, &name.id).await?;
                Account::ServiceAccount { organization, service_account: found.map_or(Uid::nil(), |row| row.uid) }
            }
            (AccountName::User(..), None) => return Err(Error::internal("a user belongs to an organization")),
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
    db: &impl ConnectionTrait,
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
        db: &impl ConnectionTrait,
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
                let name = ScopeName::User(organization.organization_id.clone(), row.user_id);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_three_kinds_of_account() {
        for (text, organization) in [
            ("organizations/acme/users/bob@example.com", Some("acme")),
            ("organizations/acme/serviceAccounts/ci", Some("acme")),
            ("serviceAccounts/sandboxd", None),
        ] {
            let name: AccountName = text.parse().unwrap();
            assert_eq!(name.to_string(), text);
            assert_eq!(name.organization().map(OrganizationId::as_str), organization);
        }
    }

    #[test]
    fn refuses_other_names_and_says_what_is_expected() {
        for text in ["", "bob", "organizations/acme", "organizations/acme/projects/api", "users/bob", "operator"] {
            let error = text.parse::<AccountName>().unwrap_err().to_string();
            assert!(error.contains("expected") || error.contains("must"), "{text}: {error}");
        }
        let error = "organizations/acme/users/../x".parse::<AccountName>().unwrap_err();
        assert!(!error.to_string().is_empty());
    }
}
