//! Sessions: a token for exactly one context, created by whoever may have that context, good only while they still may.

mod list;
mod live;
mod renew;

use std::time::Duration;

use secrets_core::{
    Account, Context, ContextName, CredentialKind, Principal, PrincipalKind, Resource, Scope, ScopeKind, SessionName,
    SessionRestrictions, Timestamp, Uid, right,
};
use zeroize::Zeroizing;

use crate::audit::Subject;
use crate::auth::restrictions;
use crate::call::Call;
use crate::error::Error;
use crate::service::Service;
use crate::service::create_credential::{CreatedCredential, NewCredential, lifetime};
use crate::service::locate::account::{AccountNames, account_of};
use crate::service::mutation::{Begun, IdempotencyKey, MutationOutcome};
use crate::service::open_call::{Authorize, OpenCall};
use crate::store::credential::{Credential, Origin};
use crate::store::{KeyedConnection, credential};

pub use list::SessionQuery;
pub use renew::Renewal;

/// How long a session lives, by default.
pub const DEFAULT_SESSION_TTL: Duration = Duration::from_secs(60 * 60);
/// How long it lives at most, until it is renewed.
pub const MAX_SESSION_TTL: Duration = Duration::from_secs(24 * 60 * 60);
/// For how long it renews itself, by default.
pub const DEFAULT_SESSION_PERIOD: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// What CreateSession is asked for.
pub struct NewSession {
    /// The one context it serves; none: the calling session's own.
    pub context: Option<ContextName>,
    pub ttl: Option<Duration>,
    /// For people.
    pub display_name: String,
    /// The platform's own identifier of the sandbox or job; empty: none.
    pub external_id: String,
    pub restrictions: SessionRestrictions,
}

/// A session in words.
#[derive(Clone, Debug)]
pub struct SessionView {
    /// The one context it serves; without what no longer exists.
    pub context: ContextName,
    pub restrictions: SessionRestrictions,
    /// Resource path of who created it.
    pub creator: String,
    /// Until when it renews itself.
    pub renewal_end_time: Timestamp,
    pub row: Credential,
}

impl SessionView {
    /// Its resource path.
    pub fn name(&self) -> SessionName {
        SessionName { organization: self.context.organization.clone(), uid: self.row.uid }
    }
}

/// A session that was just created.
pub struct CreatedSession {
    /// The token, shown once.
    pub token: Zeroizing<String>,
    pub session: SessionView,
}

impl Service {
    /// Creates a session, which ends with the calling credential. What a session creates is at most what it is itself: the
    /// same context, as narrow.
    pub async fn create_session(
        &self,
        call: &mut OpenCall,
        input: &NewSession,
        key: &IdempotencyKey<CreatedSession>,
    ) -> Result<MutationOutcome<CreatedSession>, Error> {
        let asked = self.asked_context(call, input.context.clone(), false)?;
        let organization = self.locate_organization(self.store.reader(), call, &asked.organization).await?;
        let first = self.locate_context(self.store.reader(), call, &asked).await?;
        let first = call.authorize_with::<right::CreateSession>(&first.user_bindings, &first)?;
        let locked = self.lock(call, organization.uid, first).await?;
        let located = self.locate_context(locked.db(), call, &asked).await?;
        let permit = locked.authorize_with::<right::CreateSession>(call, &located.user_bindings, &located)?;
        let mutation = match locked.mutate_with(call, permit, key).await? {
            Begun::Replayed(outcome) => return Ok(outcome),
            Begun::New(mutation) => mutation,
        };
        located.must_exist()?;
        let own = mutation.credential();
        self.check_live_sessions(mutation.db(), own, call.now).await?;
        let creator = match (call.caller.principal.account(), call.caller.principal) {
            (Some(account), _) | (None, Principal::Session { creator: account, .. }) => account,
            (None, _) => return Err(Error::denied()),
        };
        let narrowed = match &call.caller.session {
            Some(session) => narrower(&input.restrictions, &session.restrictions)?,
            None => input.restrictions.clone(),
        };
        let (stored_allow, context) = (restrictions::to_text(&narrowed)?, located.context);
        let new_credential = NewCredential {
            kind: CredentialKind::Session,
            organization: Some(organization.uid),
            principal: creator.reference(),
            display_name: input.display_name.clone(),
            origin: Origin::Session,
            creator: Some(own.uid),
            ttl: Some(lifetime("ttl", input.ttl, DEFAULT_SESSION_TTL, MAX_SESSION_TTL)?),
            ends_by: own.expire_time,
            sign_in_end_time: None,
        };
        let CreatedCredential { token, row } = self
            .create_credential(mutation.db(), new_credential, call.now, |row| {
                row.external_id = (!input.external_id.is_empty()).then(|| input.external_id.clone());
                row.context_project = context.project;
                row.context_workspace = context.workspace;
                row.context_user = context.user;
                row.restrictions = stored_allow;
            })
            .await?;
        let names = AccountNames::load(mutation.db(), Some(&organization), [creator.reference()]).await?;
        let creator = names.name(creator.reference());
        let renewal_end_time = self.renewal_end_time(&row);
        let session = SessionView { context: located.name, restrictions: narrowed, creator, renewal_end_time, row };
        call.identify(Subject::new(organization.uid, session.name(), session.row.uid));
        // Shown to whoever creates it, who hands it to the sandbox: this once.
        let token = Zeroizing::new(token.expose().to_owned());
        mutation.finish(call, key, CreatedSession { token, session }).await
    }

