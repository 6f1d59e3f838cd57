//! Codes: each is redeemed once. Ending one needs no key, and lets it be purged as what has expired.

use sea_orm::sea_query::SimpleExpr;
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, ExprTrait, QueryFilter};
use secrets_core::principal::PrincipalRef;
use secrets_core::{CredentialKind, Timestamp, Uid};

use super::revoke::{Revoked, revoke_where};
use super::{ActiveModel, Column, Credential, Entity, TABLE, is_live, read};
use crate::store::row::reading;
use crate::store::row_mac::intact;
use crate::store::{KeyedConnection, StoreError};

/// Ends a code, which was redeemed for `token`; false if it is not there or had ended before.
pub async fn redeem(
    db: &impl KeyedConnection,
    organization: Uid,
    code: Uid,
    token: Uid,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let named = Column::OrganizationUid.eq(organization).and(Column::Uid.eq(code));
    Ok(end(db, named, Some(token), now).await? == 1)
}

/// The recovery codes of a user that were not used.
pub async fn recovery_codes(
    db: &impl KeyedConnection,
    organization: Uid,
    user: PrincipalRef,
    now: Timestamp,
) -> Result<Vec<Credential>, StoreError> {
    // By the user alone, whom an index finds; that they are of the organization is checked here.
    let recovery = Column::Kind.eq(CredentialKind::RecoveryCode.as_str());
    let query = Entity::find().filter(is_of(user).and(recovery)).filter(is_live(now));
    let rows = query.all(db).await.map_err(reading(TABLE))?;
    let rows = rows.into_iter().filter_map(|row| intact(db, row)).map(read).collect::<Result<Vec<_>, _>>()?;
    Ok(rows.into_iter().filter(|row| row.organization == Some(organization)).collect())
}

/// Ends the recovery codes of a user that were not used; returns how many. What used ones were redeemed for goes on.
pub async fn revoke_recovery_codes(
    db: &impl KeyedConnection,
    organization: Uid,
    user: PrincipalRef,
    now: Timestamp,
) -> Result<u64, StoreError> {
    let recovery = Column::Kind.eq(CredentialKind::RecoveryCode.as_str());
    let condition = Column::OrganizationUid.eq(organization).and(is_of(user)).and(recovery);
    end(db, condition, None, now).await
}

/// Revokes every credential of a user but their recovery codes, with the sessions that were created with them.
pub async fn revoke_all_but_recovery_codes(
    db: &impl KeyedConnection,
    user: PrincipalRef,
    now: Timestamp,
) -> Result<Revoked, StoreError> {
    let others = Column::Kind.ne(CredentialKind::RecoveryCode.as_str());
    revoke_where(db, is_of(user).and(others), now).await
}

/// Revokes every credential of a user but one, and all sessions that they created.
pub async fn revoke_all_but(
    db: &impl KeyedConnection,
    user: PrincipalRef,
    kept: Uid,
    now: Timestamp,
) -> Result<Revoked, StoreError> {
    revoke_where(db, is_of(user).and(Column::Uid.ne(kept)), now).await
}

async fn end(
    db: &impl KeyedConnection,
    condition: SimpleExpr,
    token: Option<Uid>,
    now: Timestamp,
) -> Result<u64, StoreError> {
    let set = ActiveModel {
        revoke_time: Set(Some(now.as_micros())),
        expire_time: Set(Some(now.as_micros())),
        redeemed_for_uid: Set(token),
        row_mac: Set(None),
        ..Default::default()
    };
    let query = Entity::update_many().set(set).filter(condition).filter(is_live(now));
    Ok(query.exec(db).await?.rows_affected)
}

fn is_of(user: PrincipalRef) -> SimpleExpr {
    Column::PrincipalKind.eq(user.kind.as_str()).and(Column::PrincipalUid.eq(user.uid))
}
