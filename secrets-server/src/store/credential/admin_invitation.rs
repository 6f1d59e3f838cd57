//! Invitations by which the operator makes somebody an administrator, and whether there is one who can still sign in.

use sea_orm::sea_query::SimpleExpr;
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, ExprTrait, QueryFilter, QueryOrder};
use secrets_core::principal::PrincipalRef;
use secrets_core::{CredentialKind, Timestamp, Uid};

use super::{ActiveModel, Column, Credential, Entity, MAX_CREDENTIALS_PER_STATEMENT, TABLE, is_live, read};
use crate::store::row::reading;
use crate::store::row_mac::{intact, page};
use crate::store::{KeyedConnection, StoreError};

/// Up to `limit` of them that were redeemed and that were created or redeemed at `since` or later, the newest first.
pub async fn redeemed_admin_invitations(
    db: &impl KeyedConnection,
    organization: Uid,
    since: Timestamp,
    limit: u64,
) -> Result<Vec<Credential>, StoreError> {
    recent(db, organization, since, Column::RedeemedForUid.is_not_null(), limit).await
}

/// Up to `limit` of them that nobody has redeemed and that were created or revoked at `since` or later, the newest first.
pub async fn unredeemed_admin_invitations(
    db: &impl KeyedConnection,
    organization: Uid,
    since: Timestamp,
    limit: u64,
) -> Result<Vec<Credential>, StoreError> {
    recent(db, organization, since, Column::RedeemedForUid.is_null(), limit).await
}

async fn recent(
    db: &impl KeyedConnection,
    organization: Uid,
    since: Timestamp,
    condition: SimpleExpr,
    limit: u64,
) -> Result<Vec<Credential>, StoreError> {
    let recent = Column::CreateTime.gte(since.as_micros()).or(Column::RevokeTime.gte(since.as_micros()));
    let condition = in_organization(organization).and(condition).and(recent);
    let query = Entity::find().filter(condition).order_by_desc(Column::CreateTime);
    page(db, query, limit).await.map_err(reading(TABLE))?.into_iter().map(read).collect()
}

/// Ends those that were not redeemed; returns how many.
pub async fn revoke_admin_invitations(
    db: &impl KeyedConnection,
    organization: Uid,
    now: Timestamp,
) -> Result<u64, StoreError> {
    let set = ActiveModel { revoke_time: Set(Some(now.as_micros())), row_mac: Set(None), ..Default::default() };
    let query = Entity::update_many().set(set).filter(in_organization(organization)).filter(is_live(now));
    Ok(query.exec(db).await?.rows_affected)
}

/// Whether one of these has a token that serves, or a code that can be redeemed.
pub async fn anybody_can_sign_in(
    db: &impl KeyedConnection,
    principals: &[PrincipalRef],
    now: Timestamp,
) -> Result<bool, StoreError> {
    let kinds = [
        CredentialKind::Personal,
        CredentialKind::ServiceAccount,
        CredentialKind::Invitation,
        CredentialKind::RecoveryCode,
    ];
    for principals in principals.chunks(MAX_CREDENTIALS_PER_STATEMENT) {
        let query = Entity::find()
            .filter(Column::PrincipalUid.is_in(principals.iter().map(|principal| principal.uid)))
            .filter(Column::Kind.is_in(kinds.map(CredentialKind::as_str)))
            .filter(is_live(now));
        let rows = query.all(db).await.map_err(reading(TABLE))?;
        for row in rows.into_iter().filter_map(|row| intact(db, row)) {
            let row = read(row)?;
            if principals.contains(&row.principal) && row.start_time.is_none_or(|start| start <= now) {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

fn in_organization(organization: Uid) -> SimpleExpr {
    Column::OrganizationUid.eq(organization).and(Column::GrantedRole.is_not_null())
}