    /// Ends a session and every session it created; returns how many ended. One that had ended before ends none.
    pub async fn revoke_session(
        &self,
        call: &mut OpenCall,
        name: &Option<SessionName>,
        key: &IdempotencyKey<u64>,
    ) -> Result<MutationOutcome<u64>, Error> {
        let is_own = self.own_session(call, name.as_ref()).is_ok();
        let (id, uid) = match (name, &call.caller.organization) {
            (Some(SessionName { organization, uid }), _) => (organization.clone(), *uid),
            (None, Some(organization)) => (organization.id.clone(), self.own_session(call, None)?),
            _ => return Err(Error::denied()),
        };
        let organization = self.locate_organization(self.store.reader(), call, &id).await?;
        let within = organization.uid;
        let name = SessionName { organization: id, uid };
        let (_, located) = self.locate_session(self.store.reader(), call, within, &name, is_own).await?;
        let first = call.authorize::<right::RevokeSession>(&located)?;
        let locked = self.lock(call, within, first).await?;
        let (is_there, located) = self.locate_session(locked.db(), call, within, &name, is_own).await?;
        let mut mutation = match locked.mutate::<right::RevokeSession, _>(call, &located, key).await? {
            Begun::Replayed(outcome) => return Ok(outcome),
            Begun::New(mutation) => mutation,
        };
        if !is_there {
            return Err(Error::not_found(format_args!("session `{name}`")));
        }
        let count = credential::revoke(mutation.db(), Some(within), uid, call.now).await?.total();
        if count > 0 {
            mutation.bump(Scope::new(ScopeKind::Organization, within)).await?;
        }
        mutation.finish(call, key, count).await
    }

    /// Whether a session is there, and what is authorized to end it.
    async fn locate_session(
        &self,
        db: &impl KeyedConnection,
        call: &Call,
        within: Uid,
        name: &SessionName,
        is_own: bool,
    ) -> Result<(bool, (Subject, Resource)), Error> {
        let found = credential::by_uid(db, Some(within), name.uid).await?;
        let found = found.filter(|row| row.kind == CredentialKind::Session);
        let resource = match &found {
            // Whoever holds a session may throw it away.
            Some(_) if is_own => {
                let own = self.asked_context(call, None, false)?;
                self.locate_context(db, call, &own).await?.resource
            }
            Some(row) => {
                let creator = account_of(db, Some(within), row.principal).await?;
                Resource::Session { session: name.uid, context: context_of(within, row), creator }
            }
            // Whoever may revoke any session may know that there is none.
            None => nobodys_session(within),
        };
        Ok((found.is_some(), (Subject::new(within, name, name.uid), resource)))
    }

