//! From a token to a caller. Every call checks again: expiry, revocation, that the principal still is, the creator's standing
//! and the memberships of a session's user.

use std::sync::Arc;
use std::time::Duration;

use secrets_core::{
    Account, AccountName, Binding, Context, CredentialKind, Principal, PrincipalKind, PrincipalName,
    ServiceAccountName, SessionName, Timestamp, Uid, UserName,
};
use secrets_proto::Method;

use super::authenticated::Authenticated;
use super::credentials::RequestCredentials;
use super::ended::{check_alive, unknown_credential};
use super::restrictions;
use super::{Authenticator, takes_code};
use crate::call::{Call, Caller, CallerOrganization, CallerSession};
use crate::error::{Error, Reason};
use crate::store::credential::Credential;
use crate::store::organization::Organization;
use crate::store::{binding, context, credential, organization, service_account, user};

impl Authenticator {
    /// Looks up the credential that a request presents. Failures are counted per address, not stored one by one.
    pub async fn look_up(&self, presented: RequestCredentials, method: Method) -> Result<Authenticated, Error> {
        let presented = Arc::new(presented);
        let credential = self.counting_failures(&presented, self.credential(&presented, method)).await?;
        Ok(Authenticated::new(presented, credential, method))
    }

    /// Opens the call of a request that was looked up: who calls, and what they hold.
    pub async fn open_call(&self, authenticated: &Authenticated) -> Result<Call, Error> {
        if authenticated.is_stale() {
            return self.open_call_again(authenticated).await;
        }
        self.counting_failures(&authenticated.presented, self.call(authenticated, &authenticated.credential)).await
    }

    /// The same with another look-up: for what goes on after its call was opened.
    pub async fn open_call_again(&self, authenticated: &Authenticated) -> Result<Call, Error> {
        let Authenticated { presented, method, .. } = authenticated;
        let opened = async {
            let credential = self.credential(presented, *method).await?;
            self.call(authenticated, &credential).await
        };
        self.counting_failures(presented, opened).await
    }

    async fn counting_failures<T>(
        &self,
        presented: &RequestCredentials,
        step: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        step.await.inspect_err(|error| {
            if error.reason() == Reason::Unauthenticated {
                self.usage.failed_logins.count(&presented.peer);
            }
        })
    }

    /// The credential that is presented, if it is alive and the method takes its kind.
    async fn credential(&self, presented: &RequestCredentials, method: Method) -> Result<Arc<Credential>, Error> {
        let token = presented.token.as_ref().map_err(|error| unauthenticated(&error.to_string()))?;
        match takes_code(method) {
            Some(kind) if token.kind() != kind => {
                let prefix = kind.prefix();
                return Err(unauthenticated(&format!("only a code that begins with `{prefix}` is redeemed here")));
            }
            None if token.kind().is_code() => {
                return Err(unauthenticated("a code can only be redeemed; use the token you got for it"));
            }
            _ => {}
        }
        // The pepper in use is tried first; older ones only while tokens made under them live.
        let macs: Vec<_> = self.keys.peppers().iter().rev().map(|pepper| token.mac(pepper)).collect();
        if let Some(mac) = macs.first().filter(|mac| self.familiar.contains(mac)) {
            return self.lookups.find(*mac, self.live_credential(&macs)).await;
        }
        let turn = presented.lookups.next().await;
        let found = {
            let _turn = self.familiar.other_lookup(presented.site).await;
            self.live_credential(&macs).await
        };
        if found.is_ok() {
            turn.found();
        }
        found.map(Arc::new)
    }

    async fn live_credential(&self, macs: &[[u8; 32]]) -> Result<Credential, Error> {
        for mac in macs {
            if let Some(row) = credential::by_mac(self.store.reader(), mac).await? {
                check_alive(&row, self.clock.now())?;
                self.familiar.insert(*macs.first().unwrap_or(mac));
                return Ok(row);
            }
        }
        Err(unknown_credential())
    }

    async fn call(&self, authenticated: &Authenticated, row: &Credential) -> Result<Call, Error> {
        let now = self.clock.now();
        check_alive(row, now)?;
        let mut caller = self.caller(authenticated, row).await?;
        authenticated.presented.logged_caller.note(&caller.name);
        // Whoever reads gets their roles with what they read.
        if authenticated.method.is_mutation() {
            caller.bindings = self.bindings(&caller).await?;
        }
        self.note_use(row, now);
        let RequestCredentials { request_id, caller_request_id, purpose, peer, .. } = authenticated.presented.as_ref();
        Ok(Call {
            caller,
            method: authenticated.method,
            request_id: request_id.clone(),
            caller_request_id: caller_request_id.clone(),
            purpose: *purpose,
            peer: peer.clone(),
            now,
        })
    }

    async fn caller(&self, authenticated: &Authenticated, row: &Credential) -> Result<Caller, Error> {
        Ok(match row.kind {
            CredentialKind::Operator => operator(row),
            CredentialKind::Personal
            | CredentialKind::Invitation
            | CredentialKind::RecoveryCode
            | CredentialKind::SignInCode => self.user(row, authenticated).await?,
            CredentialKind::ServiceAccount => self.service_account(row).await?,
            CredentialKind::Session => self.session(row).await?,
        })
    }

