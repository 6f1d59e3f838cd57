//! Pages of a scope.

use sea_orm::{
    ColumnTrait, ConnectionTrait, ExprTrait, Order, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, Select, Value,
};
use secrets_core::{Scope, SecretId, Timestamp, Uid};

use super::{PAGE, Secret, SecretWithVersion, all, live, read, rows, within};
use crate::store::entity::secret::{Column, Entity, Model};
use crate::store::{KeyedConnection, StoreError};

/// By what a page is ordered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SecretOrder {
    /// By name.
    #[default]
    SecretId,
    /// By the time they were made.
    CreateTime,
}

/// What is on a page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SecretQuery {
    pub show_deleted: bool,
    pub order: SecretOrder,
    /// The greatest first.
    pub descending: bool,
}

/// Where a page ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretPosition {
    /// The last one's name.
    pub secret_id: SecretId,
    /// When the last one was made.
    pub create_time: Timestamp,
    /// The last one's uid.
    pub uid: Uid,
}

impl From<&Secret> for SecretPosition {
    fn from(secret: &Secret) -> Self {
        Self { secret_id: secret.secret_id.clone(), create_time: secret.create_time, uid: secret.uid }
    }
}

/// Up to `limit` secrets of a scope, those after `after`.
pub async fn list(
    db: &impl KeyedConnection,
    organization: Uid,
    scope: Scope,
    query: SecretQuery,
    after: Option<&SecretPosition>,
    limit: u64,
) -> Result<Vec<SecretWithVersion>, StoreError> {
    let after = after.map(|after| match query.order {
        SecretOrder::SecretId => (after.secret_id.as_str().into(), after.uid),
        SecretOrder::CreateTime => (after.create_time.as_micros().into(), after.uid),
    });
    all(db, ordered(organization, scope, query, after).limit(limit)).await
}

/// All secrets of a scope, page by page.
pub async fn every(
    db: &impl KeyedConnection,
    organization: Uid,
    scope: Scope,
    query: SecretQuery,
) -> Result<Vec<SecretWithVersion>, StoreError> {
    let mut found = Vec::new();
    let mut after = None;
    loop {
        let page = rows(db, ordered(organization, scope, query, after).limit(PAGE)).await?;
        after = page.last().filter(|_| page.len() as u64 >= PAGE).map(|(last, _)| place(last, query.order));
        found.extend(read::current(db, page).await?);
        if after.is_none() {
            return Ok(found);
        }
    }
}

/// Where a row is in an order.
type Place = (Value, Uid);

fn place(row: &Model, order: SecretOrder) -> Place {
    let first = match order {
        SecretOrder::SecretId => row.secret_id.as_str().into(),
        SecretOrder::CreateTime => row.create_time.into(),
    };
    (first, row.uid)
}

/// Those of a scope in their order, after a place in it.
fn ordered(organization: Uid, scope: Scope, query: SecretQuery, after: Option<Place>) -> Select<Entity> {
    let column = match query.order {
        SecretOrder::SecretId => Column::SecretId,
        SecretOrder::CreateTime => Column::CreateTime,
    };
    let order = if query.descending { Order::Desc } else { Order::Asc };
    let select = matching(organization, scope, query).order_by(column, order.clone()).order_by(Column::Uid, order);
    let Some((last, uid)) = after else { return select };
    let (beyond, uid) = if query.descending {
        (column.lt(last.clone()), Column::Uid.lt(uid))
    } else {
        (column.gt(last.clone()), Column::Uid.gt(uid))
    };
    select.filter(beyond.or(column.eq(last).and(uid)))
}

/// How many secrets all pages have together.
pub async fn count(
    db: &impl ConnectionTrait,
    organization: Uid,
    scope: Scope,
    query: SecretQuery,
) -> Result<u64, StoreError> {
    Ok(matching(organization, scope, query).count(db).await?)
}

fn matching(organization: Uid, scope: Scope, query: SecretQuery) -> Select<Entity> {
    if query.show_deleted { within(organization, &[scope]) } else { live(organization, &[scope]) }
}
