//! How a session lives on: it renews itself, or whoever created it renews it with a token, which is its creator from then on.

use std::time::Duration;

use secrets_core::{CredentialKind, Resource, SessionName, Timestamp, Uid, right};

use super::{DEFAULT_SESSION_TTL, MAX_SESSION_TTL, SessionView, context_of, nobodys_session, session_resource};
use crate::audit::Subject;
use crate::auth::{restrictions, unknown_credential};
use crate::call::Call;
use crate::error::Error;
use crate::service::Service;
use crate::service::create_credential::{earlier, lifetime};
use crate::service::locate::account::AccountNames;
use crate::service::locate::context::LocatedContext;
use crate::service::mutation::{IdempotencyKey, Mutation, MutationOutcome};
use crate::service::open_call::{Located, OpenCall};
use crate::store::credential::{Credential, NewCreator};
use crate::store::{KeyedConnection, context, credential};

/// What RenewSession is asked for.
pub struct Renewal {
    /// The session; none: the caller's own.
    pub name: Option<SessionName>,
    /// How long it lives from now.
    pub ttl: Option<Duration>,
}

/// A session that is about to be renewed.
struct Renewable<'a> {
    row: Credential,
    context: LocatedContext,
    mutation: Mutation<'a, right::RenewSession>,
    /// When the credential ends with which it ends.
    ends_by: Option<Timestamp>,
    /// That credential, if it is another one from now on.
    creator: Option<NewCreator>,
}

impl Service {
    /// Moves the end of a session further away, while its creator may still create it: a session its own within its period,
    /// whoever created it that of the session, of which a new period begins.
    pub async fn renew_session(
        &self,
        call: &mut OpenCall,
        input: &Renewal,
        key: &IdempotencyKey<SessionView>,
    ) -> Result<MutationOutcome<SessionView>, Error> {
        let ttl = lifetime("ttl", input.ttl, DEFAULT_SESSION_TTL, MAX_SESSION_TTL)?;
        let renewable = match (call.caller.principal.account(), &input.name) {
            (Some(_), Some(name)) => self.created_session(call, name).await?,
            _ => self.calling_session(call, input.name.as_ref()).await?,
        };
        let Renewable { mut row, context, mutation, ends_by, creator } = renewable;
        let asked = Some(call.now.saturating_add(ttl));
        match creator {
            Some(creator) => {
                row.creator = Some(creator.credential);
                row.period_start_time = Some(creator.time);
                // Nearer only where the new creator ends earlier than the one before.
                row.expire_time = earlier(row.expire_time.max(asked), ends_by);
            }
            None => {
                let asked = earlier(asked, Some(self.renewal_end_time(&row)));
                row.expire_time = row.expire_time.max(earlier(asked, ends_by));
            }
        }
        if let Some(end) = row.expire_time
            && !credential::renew(mutation.db(), context.organization.uid, row.uid, end, creator).await?
        {
            return Err(unknown_credential());
        }
        let names = AccountNames::load(mutation.db(), Some(&context.organization), [row.principal]).await?;
        let (creator, restrictions) = (names.name(row.principal), restrictions::parse(row.restrictions.as_deref())?);
        let renewal_end_time = self.renewal_end_time(&row);
        let session = SessionView { context: context.name, restrictions, creator, renewal_end_time, row };
        mutation.finish(call, key, session).await
    }

    /// The calling session, which goes on ending with its creator.
    async fn calling_session(&self, call: &mut OpenCall, name: Option<&SessionName>) -> Result<Renewable<'_>, Error> {
        self.own_session(call, name)?;
        let context = self.asked_context(call, None, false)?;
        let organization = self.locate_organization(self.store.reader(), call, &context.organization).await?;
        let first = self.locate_context(self.store.reader(), call, &context).await?;
        let first = call.authorize::<right::RenewSession>(&first)?;
        let locked = self.lock(call, organization.uid, first).await?;
        let context = self.locate_context(locked.db(), call, &context).await?;
        let permit = locked.authorize::<right::RenewSession>(call, &context)?;
        // A repeat moves the end once more.
        let mutation = locked.mutate_anew(call, permit);
        context.must_exist()?;
        let row = mutation.credential().clone();
        let ends_by = credential::creator(mutation.db(), &row).await?.and_then(|creator| creator.expire_time);
        Ok(Renewable { row, context, mutation, ends_by, creator: None })
    }

    /// A session of the calling account, which takes it over.
    async fn created_session(&self, call: &mut OpenCall, name: &SessionName) -> Result<Renewable<'_>, Error> {
        let organization = self.locate_organization(self.store.reader(), call, &name.organization).await?;
        let within = organization.uid;
        let (_, located) = created_session(self.store.reader(), call, within, name).await?;
        let first = call.authorize::<right::RenewSession>(&located)?;
        let locked = self.lock(call, within, first).await?;
        let (found, located) = created_session(locked.db(), call, within, name).await?;
        let permit = locked.authorize::<right::RenewSession>(call, &located)?;
        let row = found.filter(|row| !row.has_ended(call.now));
        let row = row.ok_or_else(|| Error::not_found(format_args!("live session `{name}`")))?;
        let context = context::name(locked.db(), &organization.organization_id, &context_of(within, &row)).await?;
        let context = self.locate_context(locked.db(), call, &context.ok_or_else(Error::denied)?).await?;
        let _ = locked.authorize_with::<right::CreateSession>(call, &context.user_bindings, &context)?;
        call.identify(located.subject());
        let mutation = locked.mutate_anew(call, permit);
        let (own, ends_by) = (mutation.credential().uid, mutation.credential().expire_time);
        let creator = NewCreator { credential: own, time: call.now };
        Ok(Renewable { row, context, mutation, ends_by, creator: Some(creator) })
    }
}

/// A session, if it is there, and what is authorized to take it over.
async fn created_session(
    db: &impl KeyedConnection,
    call: &Call,
    within: Uid,
    name: &SessionName,
) -> Result<(Option<Credential>, (Subject, Resource)), Error> {
    let found = credential::by_uid(db, Some(within), name.uid).await?;
    let found = found.filter(|row| row.kind == CredentialKind::Session);
    let resource = found.as_ref().map_or(nobodys_session(within), |row| session_resource(call, within, row));
    Ok((found, (Subject::new(within, name, name.uid), resource)))
}
