//! The end of a token: with all that was made with it, or alone.

use std::collections::HashMap;

use secrets_core::authorize::{self, Action};
use secrets_core::{OrganizationId, PrincipalKind, Resource, Scope, ScopeKind, TokenName, Uid, right};

use super::{KINDS, TokenView};
use crate::audit::Subject;
use crate::call::Call;
use crate::error::Error;
use crate::service::Service;
use crate::service::locate::account::{AccountNames, account_of, resource_of};
use crate::service::mutation::{Begun, IdempotencyKey, MutationOutcome};
use crate::service::open_call::OpenCall;
use crate::store::credential::{self, Credential};
use crate::store::{KeyedConnection, PLATFORM, organization};

/// Service tokens that an answer names.
const MAX_NAMED_TOKENS: usize = 100;

/// What RevokeToken is asked for.
pub struct TokenRevocation {
    pub name: TokenName,
    /// Also ends the tokens of other principals that were created with it.
    pub with_service_tokens: bool,
    /// Ends nothing that was created with it; its sessions get the token that follows it.
    pub alone: bool,
    /// Only says what it would do.
    pub validate_only: bool,
}

/// What a revocation ended.
#[derive(Default)]
pub struct RevokedToken {
    pub sessions: u64,
    pub tokens: u64,
    /// Open invitations of others.
    pub invitations: u64,
    /// Sessions that got another creator, and which.
    pub moved_sessions: u64,
    pub moved_to: Option<TokenName>,
    /// Tokens of other principals that were created with it: some of them.
    pub service_tokens: Vec<TokenView>,
    pub total_service_tokens: u64,
}

impl Service {
    /// Ends a token. One that had ended before ends what was created with it and still lives.
    pub async fn revoke_token(
        &self,
        call: &mut OpenCall,
        input: &TokenRevocation,
        key: &IdempotencyKey<RevokedToken>,
    ) -> Result<MutationOutcome<RevokedToken>, Error> {
        let name = &input.name;
        let within = match &name.organization {
            Some(id) => Some(self.locate_organization(self.store.reader(), call, id).await?.uid),
            None => None,
        };
        let (_, located) = locate_token(self.store.reader(), within, name).await?;
        let first = call.authorize::<right::RevokeToken>(&located)?;
        let locked = self.lock(call, within.unwrap_or(PLATFORM), first).await?;
        let (found, located) = locate_token(locked.db(), within, name).await?;
        let mut mutation = match locked.mutate::<right::RevokeToken, _>(call, &located, key).await? {
            Begun::Replayed(outcome) => return Ok(outcome),
            Begun::New(mutation) => mutation,
        };
        let Some(token) = found else { return Err(Error::not_found(format_args!("token `{name}`"))) };
        let revoked = match input.alone {
            true => end_alone(mutation.db(), call, &token, name).await?,
            false => end_with_descendants(mutation.db(), call, &token, input.with_service_tokens).await?,
        };
        if input.validate_only {
            return Ok(mutation.discard(revoked));
        }
        if let (Some(organization), 1..) = (within, revoked.sessions + revoked.tokens + revoked.invitations) {
            mutation.bump(Scope::new(ScopeKind::Organization, organization)).await?;
        }
        mutation.finish(call, key, revoked).await
    }
}

/// A token, if it is there, and what is authorized to end it.
async fn locate_token(
    db: &impl KeyedConnection,
    within: Option<Uid>,
    name: &TokenName,
) -> Result<(Option<Credential>, (Subject, Resource)), Error> {
    let found = credential::by_uid(db, within, name.uid).await?.filter(|row| KINDS.contains(&row.kind));
    let resource = match (&found, within) {
        (Some(row), _) => token_resource(db, row).await?,
        // Whoever may revoke any token may know that there is none.
        (None, Some(organization)) => Resource::User { organization, user: Uid::nil() },
        (None, None) => Resource::Platform,
    };
    Ok((found, (Subject::new(within, name, name.uid), resource)))
}

/// Ends a token, and hands its sessions to the one that follows it. Without one, they end with it.
async fn end_alone(
    db: &impl KeyedConnection,
    call: &Call,
    token: &Credential,
    name: &TokenName,
) -> Result<RevokedToken, Error> {
    let ended = credential::revoke_alone(db, token.organization, token.uid, call.now).await?;
    let mut revoked = RevokedToken { tokens: ended.into(), ..RevokedToken::default() };
    match credential::successor(db, token, call.now).await? {
        Some(next) => {
            revoked.moved_sessions = credential::hand_over_sessions(db, token.uid, &next, call.now).await?;
            revoked.moved_to = Some(TokenName { organization: name.organization.clone(), uid: next.uid });
        }
        None => revoked.sessions = credential::revoke_sessions_of(db, token.uid, call.now).await?,
    }
    Ok(revoked)
}

/// Ends a token with its sessions and with the tokens of its principal and the open invitations that were created with it.
/// Tokens of others that were go on unless `with_issued`, and are named to whoever may list them.
async fn end_with_descendants(
    db: &impl KeyedConnection,
    call: &Call,
    token: &Credential,
    with_issued: bool,
) -> Result<RevokedToken, Error> {
    let (mut revoked, mut issued, mut pending) = (RevokedToken::default(), Vec::new(), vec![token.clone()]);
    while let Some(next) = pending.pop() {
        let ended = credential::revoke(db, next.organization, next.uid, call.now).await?;
        revoked.sessions += ended.sessions;
        revoked.tokens += ended.tokens;
        revoked.invitations += ended.invitations;
        for mut row in ended.issued {
            let resource = token_resource(db, &row).await?;
            let caller = &call.caller;
            let is_listed =
                authorize::decide(&caller.principal, &caller.bindings, Action::ListTokens, &resource).is_ok();
            if with_issued {
                call.permit::<right::RevokeToken>(&resource).map(|_permit| ())?;
                pending.push(row.clone());
                row.revoke_time = Some(call.now);
            }
            revoked.total_service_tokens += 1;
            if is_listed && issued.len() < MAX_NAMED_TOKENS {
                issued.push(row);
            }
        }
    }
    revoked.service_tokens = views(db, issued).await?;
    Ok(revoked)
}

/// What is authorized about a token: the account that it belongs to, or the platform for the operator's.
async fn token_resource(db: &impl KeyedConnection, row: &Credential) -> Result<Resource, Error> {
    if row.principal.kind == PrincipalKind::Operator {
        return Ok(Resource::Platform);
    }
    Ok(resource_of(account_of(db, row.organization, row.principal).await?))
}

/// Tokens in words. They may belong to several organizations: a program of the platform can administer them.
async fn views(db: &impl KeyedConnection, rows: Vec<Credential>) -> Result<Vec<TokenView>, Error> {
    let mut names: HashMap<Option<Uid>, (Option<OrganizationId>, AccountNames)> = HashMap::new();
    for within in rows.iter().map(|row| row.organization) {
        if names.contains_key(&within) {
            continue;
        }
        let found = match within {
            Some(uid) => organization::by_uid(db, uid).await?,
            None => None,
        };
        let accounts = rows.iter().filter(|row| row.organization == within).map(|row| row.principal);
        let accounts = AccountNames::load(db, found.as_ref(), accounts).await?;
        names.insert(within, (found.map(|row| row.organization_id), accounts));
    }
    let view = |row: Credential| {
        let (organization, accounts) = names.get(&row.organization)?;
        Some(TokenView { organization: organization.clone(), principal: accounts.name(row.principal), row })
    };
    Ok(rows.into_iter().filter_map(view).collect())
}
