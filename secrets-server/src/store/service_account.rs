//! The service accounts of an organization, or of the platform (organization `None`). A deleted one is not live; its id
//! is free again.

use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
    Select,
};
use secrets_core::{ServiceAccountId, Timestamp, Uid};

use super::entity::service_account::{ActiveModel, Column, Entity, Model};
use super::row::{Row, reading, time};
use super::{PLATFORM, StoreError, organization_or_platform, unless_platform};

const TABLE: &str = "service_accounts";

/// A service account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceAccount {
    pub uid: Uid,
    /// The organization it belongs to, or the platform.
    pub organization: Option<Uid>,
    /// Its name in resource names.
    pub service_account_id: ServiceAccountId,
    /// Its name for people.
    pub display_name: String,
    pub create_time: Timestamp,
}

/// Adds a service account.
pub async fn insert(db: &impl ConnectionTrait, row: &ServiceAccount) -> Result<(), StoreError> {
    let row = ActiveModel {
        uid: Set(row.uid),
        organization_uid: Set(organization_or_platform(row.organization)),
        service_account_id: Set(row.service_account_id.as_str().to_owned()),
        display_name: Set(row.display_name.clone()),
        create_time: Set(row.create_time.as_micros()),
        live: Set(Some(1)),
    };
    Entity::insert(row).exec_without_returning(db).await?;
    Ok(())
}

/// The live service account of this id.
pub async fn by_id(
    db: &impl ConnectionTrait,
    organization: Option<Uid>,
    id: &ServiceAccountId,
) -> Result<Option<ServiceAccount>, StoreError> {
    let query = live(organization).filter(Column::ServiceAccountId.eq(id.as_str()));
    query.one(db).await.map_err(reading(TABLE))?.map(read).transpose()
}

/// Up to `limit` service accounts that have or had this id, the newest first: the live one, and those that were deleted.
pub async fn uids_named(
    db: &impl ConnectionTrait,
    organization: Option<Uid>,
    id: &ServiceAccountId,
    limit: u64,
) -> Result<Vec<Uid>, StoreError> {
    let query = Entity::find()
        .filter(Column::OrganizationUid.eq(organization_or_platform(organization)))
        .filter(Column::ServiceAccountId.eq(id.as_str()))
        .order_by_desc(Column::CreateTime)
        .limit(limit);
    query.select_only().column(Column::Uid).into_tuple().all(db).await.map_err(reading(TABLE))
}

/// The live service accounts of these uids, of the organization and of the platform, in no particular order; the ones
/// that are not there are left out.
pub async fn by_uids(
    db: &impl ConnectionTrait,
    organization: Option<Uid>,
    uids: impl IntoIterator<Item = Uid>,
) -> Result<Vec<ServiceAccount>, StoreError> {
    let query = Entity::find()
        .filter(Column::OrganizationUid.is_in([organization_or_platform(organization), PLATFORM]))
        .filter(Column::Live.eq(1))
        .filter(Column::Uid.is_in(uids));
    all(db, query).await
}

/// Up to `limit` live service accounts in the order of their ids, those after `after`.
pub async fn list(
    db: &impl ConnectionTrait,
    organization: Option<Uid>,
    after: Option<&ServiceAccountId>,
    limit: u64,
) -> Result<Vec<ServiceAccount>, StoreError> {
    let mut query = live(organization).order_by_asc(Column::ServiceAccountId).limit(limit);
    if let Some(after) = after {
        query = query.filter(Column::ServiceAccountId.gt(after.as_str()));
    }
    all(db, query).await
}

/// How many live service accounts the organization, or the platform, has.
pub async fn count(db: &impl ConnectionTrait, organization: Option<Uid>) -> Result<u64, StoreError> {
    Ok(live(organization).count(db).await?)
}

/// Ends a service account; false if there is no such live one. Revoking its credentials and deleting its bindings
/// belong to the same transaction.
pub async fn delete(db: &impl ConnectionTrait, organization: Option<Uid>, uid: Uid) -> Result<bool, StoreError> {
    let query = Entity::update_many()
        .set(ActiveModel { live: Set(None), ..Default::default() })
        .filter(Column::OrganizationUid.eq(organization_or_platform(organization)))
        .filter(Column::Uid.eq(uid))
        .filter(Column::Live.eq(1));
    Ok(query.exec(db).await?.rows_affected == 1)
}

fn live(organization: Option<Uid>) -> Select<Entity> {
    Entity::find().filter(Column::OrganizationUid.eq(organization_or_platform(organization))).filter(Column::Live.eq(1))
}

async fn all(db: &impl ConnectionTrait, query: Select<Entity>) -> Result<Vec<ServiceAccount>, StoreError> {
    query.all(db).await.map_err(reading(TABLE))?.into_iter().map(read).collect()
}

fn read(model: Model) -> Result<ServiceAccount, StoreError> {
    let row = Row::new(TABLE, &model.uid);
    Ok(ServiceAccount {
        uid: model.uid,
        organization: unless_platform(model.organization_uid),
        service_account_id: row.parse("service_account_id", &model.service_account_id)?,
        create_time: time(model.create_time),
        display_name: model.display_name,
    })
}