    /// The roles with which it is decided before the wait for a lock; under the lock they are read again.
    async fn bindings(&self, caller: &Caller) -> Result<Vec<Binding>, Error> {
        let (db, principals) = (self.store.reader(), caller.deciding_principals());
        Ok(match (caller.organization_uid(), principals.as_slice()) {
            (Some(organization), principals) => binding::of_principals(db, organization, principals).await?,
            (None, [principal]) => binding::of_principal_everywhere(db, *principal).await?,
            (None, _) => Vec::new(),
        })
    }

    async fn user(&self, row: &Credential, authenticated: &Authenticated) -> Result<Caller, Error> {
        let db = self.store.reader();
        let organization = self.live_organization(row.organization).await?;
        let user =
            user::by_uids(db, organization.uid, [row.principal.uid]).await?.pop().ok_or_else(unknown_credential)?;
        if let Some(time) = user.recovery_time {
            authenticated.note_recovery(time);
        }
        let name = UserName::new(organization.organization_id.clone(), user.user_id);
        Ok(Caller {
            principal: Principal::User { organization: organization.uid, user: user.uid },
            name: PrincipalName::Account(AccountName::User(name)),
            credential: row.uid,
            expire_time: row.expire_time,
            bindings: Vec::new(),
            session: None,
            organization: Some(caller_organization(organization)),
        })
    }

    async fn service_account(&self, row: &Credential) -> Result<Caller, Error> {
        let db = self.store.reader();
        let organization = match row.organization {
            Some(_) => Some(self.live_organization(row.organization).await?),
            None => None,
        };
        let within = organization.as_ref().map(|organization| organization.uid);
        let account =
            service_account::by_uids(db, within, [row.principal.uid]).await?.pop().ok_or_else(unknown_credential)?;
        let name = ServiceAccountName {
            organization: organization.as_ref().map(|organization| organization.organization_id.clone()),
            id: account.service_account_id,
        };
        Ok(Caller {
            principal: Principal::ServiceAccount { organization: within, service_account: account.uid },
            name: PrincipalName::Account(AccountName::ServiceAccount(name)),
            credential: row.uid,
            expire_time: row.expire_time,
            bindings: Vec::new(),
            session: None,
            organization: organization.map(caller_organization),
        })
    }

    /// A session: its context must still exist; its creator's standing and its user's memberships are in the bindings that
    /// are read for every decision.
    async fn session(&self, row: &Credential) -> Result<Caller, Error> {
        let db = self.store.reader();
        let organization = self.live_organization(row.organization).await?;
        let context = Context {
            organization: organization.uid,
            project: row.context_project,
            workspace: row.context_workspace,
            user: row.context_user,
        };
        let creator = self.creator(&organization, row).await?;
        let context_name =
            context::name(db, &organization.organization_id, &context).await?.ok_or_else(unknown_credential)?;
        let name = SessionName { organization: organization.organization_id.clone(), uid: row.uid };
        Ok(Caller {
            principal: Principal::Session { session: row.uid, context, creator },
            name: PrincipalName::Session(name),
            credential: row.uid,
            expire_time: row.expire_time,
            bindings: Vec::new(),
            session: Some(CallerSession {
                context: context_name,
                restrictions: restrictions::parse(row.restrictions.as_deref())?,
            }),
            organization: Some(caller_organization(organization)),
        })
    }

    /// Who created the session, if they still are.
    async fn creator(&self, organization: &Organization, row: &Credential) -> Result<Account, Error> {
        let db = self.store.reader();
        match row.principal.kind {
            PrincipalKind::User => {
                let user = user::by_uids(db, organization.uid, [row.principal.uid])
                    .await?
                    .pop()
                    .ok_or_else(unknown_credential)?;
                Ok(Account::User { organization: organization.uid, user: user.uid })
            }
            PrincipalKind::ServiceAccount => {
                let found = service_account::by_uids(db, Some(organization.uid), [row.principal.uid]).await?.pop();
                let account = found.ok_or_else(unknown_credential)?;
                Ok(Account::ServiceAccount { organization: account.organization, service_account: account.uid })
            }
            PrincipalKind::Operator | PrincipalKind::Session => {
                Err(Error::internal(format!("session {} was created by nobody", row.uid)))
            }
        }
    }

    async fn live_organization(&self, uid: Option<Uid>) -> Result<Organization, Error> {
        let uid = uid.ok_or_else(unknown_credential)?;
        organization::by_uid(self.store.reader(), uid).await?.ok_or_else(unknown_credential)
    }

    /// Counts the use of a credential, to the minute. Best effort: a call neither waits nor fails because of it.
    fn note_use(&self, row: &Credential, now: Timestamp) {
        const MINUTE: Duration = Duration::from_secs(60);
        if row.last_used_time.is_none_or(|last| now >= last.saturating_add(MINUTE)) {
            self.usage.record_use(row.uid);
        }
    }
}

fn operator(row: &Credential) -> Caller {
    Caller {
        principal: Principal::Operator,
        name: PrincipalName::Operator,
        organization: None,
        credential: row.uid,
        expire_time: row.expire_time,
        bindings: Vec::new(),
        session: None,
    }
}

fn caller_organization(organization: Organization) -> CallerOrganization {
    CallerOrganization { uid: organization.uid, id: organization.organization_id }
}

fn unauthenticated(text: &str) -> Error {
    Error::new(Reason::Unauthenticated, text)
}
