//! Organizations. A deleted one is not live: no function here finds it, and its id is free again.

mod purge;

use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
    Select,
};
use secrets_core::{AllowedReserved, NamePolicy, OrganizationId, Timestamp, Uid};

use super::StoreError;
use super::entity::organization::{ActiveModel, Column, Entity, Model};
use super::row::{Row, reading, time};

pub use purge::purge_deleted;

const TABLE: &str = "organizations";

/// An organization.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Organization {
    pub uid: Uid,
    /// Its name in resource names.
    pub organization_id: OrganizationId,
    /// Its name for people.
    pub display_name: String,
    /// The alphabet of its secrets' names.
    pub name_policy: NamePolicy,
    /// The limits it has lowered, as the service wrote them (JSON).
    pub limits: String,
    /// The reserved names and paths that its secrets may have.
    pub allowed_reserved: AllowedReserved,
    pub create_time: Timestamp,
}

/// Adds an organization. Its revision ([`super::revision::start`]) and its data key come in the same transaction.
pub async fn insert(db: &impl ConnectionTrait, row: &Organization) -> Result<(), StoreError> {
    let row = ActiveModel {
        uid: Set(row.uid),
        organization_id: Set(row.organization_id.as_str().to_owned()),
        display_name: Set(row.display_name.clone()),
        name_policy: Set(row.name_policy.as_str().to_owned()),
        limits: Set(row.limits.clone()),
        allowed_reserved: Set(row.allowed_reserved.to_string()),
        create_time: Set(row.create_time.as_micros()),
        live: Set(Some(1)),
        delete_time: Set(None),
        purge_time: Set(None),
    };
    Entity::insert(row).exec_without_returning(db).await?;
    Ok(())
}

/// The live organization of this id.
pub async fn by_id(db: &impl ConnectionTrait, id: &OrganizationId) -> Result<Option<Organization>, StoreError> {
    one(db, live().filter(Column::OrganizationId.eq(id.as_str()))).await
}

/// The live organization of this uid.
pub async fn by_uid(db: &impl ConnectionTrait, uid: Uid) -> Result<Option<Organization>, StoreError> {
    one(db, live().filter(Column::Uid.eq(uid))).await
}

/// Up to `limit` live organizations in the order of their ids, those after `after`.
pub async fn list(
    db: &impl ConnectionTrait,
    after: Option<&OrganizationId>,
    limit: u64,
) -> Result<Vec<Organization>, StoreError> {
    let mut query = live().order_by_asc(Column::OrganizationId).limit(limit);
    if let Some(after) = after {
        query = query.filter(Column::OrganizationId.gt(after.as_str()));
    }
    query.all(db).await.map_err(reading(TABLE))?.into_iter().map(read).collect()
}

/// All live organizations, in the order of their ids: for what concerns the service as a whole.
pub async fn all(db: &impl ConnectionTrait) -> Result<Vec<Organization>, StoreError> {
    live().order_by_asc(Column::OrganizationId).all(db).await.map_err(reading(TABLE))?.into_iter().map(read).collect()
}

/// The organizations that were deleted, and the ids they had, in the order of their uids.
pub async fn deleted(db: &impl ConnectionTrait) -> Result<Vec<(Uid, OrganizationId)>, StoreError> {
    let query = Entity::find().filter(Column::Live.is_null()).order_by_asc(Column::Uid);
    let rows = query.all(db).await.map_err(reading(TABLE))?;
    rows.into_iter().map(|model| read(model).map(|row| (row.uid, row.organization_id))).collect()
}

/// How many live organizations there are.
pub async fn count(db: &impl ConnectionTrait) -> Result<u64, StoreError> {
    Ok(live().count(db).await?)
}

/// Stores the display name, name policy, limits and allowed reserved names of `row`; false if there is no such live organization.
pub async fn update(db: &impl ConnectionTrait, row: &Organization) -> Result<bool, StoreError> {
    let set = ActiveModel {
        display_name: Set(row.display_name.clone()),
        name_policy: Set(row.name_policy.as_str().to_owned()),
        limits: Set(row.limits.clone()),
        allowed_reserved: Set(row.allowed_reserved.to_string()),
        ..Default::default()
    };
    let updated = Entity::update_many().set(set).filter(Column::Uid.eq(row.uid)).filter(Column::Live.eq(1));
    Ok(updated.exec(db).await?.rows_affected == 1)
}

/// Ends an organization; false if there is no such live one. Revoking its credentials and destroying its data keys
/// belong to the same transaction.
pub async fn delete(db: &impl ConnectionTrait, uid: Uid, time: Timestamp) -> Result<bool, StoreError> {
    let set = ActiveModel { live: Set(None), delete_time: Set(Some(time.as_micros())), ..Default::default() };
    let deleted = Entity::update_many().set(set).filter(Column::Uid.eq(uid)).filter(Column::Live.eq(1));
    Ok(deleted.exec(db).await?.rows_affected == 1)
}

fn live() -> Select<Entity> {
    Entity::find().filter(Column::Live.eq(1))
}

async fn one(db: &impl ConnectionTrait, query: Select<Entity>) -> Result<Option<Organization>, StoreError> {
    query.one(db).await.map_err(reading(TABLE))?.map(read).transpose()
}

pub(super) fn read(model: Model) -> Result<Organization, StoreError> {
    let row = Row::new(TABLE, &model.uid);
    Ok(Organization {
        uid: model.uid,
        organization_id: row.parse("organization_id", &model.organization_id)?,
        name_policy: row.parse("name_policy", &model.name_policy)?,
        allowed_reserved: row.parse("allowed_reserved", &model.allowed_reserved)?,
        create_time: time(model.create_time),
        display_name: model.display_name,
        limits: model.limits,
    })
}
