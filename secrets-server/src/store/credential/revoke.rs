//! Ending credentials. Whatever ends a credential ends the sessions that were created with it, and those that were created
//! with these, in the same transaction.

use sea_orm::sea_query::SimpleExpr;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect,
};
use secrets_core::principal::PrincipalRef;
use secrets_core::{CredentialKind, Timestamp, Uid};

use super::{ActiveModel, Column, Entity, TABLE};
use crate::store::row::reading;
use crate::store::{StoreError, organization_or_platform};

/// Databases limit how many parameters a statement has.
const MAX_CREDENTIALS_PER_STATEMENT: usize = 500;

/// Revokes one credential; returns how many ended, its sessions included: 0 if it is not there or had ended before.
pub async fn revoke(
    db: &impl ConnectionTrait,
    organization: Option<Uid>,
    uid: Uid,
    time: Timestamp,
) -> Result<u64, StoreError> {
    let organization = Column::OrganizationUid.eq(organization_or_platform(organization));
    revoke_where(db, organization.and(Column::Uid.eq(uid)), time).await
}

/// Revokes every credential of a principal, wherever it is for, and all sessions the principal created.
pub async fn revoke_of_principal(
    db: &impl ConnectionTrait,
    principal: PrincipalRef,
    time: Timestamp,
) -> Result<u64, StoreError> {
    let condition = Column::PrincipalKind.eq(principal.kind.as_str()).and(Column::PrincipalUid.eq(principal.uid));
    revoke_where(db, condition, time).await
}

/// Revokes every session for a user, whoever created it.
pub async fn revoke_sessions_for_user(
    db: &impl ConnectionTrait,
    organization: Uid,
    user: Uid,
    time: Timestamp,
) -> Result<u64, StoreError> {
    let condition = Column::OrganizationUid.eq(organization).and(Column::ContextUserUid.eq(user));
    revoke_where(db, condition, time).await
}

/// Revokes every session whose context names this project or workspace.
pub async fn revoke_sessions_in(
    db: &impl ConnectionTrait,
    organization: Uid,
    resource: Uid,
    time: Timestamp,
) -> Result<u64, StoreError> {
    let context = Column::ContextProjectUid.eq(resource).or(Column::ContextWorkspaceUid.eq(resource));
    revoke_where(db, Column::OrganizationUid.eq(organization).and(context), time).await
}

/// Revokes every credential of an organization.
pub async fn revoke_of_organization(
    db: &impl ConnectionTrait,
    organization: Uid,
    time: Timestamp,
) -> Result<u64, StoreError> {
    revoke_where(db, Column::OrganizationUid.eq(organization), time).await
}

/// Revokes every credential there is.
pub async fn revoke_all(db: &impl ConnectionTrait, time: Timestamp) -> Result<u64, StoreError> {
    revoke_where(db, Column::RevokeTime.is_null(), time).await
}

/// Removes up to `limit` sessions and invitations of all organizations that expired before `before`; returns how many.
/// Tokens stay, for the audit to refer to.
pub async fn purge_ended(db: &impl ConnectionTrait, before: Timestamp, limit: u64) -> Result<u64, StoreError> {
    let short_lived = [CredentialKind::Session, CredentialKind::Invitation].map(CredentialKind::as_str);
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

async fn revoke_where(db: &impl ConnectionTrait, condition: SimpleExpr, time: Timestamp) -> Result<u64, StoreError> {
    let mut ended = 0;
    let mut generation = live(db, condition).await?;
    while !generation.is_empty() {
        let mut next = Vec::new();
        for uids in generation.chunks(MAX_CREDENTIALS_PER_STATEMENT) {
            // Ended first and then searched for children: whoever holds one to create with it is waited for.
            let query = Entity::update_many()
                .set(ActiveModel { revoke_time: Set(Some(time.as_micros())), ..Default::default() })
                .filter(Column::Uid.is_in(uids.iter().copied()))
                .filter(Column::RevokeTime.is_null());
            ended += query.exec(db).await?.rows_affected;
            next.extend(live(db, Column::CreatorUid.is_in(uids.iter().copied())).await?);
        }
        generation = next;
    }
    Ok(ended)
}

async fn live(db: &impl ConnectionTrait, condition: SimpleExpr) -> Result<Vec<Uid>, StoreError> {
    let query = Entity::find().select_only().column(Column::Uid).filter(condition).filter(Column::RevokeTime.is_null());
    query.into_tuple().all(db).await.map_err(reading(TABLE))
}
