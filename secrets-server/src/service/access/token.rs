//! Tokens: made for the caller and for service accounts, never for another person.

mod revoke;

use std::time::Duration;

use secrets_core::{
    AccountName, CredentialKind, OrganizationId, Principal, PrincipalKind, PrincipalRef, Resource, Timestamp,
    TokenName, right,
};
use zeroize::Zeroizing;

use super::credential::Cursor;
use crate::audit::Subject;
use crate::call::Call;
use crate::error::Error;
use crate::service::Service;
use crate::service::create_credential::{CreatedCredential, NewCredential, lifetime};
use crate::service::locate::account::{LocatedAccount, resource_of};
use crate::service::mutation::{Begun, IdempotencyKey, MutationOutcome};
use crate::service::open_call::{Located, OpenCall};
use crate::service::page::Page;
use crate::service::page::list::Listed;
use crate::store::credential::{Credential, CredentialFilter, Origin};
use crate::store::organization::Organization;
use crate::store::{KeyedConnection, PLATFORM, credential};

pub use revoke::{RevokedToken, TokenRevocation};

/// How long a token lives, by default.
pub const DEFAULT_TOKEN_TTL: Duration = Duration::from_secs(90 * 24 * 60 * 60);
/// How long it lives at most.
pub const MAX_TOKEN_TTL: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// The kinds of credential that are tokens: not sessions, not codes.
const KINDS: [CredentialKind; 3] = [CredentialKind::Personal, CredentialKind::ServiceAccount, CredentialKind::Operator];

/// What CreateToken is asked for.
pub struct NewToken {
    /// For whom; none: the caller.
    pub principal: Option<AccountName>,
    /// For people.
    pub display_name: String,
    pub ttl: Option<Duration>,
    /// It takes the place of the calling token.
    pub successor: bool,
}

/// A token in words.
#[derive(Clone, Debug)]
pub struct TokenView {
    pub organization: Option<OrganizationId>,
    /// Resource path of whose it is.
    pub principal: String,
    pub row: Credential,
}

impl TokenView {
    /// Its resource path.
    pub fn name(&self) -> TokenName {
        TokenName { organization: self.organization.clone(), uid: self.row.uid }
    }

    /// Resource path of the token with which it, or the code for another machine, was created; none of another sign-in, whose
    /// code is none.
    pub fn creator(&self) -> Option<TokenName> {
        let is_token = matches!(self.row.origin, Origin::Own | Origin::Issued | Origin::AnotherMachine);
        let uid = self.row.creator.filter(|_| is_token)?;
        Some(TokenName { organization: self.organization.clone(), uid })
    }
}

/// A token that was just made.
pub struct CreatedToken {
    /// The token, shown once.
    pub token: Zeroizing<String>,
    pub metadata: TokenView,
}

/// When a token ends.
struct TokenLife {
    /// After this long; none: with the one that creates it.
    ttl: Option<Duration>,
    /// No later than then.
    ends_by: Option<Timestamp>,
    /// Until when use extends it.
    sign_in_end_time: Option<Timestamp>,
}

impl TokenLife {
    /// Of a token that `creator` makes for its own principal, or for another one.
    fn new(input: &NewToken, creator: &Credential, is_own: bool) -> Result<Self, Error> {
        if input.successor && !is_own {
            return Err(Error::invalid("successor", "must not be set for a token of another principal"));
        }
        let ttl = lifetime("ttl", input.ttl, DEFAULT_TOKEN_TTL, MAX_TOKEN_TTL)?;
        // A program replaces its own token before it ends, and nobody else does. It ends with its creator all the same when that
        // is revoked.
        let is_free = !is_own || creator.kind == CredentialKind::ServiceAccount;
        Ok(match creator.sign_in_end_time.filter(|_| input.successor) {
            // It is the same sign-in, which does not begin anew.
            Some(latest) => {
                Self { ttl: Some(ttl), ends_by: Some(latest), sign_in_end_time: input.ttl.is_none().then_some(latest) }
            }
            None => Self {
                ttl: (is_free || !input.successor || input.ttl.is_some()).then_some(ttl),
                ends_by: creator.expire_time.filter(|_| !is_free),
                sign_in_end_time: None,
            },
        })
    }
}

/// Whose tokens a call is about.
struct Holder {
    name: String,
    organization: Option<Organization>,
    reference: PrincipalRef,
    subject: Subject,
    resource: Resource,
    /// The account, if it was named.
    account: Option<LocatedAccount>,
}

impl Located for Holder {
    fn subject(&self) -> Subject {
        self.subject.clone()
    }

    fn resource(&self) -> Resource {
        self.resource
    }

    fn path(&self) -> Option<String> {
        Some(self.name.clone())
    }
}

impl Holder {
    fn must_exist(&self, call: &Call) -> Result<(), Error> {
        self.account.as_ref().map_or(Ok(()), |account| account.must_exist(call))
    }
}

