//! What request ids were answered, so that a repeat gets the same answer and changes nothing.

use sea_orm::sea_query::{Expr, ExprTrait as _, Func, OnConflict, Query, WindowStatement};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, IntoSimpleExpr as _, Order, QueryFilter, QueryOrder,
    QuerySelect,
};
use secrets_core::{Timestamp, Uid};

use super::StoreError;
use super::entity::idempotency::{ActiveModel, Column, Entity, Model};
use super::row::{Row, reading, time};

const TABLE: &str = "idempotency";

/// Which request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyKey {
    /// The organization that was changed, or [`super::PLATFORM`].
    pub organization: Uid,
    pub principal: Uid,
    pub method: String,
    /// Under which id.
    pub request_id: Uid,
}

/// The first answer to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyRecord {
    pub key: IdempotencyKey,
    /// A keyed fingerprint of the request's content.
    pub fingerprint: Vec<u8>,
    /// The version of the key under which `fingerprint` was made.
    pub fingerprint_key_version: u32,
    pub response: Vec<u8>,
    pub expire_time: Timestamp,
}

/// The first answer to a request, if it is still kept. It may have expired already.
pub async fn find(db: &impl ConnectionTrait, key: &IdempotencyKey) -> Result<Option<IdempotencyRecord>, StoreError> {
    let query = Entity::find()
        .filter(Column::OrganizationUid.eq(key.organization))
        .filter(Column::PrincipalUid.eq(key.principal))
        .filter(Column::Method.eq(&key.method))
        .filter(Column::RequestId.eq(key.request_id));
    query.one(db).await.map_err(reading(TABLE))?.map(read).transpose()
}

/// Keeps the first answer to a request, in place of one that expired: the caller has looked, under the organization's
/// lock.
pub async fn insert(db: &impl ConnectionTrait, row: &IdempotencyRecord) -> Result<(), StoreError> {
    let model = ActiveModel {
        organization_uid: Set(row.key.organization),
        principal_uid: Set(row.key.principal),
        method: Set(row.key.method.clone()),
        request_id: Set(row.key.request_id),
        fingerprint: Set(row.fingerprint.clone()),
        fingerprint_key_version: Set(row.fingerprint_key_version.into()),
        response: Set(row.response.clone()),
        expire_time: Set(row.expire_time.as_micros()),
    };
    let replace =
        OnConflict::columns([Column::OrganizationUid, Column::PrincipalUid, Column::Method, Column::RequestId])
            .update_columns([Column::Fingerprint, Column::FingerprintKeyVersion, Column::Response, Column::ExpireTime])
            .to_owned();
    Entity::insert(model).on_conflict(replace).exec_without_returning(db).await?;
    Ok(())
}

/// Removes the oldest answers of a principal in an organization, so that about `count` of them, and `bytes`, are left.
pub async fn keep_newest(
    db: &impl ConnectionTrait,
    organization: Uid,
    principal: Uid,
    count: u64,
    bytes: u64,
) -> Result<u64, StoreError> {
    let newest_first = || WindowStatement::new().order_by(Column::ExpireTime, Order::Desc).to_owned();
    let length = Expr::expr(Func::cust("octet_length").arg(Column::Response.into_simple_expr()));
    let ranked = Query::select()
        .column(Column::ExpireTime)
        .expr_window_as(Func::cust("row_number"), newest_first(), "place")
        .expr_window_as(Expr::expr(length.sum()), newest_first(), "bytes")
        .from(Entity)
        .and_where(Column::OrganizationUid.eq(organization))
        .and_where(Column::PrincipalUid.eq(principal))
        .to_owned();
    let (count, bytes) = (i64::try_from(count).unwrap_or(i64::MAX), i64::try_from(bytes).unwrap_or(i64::MAX));
    let beyond = Query::select()
        .expr(Expr::col(("ranked", Column::ExpireTime)).max())
        .from_subquery(ranked, "ranked")
        .and_where(Expr::col(("ranked", "place")).gt(count).or(Expr::col(("ranked", "bytes")).gt(bytes)))
        .to_owned();
    let query = Entity::delete_many()
        .filter(Column::OrganizationUid.eq(organization))
        .filter(Column::PrincipalUid.eq(principal))
        .filter(Expr::col(Column::ExpireTime).lte(Expr::SubQuery(None, Box::new(beyond.into()))));
    Ok(query.exec(db).await?.rows_affected)
}

/// Removes the answers of all organizations that expired, the first about `limit` of them; returns how many.
pub async fn purge_expired(db: &impl ConnectionTrait, now: Timestamp, limit: u64) -> Result<u64, StoreError> {
    let expired = Column::ExpireTime.lte(now.as_micros());
    let times = Entity::find().select_only().column(Column::ExpireTime).filter(expired);
    let next = times.order_by_asc(Column::ExpireTime).offset(limit).limit(1).into_tuple::<i64>();
    let query = match next.one(db).await.map_err(reading(TABLE))? {
        Some(next) => Entity::delete_many().filter(Column::ExpireTime.lte(next)),
        None => Entity::delete_many().filter(Column::ExpireTime.lte(now.as_micros())),
    };
    Ok(query.exec(db).await?.rows_affected)
}

fn read(model: Model) -> Result<IdempotencyRecord, StoreError> {
    let row = Row::new(TABLE, &model.request_id);
    Ok(IdempotencyRecord {
        fingerprint_key_version: row.number("fingerprint_key_version", model.fingerprint_key_version)?,
        key: IdempotencyKey {
            organization: model.organization_uid,
            principal: model.principal_uid,
            method: model.method,
            request_id: model.request_id,
        },
        fingerprint: model.fingerprint,
        response: model.response,
        expire_time: time(model.expire_time),
    })
}
