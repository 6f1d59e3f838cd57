//! Removing what is known of an organization that was deleted. Its row stays, so that its uid is never used again and a
//! restore knows of its deletion; its audit events have a time of their own.

use sea_orm::sea_query::{IntoIden, Query, SelectStatement};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, ExprTrait as _, QueryFilter, QueryOrder, QuerySelect};
use secrets_core::{Timestamp, Uid};

use super::TABLE;
use crate::store::entity::organization::{ActiveModel, Column, Entity};
use crate::store::entity::{
    binding, change, credential, data_key, idempotency, project, secret, secret_version, service_account, user,
    workspace,
};
use crate::store::row::reading;
use crate::store::{StoreError, WriteTransaction};

/// Of whose secrets one slice removes all versions, of which a secret has a hundred.
const MAX_SECRETS: u64 = 10;

/// Removes up to `limit` rows of what is known of one of the organizations that were deleted before `before`; returns how
/// many. One whose deletion has no time counts from `now`.
pub async fn purge_deleted(
    db: &WriteTransaction,
    before: Timestamp,
    now: Timestamp,
    limit: u64,
) -> Result<u64, StoreError> {
    let ended = || Column::Live.is_null().and(Column::PurgeTime.is_null());
    let undated = Entity::update_many()
        .set(ActiveModel { delete_time: Set(Some(now.as_micros())), ..Default::default() })
        .filter(ended())
        .filter(Column::DeleteTime.is_null());
    undated.exec(db).await?;
    let due = Entity::find()
        .select_only()
        .column(Column::Uid)
        .filter(ended())
        .filter(Column::DeleteTime.lte(before.as_micros()))
        .order_by_asc(Column::DeleteTime);
    let Some(uid) = due.into_tuple::<Uid>().one(db).await.map_err(reading(TABLE))? else { return Ok(0) };
    match purge_rows(db, uid, limit).await? {
        0 => forget(db, uid, now).await,
        rows => Ok(rows),
    }
}

/// What is left of it is its uid and its identifier.
async fn forget(db: &WriteTransaction, uid: Uid, now: Timestamp) -> Result<u64, StoreError> {
    let set = ActiveModel {
        display_name: Set(String::new()),
        limits: Set("{}".to_owned()),
        allowed_reserved: Set(String::new()),
        purge_time: Set(Some(now.as_micros())),
        ..Default::default()
    };
    Ok(Entity::update_many().set(set).filter(Column::Uid.eq(uid)).exec(db).await?.rows_affected)
}

/// The rows of one table, those first that refer to others.
async fn purge_rows(db: &WriteTransaction, uid: Uid, limit: u64) -> Result<u64, StoreError> {
    match purge_secrets(db, uid).await? {
        0 => {}
        rows => return Ok(rows),
    }
    macro_rules! purge {
        ($($table:ident by $key:ident),+ $(,)?) => {
            $(
                let (of, key) = ($table::Column::OrganizationUid, $table::Column::$key);
                let slice = first($table::Entity, key, of.eq(uid), limit);
                let query = $table::Entity::delete_many().filter(of.eq(uid)).filter(key.in_subquery(slice));
                let rows = query.exec(db).await?.rows_affected;
                if rows > 0 {
                    return Ok(rows);
                }
            )+
        };
    }
    purge!(
        binding by Uid,
        credential by Uid,
        workspace by Uid,
        project by Uid,
        user by Uid,
        service_account by Uid,
        idempotency by RequestId,
        data_key by Version,
        change by Revision,
    );
    Ok(0)
}

/// Secrets with their versions, which are found by their organization.
async fn purge_secrets(db: &WriteTransaction, uid: Uid) -> Result<u64, StoreError> {
    use secret_version::Column as Version;
    let query = secret_version::Entity::find()
        .select_only()
        .column(Version::SecretUid)
        .distinct()
        .filter(Version::OrganizationUid.eq(uid))
        .limit(MAX_SECRETS);
    let secrets: Vec<Uid> = query.into_tuple().all(db).await.map_err(reading(TABLE))?;
    if secrets.is_empty() {
        return Ok(0);
    }
    let versions = secret_version::Entity::delete_many().filter(Version::SecretUid.is_in(secrets.clone()));
    let mut rows = versions.exec(db).await?.rows_affected;
    let query = secret::Entity::delete_many().filter(secret::Column::Uid.is_in(secrets));
    rows += query.exec(db).await?.rows_affected;
    db.outdated(rows);
    Ok(rows)
}

fn first<E: EntityTrait>(
    table: E,
    key: impl IntoIden,
    condition: sea_orm::sea_query::SimpleExpr,
    limit: u64,
) -> SelectStatement {
    Query::select().column(key).from(table).and_where(condition).limit(limit).to_owned()
}