impl Service {
    /// Makes a token for the caller, or for a service account the caller manages.
    pub async fn create_token(
        &self,
        call: &mut OpenCall,
        input: &NewToken,
        key: &IdempotencyKey<CreatedToken>,
    ) -> Result<MutationOutcome<CreatedToken>, Error> {
        let holder = self.locate_holder(self.store.reader(), call, input.principal.as_ref()).await?;
        let first = call.authorize::<right::CreateToken>(&holder)?;
        let locked = self.lock(call, holder.organization.as_ref().map_or(PLATFORM, |row| row.uid), first).await?;
        let holder = self.locate_holder(locked.db(), call, input.principal.as_ref()).await?;
        let mutation = match locked.mutate::<right::CreateToken, _>(call, &holder, key).await? {
            Begun::Replayed(outcome) => return Ok(outcome),
            Begun::New(mutation) => mutation,
        };
        holder.must_exist(call)?;
        let creator = mutation.credential();
        let kind = match holder.reference.kind {
            PrincipalKind::User => CredentialKind::Personal,
            PrincipalKind::ServiceAccount => CredentialKind::ServiceAccount,
            PrincipalKind::Operator => CredentialKind::Operator,
            PrincipalKind::Session => return Err(Error::denied()),
        };
        let is_own = holder.reference == creator.principal;
        let TokenLife { ttl, ends_by, sign_in_end_time } = TokenLife::new(input, creator, is_own)?;
        let new_credential = NewCredential {
            kind,
            organization: holder.organization.as_ref().map(|row| row.uid),
            principal: holder.reference,
            display_name: input.display_name.clone(),
            origin: if is_own { Origin::Own } else { Origin::Issued },
            creator: Some(creator.uid),
            ttl,
            ends_by,
            sign_in_end_time,
        };
        let CreatedCredential { token, row } =
            self.create_credential(mutation.db(), new_credential, call.now, |_| ()).await?;
        let organization = holder.organization.map(|row| row.organization_id);
        let metadata = TokenView { organization, principal: holder.name, row };
        call.identify(Subject::new(metadata.row.organization, metadata.name(), metadata.row.uid));
        // Shown to whoever asked for it: this once.
        let token = Zeroizing::new(token.expose().to_owned());
        mutation.finish(call, key, CreatedToken { token, metadata }).await
    }

    /// Lists tokens, ended ones too.
    pub async fn list_tokens(
        &self,
        call: &mut OpenCall,
        (principal, page): (Option<AccountName>, Page),
    ) -> Result<Listed<TokenView>, Error> {
        let db = &self.read(call).await?;
        let holder = self.locate_holder(db, call, principal.as_ref()).await?;
        call.require::<right::ListTokens>(&holder)?;
        holder.must_exist(call)?;
        let within = holder.organization.as_ref().map(|row| row.uid);
        let filter = &CredentialFilter {
            kinds: KINDS.to_vec(),
            principal: Some(holder.reference),
            ..CredentialFilter::default()
        };
        let total = Some(credential::count(db, within, filter).await?);
        let fetch = |after: Option<Cursor>, limit| async move {
            credential::list(db, within, filter, after.map(Into::into), limit).await
        };
        let query = ["tokens", holder.name.as_str()];
        let listed = self.list_page(&page, &query, total, |_| true, Cursor::new, fetch).await?;
        Ok(listed.map(|row| TokenView {
            organization: holder.organization.as_ref().map(|row| row.organization_id.clone()),
            principal: holder.name.clone(),
            row,
        }))
    }

    async fn locate_holder(
        &self,
        db: &impl KeyedConnection,
        call: &Call,
        principal: Option<&AccountName>,
    ) -> Result<Holder, Error> {
        let Some(name) = principal else { return self.own_tokens(db, call).await };
        let located = self.locate_account(db, call, name).await?;
        let organization = match name.organization() {
            Some(id) => Some(self.locate_organization(db, call, id).await?),
            None => None,
        };
        let reference = located.reference();
        let (subject, resource) = (located.subject(), located.resource());
        Ok(Holder { name: name.to_string(), organization, reference, subject, resource, account: Some(located) })
    }

    async fn own_tokens(&self, db: &impl KeyedConnection, call: &Call) -> Result<Holder, Error> {
        let organization = match &call.caller.organization {
            Some(own) => Some(self.locate_organization(db, call, &own.id).await?),
            None => None,
        };
        let resource = match (call.caller.principal, call.caller.principal.account()) {
            (_, Some(account)) => resource_of(account),
            (Principal::Operator, _) => Resource::Platform,
            _ => return Err(Error::denied()),
        };
        let (reference, name) = (call.caller.principal.reference(), call.caller.name.to_string());
        let subject = Subject::new(organization.as_ref().map(|row| row.uid), &name, reference.uid);
        Ok(Holder { name, organization, reference, subject, resource, account: None })
    }
}
