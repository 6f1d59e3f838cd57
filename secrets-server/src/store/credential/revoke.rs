//! Ending credentials. Whatever ends a credential ends, in the same transaction, the sessions that were created with it, the
//! tokens of the same principal and the sign-ins, and what was created with these. Tokens of others go on, but not the
//! invitations that nobody has redeemed: whoever held the credential may have kept their codes.

use std::collections::HashSet;

use sea_orm::sea_query::SimpleExpr;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect,
};
use secrets_core::principal::PrincipalRef;
use secrets_core::{CredentialKind, Timestamp, Uid};

use super::origin::{ends_with_creator, is_invitation, is_issued_token, is_session};
use super::{ActiveModel, Column, Credential, Entity, MAX_CREDENTIALS_PER_STATEMENT, TABLE, is_live, read};
use crate::store::row::reading;
use crate::store::row_mac::intact;
use crate::store::{KeyedConnection, StoreError, organization_or_platform};

/// What a revocation ended, and what it did not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Revoked {
    /// How many sessions ended.
    pub sessions: u64,
    /// How many other credentials ended: tokens and open codes.
    pub tokens: u64,
    /// How many open invitations of others ended that were created with what it reached.
    pub invitations: u64,
    /// The live tokens of other principals that were created with what it reached. They go on.
    pub issued: Vec<Credential>,
}

impl Revoked {
    /// How many credentials ended.
    pub fn total(&self) -> u64 {
        self.sessions + self.tokens + self.invitations
    }
}

/// Revokes one credential, with what was created with it. Of one that ended before, what was created with it.
pub async fn revoke(
    db: &impl KeyedConnection,
    organization: Option<Uid>,
    uid: Uid,
    now: Timestamp,
) -> Result<Revoked, StoreError> {
    revoke_where(db, named(organization, uid), now).await
}

/// Revokes one credential and nothing that was created with it; false if it is not there or had ended before.
pub async fn revoke_alone(
    db: &impl KeyedConnection,
    organization: Option<Uid>,
    uid: Uid,
    now: Timestamp,
) -> Result<bool, StoreError> {
    Ok(end(db, &named(organization, uid), &[uid], now).await? == 1)
}

/// Revokes the sessions that were created with a credential, and what was created with these.
pub async fn revoke_sessions_of(db: &impl KeyedConnection, creator: Uid, now: Timestamp) -> Result<u64, StoreError> {
    Ok(revoke_where(db, is_session().and(Column::CreatorUid.eq(creator)), now).await?.sessions)
}

/// Revokes every credential of a principal, wherever it is for, and all sessions the principal created.
pub async fn revoke_of_principal(
    db: &impl KeyedConnection,
    principal: PrincipalRef,
    now: Timestamp,
) -> Result<Revoked, StoreError> {
    let condition = Column::PrincipalKind.eq(principal.kind.as_str()).and(Column::PrincipalUid.eq(principal.uid));
    revoke_where(db, condition, now).await
}

/// Revokes every session for a user, whoever created it.
pub async fn revoke_sessions_for_user(
    db: &impl KeyedConnection,
    organization: Uid,
    user: Uid,
    now: Timestamp,
) -> Result<Revoked, StoreError> {
    let condition = Column::OrganizationUid.eq(organization).and(Column::ContextUserUid.eq(user));
    revoke_where(db, condition, now).await
}

/// Revokes every session whose context names this project or workspace.
pub async fn revoke_sessions_in(
    db: &impl KeyedConnection,
    organization: Uid,
    resource: Uid,
    now: Timestamp,
) -> Result<Revoked, StoreError> {
    let context = Column::ContextProjectUid.eq(resource).or(Column::ContextWorkspaceUid.eq(resource));
    revoke_where(db, Column::OrganizationUid.eq(organization).and(context), now).await
}

/// Revokes every credential of an organization.
pub async fn revoke_of_organization(
    db: &impl KeyedConnection,
    organization: Uid,
    now: Timestamp,
) -> Result<Revoked, StoreError> {
    revoke_where(db, Column::OrganizationUid.eq(organization), now).await
}

/// Revokes every credential there is.
pub async fn revoke_all(db: &impl KeyedConnection, now: Timestamp) -> Result<Revoked, StoreError> {
    revoke_where(db, Column::RevokeTime.is_null(), now).await
}

/// Removes up to `limit` sessions and codes of all organizations that expired before `before`; returns how many. Tokens stay, for
/// the audit to refer to.
pub async fn purge_ended(db: &impl ConnectionTrait, before: Timestamp, limit: u64) -> Result<u64, StoreError> {
    let kinds = CredentialKind::ALL.iter().filter(|kind| **kind == CredentialKind::Session || kind.is_code());
    let short_lived = kinds.map(|kind| kind.as_str());
    let query = Entity::find()
        .filter(Column::ExpireTime.lt(before.as_micros()))
        .filter(Column::Kind.is_in(short_lived))
        .order_by_asc(Column::ExpireTime)
        .limit(limit);
    let ended = query.all(db).await.map_err(reading(TABLE))?;
    if ended.is_empty() {
        return Ok(0);
    }
    let uids = ended.into_iter().map(|credential| credential.uid);
    Ok(Entity::delete_many().filter(Column::Uid.is_in(uids)).exec(db).await?.rows_affected)
}

