//! The first credential of an installation, and the ready organization of `secrets-server dev`.

use secrets_core::{
    AllowedReserved, Binding, CredentialKind, NamePolicy, OrganizationId, PrincipalKind, PrincipalRef, Role,
    RoleResource, Uid, UserId,
};

use super::create_credential::{CreatedCredential, NewCredential};
use crate::auth::token::Token;
use crate::error::Error;
use crate::service::Service;
use crate::store::binding::BindingRecord;
use crate::store::credential::{Credential, Origin};
use crate::store::organization::Organization;
use crate::store::user::{User, UserState};
use crate::store::{self, WriteTransaction, binding, credential, organization, revision, user};

impl Service {
    /// Makes the operator's token, unless there is one that still works: then `None`. The caller writes it where only the
    /// operator reads it, and only then calls [`FirstToken::keep`]: a token that was not written is not stored either.
    pub async fn bootstrap_operator(&self) -> Result<Option<FirstToken>, Error> {
        let transaction = self.store.begin().await?;
        revision::lock_platform(&transaction).await?;
        if credential::has_working_operator(&transaction, self.clock.now()).await? {
            return Ok(None);
        }
        let new_credential = NewCredential {
            kind: CredentialKind::Operator,
            organization: None,
            principal: PrincipalRef { kind: PrincipalKind::Operator, uid: Uid::nil() },
            display_name: "first start".to_owned(),
            origin: Origin::FirstStart,
            creator: None,
            ttl: None,
            ends_by: None,
            sign_in_end_time: None,
        };
        let CreatedCredential { token, .. } =
            self.create_credential(&transaction, new_credential, self.clock.now(), |_| ()).await?;
        Ok(Some(FirstToken { token, transaction }))
    }

    /// Finds the operator's token of this text, ended or not.
    pub async fn find_operator_token(&self, text: &str) -> Result<Option<Credential>, Error> {
        let Ok(token) = Token::parse(text) else { return Ok(None) };
        for pepper in self.keys.peppers() {
            let found = credential::by_mac(self.store.reader(), &token.mac(pepper)).await?;
            if let Some(found) = found.filter(|found| found.kind == CredentialKind::Operator) {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// Makes the organization `dev` with the administrator `dev`, and returns a personal token of theirs. For an empty,
    /// temporary database.
    pub async fn bootstrap_dev(&self) -> Result<Token, Error> {
        let (now, id) = (self.clock.now(), || Error::internal("`dev` is an identifier"));
        let transaction = self.store.begin().await?;
        let organization = Organization {
            uid: self.uid()?,
            organization_id: "dev".parse::<OrganizationId>().map_err(|_| id())?,
            display_name: "development".to_owned(),
            name_policy: NamePolicy::Strict,
            limits: "{}".to_owned(),
            allowed_reserved: AllowedReserved::default(),
            create_time: now,
        };
        organization::insert(&transaction, &organization).await?;
        self.keys.make_data_key(&transaction, organization.uid, now).await?;
        revision::start(&transaction, organization.uid, self.uid()?).await?;
        let admin = User {
            uid: self.uid()?,
            organization: organization.uid,
            user_id: "dev".parse::<UserId>().map_err(|_| id())?,
            display_name: "developer".to_owned(),
            state: UserState::Active,
            create_time: now,
            delete_time: None,
            purge_time: None,
            recovery_time: None,
        };
        user::insert(&transaction, &admin).await?;
        let principal = PrincipalRef { kind: PrincipalKind::User, uid: admin.uid };
        let row = BindingRecord {
            uid: self.uid()?,
            binding: Binding { principal, role: Role::Admin, resource: RoleResource::Organization(organization.uid) },
            create_time: now,
            creator: "operator".to_owned(),
        };
        binding::insert(&transaction, &row).await?;
        let new_credential = NewCredential {
            kind: CredentialKind::Personal,
            organization: Some(organization.uid),
            principal,
            display_name: "secrets-server dev".to_owned(),
            origin: Origin::FirstStart,
            creator: None,
            ttl: None,
            ends_by: None,
            sign_in_end_time: None,
        };
        let created = self.create_credential(&transaction, new_credential, now, |_| ()).await?;
        store::commit(transaction).await?;
        Ok(created.token)
    }
}

/// A first token that is about to be stored.
pub struct FirstToken {
    token: Token,
    transaction: WriteTransaction,
}

impl FirstToken {
    /// The token, to be written where only the operator reads it.
    pub fn token(&self) -> &Token {
        &self.token
    }

    /// Stores it: from now on it works.
    pub async fn keep(self) -> Result<(), Error> {
        Ok(store::commit(self.transaction).await?)
    }
}
