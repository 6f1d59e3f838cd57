//! Deleting, bringing back, purging.

use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select,
};
use secrets_core::{Scope, Timestamp, Uid};

use super::head::Head;
use super::{SecretWithVersion, Stamp, TABLE};
use crate::store::entity::secret::{ActiveModel, Column, Entity};
use crate::store::row::{Row, reading};
use crate::store::row_mac::mac_of;
use crate::store::{KeyedConnection, StoreError, WriteTransaction};

/// Deletes a live secret until `purge_time`; false if there is no such live one.
pub async fn delete(
    db: &impl KeyedConnection,
    organization: Uid,
    uid: Uid,
    purge_time: Timestamp,
    stamp: &Stamp,
) -> Result<bool, StoreError> {
    let found = super::by_uid(db, organization, uid).await?.filter(|found| found.secret.delete_time.is_none());
    let Some(SecretWithVersion { mut secret, .. }) = found else { return Ok(false) };
    (secret.delete_time, secret.purge_time) = (Some(stamp.time), Some(purge_time));
    let set = ActiveModel {
        delete_time: Set(Some(stamp.time.as_micros())),
        purge_time: Set(Some(purge_time.as_micros())),
        live: Set(None),
        row_mac: Set(Some(mac_of(db, &Head::new(&secret)))),
        ..stamped(uid, stamp)?
    };
    let query = Entity::update_many().set(set).filter(Column::Uid.eq(uid)).filter(Column::Live.eq(1));
    Ok(query.exec(db).await?.rows_affected == 1)
}

/// Deletes all live secrets of a scope that ends until `purge_time`; returns how many. None of them can be brought back.
pub async fn delete_scope(
    db: &impl ConnectionTrait,
    organization: Uid,
    scope: Scope,
    purge_time: Timestamp,
    stamp: &Stamp,
) -> Result<u64, StoreError> {
    let set = ActiveModel {
        delete_time: Set(Some(stamp.time.as_micros())),
        purge_time: Set(Some(purge_time.as_micros())),
        live: Set(None),
        row_mac: Set(None),
        ..stamped(scope.uid, stamp)?
    };
    let query = Entity::update_many()
        .set(set)
        .filter(Column::OrganizationUid.eq(organization))
        .filter(Column::ScopeUid.eq(scope.uid))
        .filter(Column::Live.eq(1));
    Ok(query.exec(db).await?.rows_affected)
}

/// Brings a deleted secret back; false if there is no such deleted one. [`crate::store::UniqueIndex::SecretId`] or
/// [`crate::store::UniqueIndex::Destination`] if another one has its name or place by now.
pub async fn undelete(
    db: &impl KeyedConnection,
    organization: Uid,
    uid: Uid,
    stamp: &Stamp,
) -> Result<bool, StoreError> {
    let found = super::by_uid(db, organization, uid).await?.filter(|found| found.secret.delete_time.is_some());
    let Some(SecretWithVersion { mut secret, .. }) = found else { return Ok(false) };
    (secret.delete_time, secret.purge_time) = (None, None);
    let set = ActiveModel {
        delete_time: Set(None),
        purge_time: Set(None),
        live: Set(Some(1)),
        row_mac: Set(Some(mac_of(db, &Head::new(&secret)))),
        ..stamped(uid, stamp)?
    };
    let query = Entity::update_many()
        .set(set)
        .filter(Column::OrganizationUid.eq(organization))
        .filter(Column::Uid.eq(uid))
        .filter(Column::Live.is_null());
    Ok(query.exec(db).await?.rows_affected == 1)
}

/// Removes a secret, deleted or not, and all of its versions for good; false if it was not there.
pub async fn purge(db: &WriteTransaction, organization: Uid, uid: Uid) -> Result<bool, StoreError> {
    let query = Entity::delete_many().filter(Column::OrganizationUid.eq(organization)).filter(Column::Uid.eq(uid));
    let rows = query.exec(db).await?.rows_affected;
    db.destroyed(rows);
    Ok(rows == 1)
}

/// Removes all secrets of a scope, deleted or not, and their versions for good; returns how many.
pub async fn purge_scope(db: &WriteTransaction, organization: Uid, scope: Scope) -> Result<u64, StoreError> {
    let query =
        Entity::delete_many().filter(Column::OrganizationUid.eq(organization)).filter(Column::ScopeUid.eq(scope.uid));
    let rows = query.exec(db).await?.rows_affected;
    db.destroyed(rows);
    Ok(rows)
}

/// Removes up to `limit` deleted secrets of all organizations whose purge time has come; returns how many.
pub async fn purge_due(db: &WriteTransaction, now: Timestamp, limit: u64) -> Result<u64, StoreError> {
    let due: Select<Entity> = Entity::find()
        .select_only()
        .column(Column::Uid)
        .filter(Column::PurgeTime.lte(now.as_micros()))
        .filter(Column::Live.is_null())
        .order_by_asc(Column::PurgeTime)
        .limit(limit);
    let due: Vec<Uid> = due.into_tuple().all(db).await.map_err(reading(TABLE))?;
    if due.is_empty() {
        return Ok(0);
    }
    // Another replica may have brought one back since.
    let query = Entity::delete_many().filter(Column::Uid.is_in(due)).filter(Column::Live.is_null());
    let rows = query.exec(db).await?.rows_affected;
    db.outdated(rows);
    Ok(rows)
}

fn stamped(row: Uid, stamp: &Stamp) -> Result<ActiveModel, StoreError> {
    let revision = stamp.revision.try_into().map_err(|_| Row::new(TABLE, &row).corrupt("revision"))?;
    Ok(ActiveModel {
        revision: Set(revision),
        update_time: Set(stamp.time.as_micros()),
        updater: Set(stamp.updater.clone()),
        ..Default::default()
    })
}