/// Ends what meets the condition, and what was created with it and ends with it. A token that ended before ends nothing by
/// itself; what was created with it may still live, and is reached.
pub(super) async fn revoke_where(
    db: &impl KeyedConnection,
    condition: SimpleExpr,
    now: Timestamp,
) -> Result<Revoked, StoreError> {
    let mut revoked = Revoked::default();
    let mut creators = end_reached(db, condition, now, &mut revoked).await?;
    // A row that names itself as its creator's creator must not go round for ever.
    let mut seen = creators.iter().copied().collect::<HashSet<_>>();
    while !creators.is_empty() {
        let mut next = Vec::new();
        for creators in creators.chunks(MAX_CREDENTIALS_PER_STATEMENT) {
            let created = Column::CreatorUid.is_in(creators.iter().copied());
            revoked.issued.extend(issued(db, created.clone(), now).await?);
            revoked.invitations += end_invitations(db, created.clone(), now).await?;
            next.extend(end_reached(db, created.and(ends_with_creator()), now, &mut revoked).await?);
        }
        next.retain(|uid| seen.insert(*uid));
        creators = next;
    }
    Ok(revoked)
}

/// Ends what meets the condition and is live, counts it, and returns what else may have been created with.
///
/// What creates is ended first, and only then searched for what was created with it: whoever holds one to create with it is
/// waited for.
async fn end_reached(
    db: &impl KeyedConnection,
    condition: SimpleExpr,
    now: Timestamp,
    revoked: &mut Revoked,
) -> Result<Vec<Uid>, StoreError> {
    // What was created with a session ended at the same time, or before.
    let reached = condition.clone().and(is_session().not().or(is_live(now)));
    let query = Entity::find().select_only().column(Column::Uid).column(Column::Kind).filter(reached);
    let found: Vec<(Uid, String)> = query.into_tuple().all(db).await.map_err(reading(TABLE))?;
    let (sessions, others): (Vec<_>, Vec<_>) =
        found.into_iter().partition(|(_, kind)| kind == CredentialKind::Session.as_str());
    let uids = |of: Vec<(Uid, String)>| of.into_iter().map(|(uid, _)| uid).collect::<Vec<_>>();
    let (sessions, others) = (uids(sessions), uids(others));
    revoked.sessions += end(db, &condition, &sessions, now).await?;
    revoked.tokens += end(db, &condition, &others, now).await?;
    Ok([others, sessions].concat())
}

/// Ends those of the credentials that are live and, once it is their turn, still meet the condition: a session may have got
/// another creator meanwhile.
async fn end(
    db: &impl KeyedConnection,
    condition: &SimpleExpr,
    uids: &[Uid],
    now: Timestamp,
) -> Result<u64, StoreError> {
    let mut ended = 0;
    for uids in uids.chunks(MAX_CREDENTIALS_PER_STATEMENT) {
        let query = Entity::update_many()
            .set(ending(now))
            .filter(Column::Uid.is_in(uids.iter().copied()))
            .filter(condition.clone())
            .filter(is_live(now));
        ended += query.exec(db).await?.rows_affected;
    }
    Ok(ended)
}

/// Ends the open invitations that were created so. What one was redeemed for is somebody else's, and goes on.
async fn end_invitations(db: &impl ConnectionTrait, created: SimpleExpr, now: Timestamp) -> Result<u64, StoreError> {
    let query = Entity::update_many().set(ending(now)).filter(created).filter(is_invitation()).filter(is_live(now));
    Ok(query.exec(db).await?.rows_affected)
}

/// Ending needs no key.
fn ending(now: Timestamp) -> ActiveModel {
    ActiveModel { revoke_time: Set(Some(now.as_micros())), row_mac: Set(None), ..Default::default() }
}

async fn issued(db: &impl KeyedConnection, created: SimpleExpr, now: Timestamp) -> Result<Vec<Credential>, StoreError> {
    let query = Entity::find().filter(created).filter(is_issued_token()).filter(is_live(now));
    let rows = query.all(db).await.map_err(reading(TABLE))?;
    rows.into_iter().filter_map(|row| intact(db, row)).map(read).collect()
}

fn named(organization: Option<Uid>, uid: Uid) -> SimpleExpr {
    Column::OrganizationUid.eq(organization_or_platform(organization)).and(Column::Uid.eq(uid))
}