    /// Until when a session renews itself, unless whoever created it renews it.
    pub(in crate::service) fn renewal_end_time(&self, session: &Credential) -> Timestamp {
        session.period_start_time.unwrap_or(session.create_time).saturating_add(self.session_period)
    }

    /// The uid of the calling session, if it is the one that is named.
    fn own_session(&self, call: &Call, name: Option<&SessionName>) -> Result<Uid, Error> {
        match (call.caller.principal, name, &call.caller.organization) {
            (Principal::Session { session, .. }, None, _) => Ok(session),
            (Principal::Session { session, .. }, Some(name), Some(own))
                if name.uid == session && name.organization == own.id =>
            {
                Ok(session)
            }
            (_, None, _) => {
                Err(Error::invalid("name", "must be the resource path of a session; only a session has one of its own"))
            }
            _ => Err(Error::denied()),
        }
    }
}

/// What the calling session may hand on: its own narrowing where nothing is asked for, and nothing that it may not have.
fn narrower(asked: &SessionRestrictions, own: &SessionRestrictions) -> Result<SessionRestrictions, Error> {
    let restrictions = SessionRestrictions {
        secret_ids: asked.secret_ids.clone().or_else(|| own.secret_ids.clone()),
        kinds: asked.kinds.clone().or_else(|| own.kinds.clone()),
        scopes: asked.scopes.clone().or_else(|| own.scopes.clone()),
    };
    if restrictions.is_narrower_than(own) {
        Ok(restrictions)
    } else {
        Err(Error::invalid("restrictions", "must allow no more than the calling session itself is allowed"))
    }
}

fn context_of(organization: Uid, row: &Credential) -> Context {
    Context { organization, project: row.context_project, workspace: row.context_workspace, user: row.context_user }
}

/// What is authorized of a session that others see. Its creator is the caller or somebody else: more the policy does not ask.
fn session_resource(call: &Call, organization: Uid, row: &Credential) -> Resource {
    let caller = call.caller.principal.account().filter(|account| account.reference() == row.principal);
    let creator = caller.unwrap_or(match row.principal.kind {
        PrincipalKind::User => Account::User { organization, user: row.principal.uid },
        _ => Account::ServiceAccount { organization: Some(organization), service_account: row.principal.uid },
    });
    Resource::Session { session: row.uid, context: context_of(organization, row), creator }
}

fn nobodys_session(organization: Uid) -> Resource {
    let context = Context { organization, project: None, workspace: None, user: None };
    Resource::Session { session: Uid::nil(), context, creator: Account::User { organization, user: Uid::nil() } }
}

#[cfg(test)]
mod tests {
    use secrets_core::{NamePolicy, ScopeKind, SecretId};

    use super::*;

    fn names(list: &[&str]) -> SessionRestrictions {
        let parse = |name: &&str| SecretId::parse(name, NamePolicy::Strict).unwrap();
        SessionRestrictions { secret_ids: Some(list.iter().map(parse).collect()), ..SessionRestrictions::default() }
    }

    #[test]
    fn what_is_not_asked_for_stays_as_narrow_as_the_calling_session() {
        let own = SessionRestrictions { scopes: Some([ScopeKind::User].into()), ..names(&["A", "B"]) };
        assert_eq!(narrower(&SessionRestrictions::default(), &own).unwrap(), own);
        let one = narrower(&names(&["A"]), &own).unwrap();
        assert_eq!(one, SessionRestrictions { scopes: own.scopes.clone(), ..names(&["A"]) });
    }

    #[test]
    fn a_session_hands_on_nothing_that_it_may_not_have() {
        assert!(narrower(&names(&["A", "C"]), &names(&["A"])).is_err());
        assert!(narrower(&names(&["C"]), &SessionRestrictions::default()).is_ok());
    }
}
