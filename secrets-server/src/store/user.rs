//! The people of an organization. A deleted user is not live, keeps the row until its secrets are purged, and leaves
//! the id free for somebody else.

use std::str::FromStr;

use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
    Select,
};
use secrets_core::{Timestamp, Uid, UserId};

use super::StoreError;
use super::connection::KeyedConnection;
use super::entity::user::{ActiveModel, Column, Entity, Model};
use super::row::{Row, optional_time, reading, time};
use super::row_mac::{self, intact, page, sealed};

const TABLE: &str = "users";

/// Whether a user has come yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserState {
    /// Made by an admin, no invitation redeemed yet.
    Invited,
    /// Has redeemed an invitation.
    Active,
}

impl UserState {
    /// As the database has it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Invited => "INVITED",
            Self::Active => "ACTIVE",
        }
    }
}

impl FromStr for UserState {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        [Self::Invited, Self::Active].into_iter().find(|state| state.as_str() == text).ok_or(())
    }
}

/// A user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    pub uid: Uid,
    pub organization: Uid,
    /// The name in resource names.
    pub user_id: UserId,
    /// The name for people.
    pub display_name: String,
    /// Whether the user has come yet.
    pub state: UserState,
    pub create_time: Timestamp,
    /// When the user was deleted; [`insert`] ignores it.
    pub delete_time: Option<Timestamp>,
    /// When the user's secrets are purged; [`insert`] ignores it.
    pub purge_time: Option<Timestamp>,
    /// When one of the user's recovery codes was used last.
    pub recovery_time: Option<Timestamp>,
}

/// Adds a live user.
pub async fn insert(db: &impl KeyedConnection, row: &User) -> Result<(), StoreError> {
    let row = Model {
        uid: row.uid,
        organization_uid: row.organization,
        user_id: row.user_id.as_str().to_owned(),
        display_name: row.display_name.clone(),
        state: row.state.as_str().to_owned(),
        create_time: row.create_time.as_micros(),
        delete_time: None,
        purge_time: None,
        live: Some(1),
        recovery_time: row.recovery_time.map(Timestamp::as_micros),
        row_mac: None,
    };
    Ok(row_mac::insert::<Entity>(db, row).await?)
}

/// The live user of this id.
pub async fn by_id(db: &impl KeyedConnection, organization: Uid, id: &UserId) -> Result<Option<User>, StoreError> {
    let row = live(organization).filter(Column::UserId.eq(id.as_str())).one(db).await.map_err(reading(TABLE))?;
    row.and_then(|row| intact(db, row)).map(read).transpose()
}

/// Up to `limit` of those who have or had this id, the newest first: the live user, and deleted ones until they are purged.
pub async fn uids_named(
    db: &impl ConnectionTrait,
    organization: Uid,
    id: &UserId,
    limit: u64,
) -> Result<Vec<Uid>, StoreError> {
    let query = Entity::find()
        .filter(Column::OrganizationUid.eq(organization))
        .filter(Column::UserId.eq(id.as_str()))
        .order_by_desc(Column::CreateTime)
        .limit(limit);
    query.select_only().column(Column::Uid).into_tuple().all(db).await.map_err(reading(TABLE))
}

/// The live users of these uids, in no particular order; the ones that are not there are left out.
pub async fn by_uids(
    db: &impl KeyedConnection,
    organization: Uid,
    uids: impl IntoIterator<Item = Uid>,
) -> Result<Vec<User>, StoreError> {
    all(db, live(organization).filter(Column::Uid.is_in(uids))).await
}

/// Up to `limit` live users in the order of their ids, those after `after`.
pub async fn list(
    db: &impl KeyedConnection,
    organization: Uid,
    after: Option<&UserId>,
    limit: u64,
) -> Result<Vec<User>, StoreError> {
    let mut query = live(organization).order_by_asc(Column::UserId);
    if let Some(after) = after {
        query = query.filter(Column::UserId.gt(after.as_str()));
    }
    page(db, query, limit).await.map_err(reading(TABLE))?.into_iter().map(read).collect()
}

/// How many live users the organization has.
pub async fn count(db: &impl ConnectionTrait, organization: Uid) -> Result<u64, StoreError> {
    Ok(live(organization).count(db).await?)
}

/// Changes the state of a live user; false if there is none.
pub async fn set_state(
    db: &impl KeyedConnection,
    organization: Uid,
    uid: Uid,
    state: UserState,
) -> Result<bool, StoreError> {
    let row = live(organization).filter(Column::Uid.eq(uid)).one(db).await.map_err(reading(TABLE))?;
    let Some(mut row) = row.and_then(|row| intact(db, row)) else { return Ok(false) };
    row.state = state.as_str().to_owned();
    let row_mac = Set(Some(row_mac::mac_of(db, &row)));
    update_live(db, organization, uid, ActiveModel { state: Set(row.state), row_mac, ..Default::default() }).await
}

/// Notes when one of a live user's recovery codes was used; false if there is no such user.
pub async fn set_recovery_time(
    db: &impl KeyedConnection,
    organization: Uid,
    uid: Uid,
    time: Timestamp,
) -> Result<bool, StoreError> {
    let row = live(organization).filter(Column::Uid.eq(uid)).one(db).await.map_err(reading(TABLE))?;
    let Some(mut row) = row.and_then(|row| intact(db, row)) else { return Ok(false) };
    row.recovery_time = Some(time.as_micros());
    let row_mac = Set(Some(row_mac::mac_of(db, &row)));
    let set = ActiveModel { recovery_time: Set(row.recovery_time), row_mac, ..Default::default() };
    update_live(db, organization, uid, set).await
}

/// Ends a user; false if there is no such live one. Revoking credentials and deleting bindings and secrets belong to
/// the same transaction.
pub async fn delete(
    db: &impl ConnectionTrait,
    organization: Uid,
    uid: Uid,
    delete_time: Timestamp,
    purge_time: Timestamp,
) -> Result<bool, StoreError> {
    let set = ActiveModel {
        delete_time: Set(Some(delete_time.as_micros())),
        purge_time: Set(Some(purge_time.as_micros())),
        live: Set(None),
        row_mac: Set(None),
        ..Default::default()
    };
    update_live(db, organization, uid, set).await
}

/// Removes the rows of up to `limit` deleted users of all organizations whose purge time has come; returns how many.
pub async fn purge(db: &impl ConnectionTrait, now: Timestamp, limit: u64) -> Result<u64, StoreError> {
    let due = Entity::find()
        .filter(Column::PurgeTime.lte(now.as_micros()))
        .filter(Column::Live.is_null())
        .order_by_asc(Column::PurgeTime)
        .limit(limit)
        .all(db)
        .await
        .map_err(reading(TABLE))?;
    if due.is_empty() {
        return Ok(0);
    }
    let uids = due.into_iter().map(|user| user.uid);
    Ok(Entity::delete_many().filter(Column::Uid.is_in(uids)).exec(db).await?.rows_affected)
}

fn live(organization: Uid) -> Select<Entity> {
    Entity::find().filter(Column::OrganizationUid.eq(organization)).filter(Column::Live.eq(1))
}

async fn update_live(
    db: &impl ConnectionTrait,
    organization: Uid,
    uid: Uid,
    set: ActiveModel,
) -> Result<bool, StoreError> {
    let query = Entity::update_many()
        .set(set)
        .filter(Column::OrganizationUid.eq(organization))
        .filter(Column::Uid.eq(uid))
        .filter(Column::Live.eq(1));
    Ok(query.exec(db).await?.rows_affected == 1)
}

async fn all(db: &impl KeyedConnection, query: Select<Entity>) -> Result<Vec<User>, StoreError> {
    let rows = query.all(db).await.map_err(reading(TABLE))?;
    rows.into_iter().filter_map(|row| intact(db, row)).map(read).collect()
}

sealed!(Model, TABLE, [uid, organization_uid, user_id, state, create_time, live, recovery_time]);

pub(super) fn read(model: Model) -> Result<User, StoreError> {
    let row = Row::new(TABLE, &model.uid);
    Ok(User {
        uid: model.uid,
        organization: model.organization_uid,
        user_id: row.parse("user_id", &model.user_id)?,
        state: row.parse("state", &model.state)?,
        create_time: time(model.create_time),
        delete_time: optional_time(model.delete_time),
        purge_time: optional_time(model.purge_time),
        display_name: model.display_name,
        recovery_time: optional_time(model.recovery_time),
    })
}
