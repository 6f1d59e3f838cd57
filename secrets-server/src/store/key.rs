//! The rows of the key hierarchy: root seeds as their provider wrapped them, and what is sealed under them. The store
//! opens none of it.

use std::str::FromStr;

use sea_orm::sea_query::LockType;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
    Select,
};
use secrets_core::{Timestamp, Uid};

use super::entity::{data_key, root_key, secret_version, system_key};
use super::row::{Row, reading, time};
use super::{StoreError, WriteTransaction};

/// A root seed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RootKeyRecord {
    /// Counts from 1.
    pub version: u32,
    /// The provider that wrapped it.
    pub provider: String,
    /// The seed as the provider wrapped it.
    pub wrapped_seed: Vec<u8>,
    pub create_time: Timestamp,
}

/// What a data key may be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DataKeyState {
    /// Seals and opens.
    Active,
    /// Opens what was sealed under it.
    DecryptOnly,
    /// Is gone: `sealed` is empty.
    Destroyed,
}

impl DataKeyState {
    /// As the database has it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::DecryptOnly => "DECRYPT_ONLY",
            Self::Destroyed => "DESTROYED",
        }
    }
}

impl FromStr for DataKeyState {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        [Self::Active, Self::DecryptOnly, Self::Destroyed].into_iter().find(|state| state.as_str() == text).ok_or(())
    }
}

/// A data key of an organization.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataKeyRecord {
    pub organization: Uid,
    /// Counts from 1 in each organization.
    pub version: u32,
    pub state: DataKeyState,
    /// The key as it is sealed under the root seed.
    pub sealed: Vec<u8>,
    /// The version of that root seed.
    pub root_key_version: u32,
    pub create_time: Timestamp,
}

/// One of the service's own keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SystemKeyRecord {
    pub purpose: String,
    /// Counts from 1 for each purpose.
    pub version: u32,
    /// The key as it is sealed under the root seed.
    pub sealed: Vec<u8>,
    /// The version of that root seed.
    pub root_key_version: u32,
    /// Whether new things are made with it.
    pub active: bool,
    pub create_time: Timestamp,
}

/// Adds a root seed.
pub async fn insert_root_key(db: &impl ConnectionTrait, row: &RootKeyRecord) -> Result<(), StoreError> {
    let row = root_key::ActiveModel {
        version: Set(row.version.into()),
        provider: Set(row.provider.clone()),
        wrapped_seed: Set(row.wrapped_seed.clone()),
        create_time: Set(row.create_time.as_micros()),
    };
    root_key::Entity::insert(row).exec_without_returning(db).await?;
    Ok(())
}

/// All root seeds, the oldest first.
pub async fn root_keys(db: &impl ConnectionTrait) -> Result<Vec<RootKeyRecord>, StoreError> {
    const TABLE: &str = "root_keys";
    let rows =
        root_key::Entity::find().order_by_asc(root_key::Column::Version).all(db).await.map_err(reading(TABLE))?;
    let read = |model: root_key::Model| {
        Ok(RootKeyRecord {
            version: Row::new(TABLE, &model.version).number("version", model.version)?,
            provider: model.provider,
            wrapped_seed: model.wrapped_seed,
            create_time: time(model.create_time),
        })
    };
    rows.into_iter().map(read).collect()
}

/// Stores what the root key made of the same seed.
pub async fn rewrap_root_key(db: &impl ConnectionTrait, version: u32, wrapped_seed: Vec<u8>) -> Result<(), StoreError> {
    root_key::Entity::update_many()
        .set(root_key::ActiveModel { wrapped_seed: Set(wrapped_seed), ..Default::default() })
        .filter(root_key::Column::Version.eq(i64::from(version)))
        .exec(db)
        .await?;
    Ok(())
}

/// Adds a data key.
pub async fn insert_data_key(db: &impl ConnectionTrait, row: &DataKeyRecord) -> Result<(), StoreError> {
    let row = data_key::ActiveModel {
        organization_uid: Set(row.organization),
        version: Set(row.version.into()),
        state: Set(row.state.as_str().to_owned()),
        sealed: Set(row.sealed.clone()),
        root_key_version: Set(row.root_key_version.into()),
        create_time: Set(row.create_time.as_micros()),
    };
    data_key::Entity::insert(row).exec_without_returning(db).await?;
    Ok(())
}

/// All data keys of an organization, the oldest first, destroyed ones included.
pub async fn data_keys(db: &impl ConnectionTrait, organization: Uid) -> Result<Vec<DataKeyRecord>, StoreError> {
    let query = data_keys_of(organization).order_by_asc(data_key::Column::Version);
    query.all(db).await.map_err(reading("data_keys"))?.into_iter().map(read_data_key).collect()
}

/// The data key that seals, held until the transaction ends: it is not retired while something is sealed under it.
pub async fn active_data_key(
    db: &impl ConnectionTrait,
    organization: Uid,
) -> Result<Option<DataKeyRecord>, StoreError> {
    let query = active(organization).lock(LockType::Share);
    query.one(db).await.map_err(reading("data_keys"))?.map(read_data_key).transpose()
}

/// The same as it is now; by the time that something is stored, another one may seal.
pub async fn current_data_key(
    db: &impl ConnectionTrait,
    organization: Uid,
) -> Result<Option<DataKeyRecord>, StoreError> {
    active(organization).one(db).await.map_err(reading("data_keys"))?.map(read_data_key).transpose()
}

fn active(organization: Uid) -> Select<data_key::Entity> {
    data_keys_of(organization)
        .filter(data_key::Column::State.eq(DataKeyState::Active.as_str()))
        .order_by_desc(data_key::Column::Version)
        .limit(1)
}

/// Changes the state of a data key, and waits for whoever seals under it. [`DataKeyState::Destroyed`] also wipes what
/// is sealed. False if there is no such key or it was destroyed before.
pub async fn set_data_key_state(
    db: &WriteTransaction,
    organization: Uid,
    version: u32,
    state: DataKeyState,
) -> Result<bool, StoreError> {
    let mut set = data_key::ActiveModel { state: Set(state.as_str().to_owned()), ..Default::default() };
    if state == DataKeyState::Destroyed {
        set.sealed = Set(Vec::new());
    }
    let query = data_key::Entity::update_many()
        .set(set)
        .filter(data_key::Column::OrganizationUid.eq(organization))
        .filter(data_key::Column::Version.eq(i64::from(version)))
        .filter(data_key::Column::State.ne(DataKeyState::Destroyed.as_str()));
    let rows = query.exec(db).await?.rows_affected;
    if state == DataKeyState::Destroyed {
        db.destroyed(rows);
    }
    Ok(rows == 1)
}

/// Destroys all data keys of an organization: nothing of it in this database opens afterwards. Returns how many.
pub async fn destroy_data_keys(db: &WriteTransaction, organization: Uid) -> Result<u64, StoreError> {
    let query = data_key::Entity::update_many()
        .set(data_key::ActiveModel {
            state: Set(DataKeyState::Destroyed.as_str().to_owned()),
            sealed: Set(Vec::new()),
            ..Default::default()
        })
        .filter(data_key::Column::OrganizationUid.eq(organization))
        .filter(data_key::Column::State.ne(DataKeyState::Destroyed.as_str()));
    let rows = query.exec(db).await?.rows_affected;
    db.destroyed(rows);
    Ok(rows)
}

/// How many versions of secrets, deleted secrets included, still have a value under a data key.
pub async fn count_sealed_under(
    db: &impl ConnectionTrait,
    organization: Uid,
    data_key_version: u32,
) -> Result<u64, StoreError> {
    let query = secret_version::Entity::find()
        .filter(secret_version::Column::OrganizationUid.eq(organization))
        .filter(secret_version::Column::DataKeyVersion.eq(i64::from(data_key_version)))
        .filter(secret_version::Column::DestroyTime.is_null());
    Ok(query.count(db).await?)
}

/// Adds one of the service's own keys.
pub async fn insert_system_key(db: &impl ConnectionTrait, row: &SystemKeyRecord) -> Result<(), StoreError> {
    let row = system_key::ActiveModel {
        purpose: Set(row.purpose.clone()),
        version: Set(row.version.into()),
        sealed: Set(row.sealed.clone()),
        root_key_version: Set(row.root_key_version.into()),
        active: Set(row.active),
        create_time: Set(row.create_time.as_micros()),
    };
    system_key::Entity::insert(row).exec_without_returning(db).await?;
    Ok(())
}

/// The service's own keys for a purpose, the oldest first.
pub async fn system_keys(db: &impl ConnectionTrait, purpose: &str) -> Result<Vec<SystemKeyRecord>, StoreError> {
    let query = system_key::Entity::find()
        .filter(system_key::Column::Purpose.eq(purpose))
        .order_by_asc(system_key::Column::Version);
    query.all(db).await.map_err(reading("system_keys"))?.into_iter().map(read_system_key).collect()
}

fn data_keys_of(organization: Uid) -> Select<data_key::Entity> {
    data_key::Entity::find().filter(data_key::Column::OrganizationUid.eq(organization))
}

fn read_data_key(model: data_key::Model) -> Result<DataKeyRecord, StoreError> {
    let key = format!("{}/{}", model.organization_uid, model.version);
    let row = Row::new("data_keys", &key);
    Ok(DataKeyRecord {
        organization: model.organization_uid,
        version: row.number("version", model.version)?,
        state: row.parse("state", &model.state)?,
        sealed: model.sealed,
        root_key_version: row.number("root_key_version", model.root_key_version)?,
        create_time: time(model.create_time),
    })
}

fn read_system_key(model: system_key::Model) -> Result<SystemKeyRecord, StoreError> {
    let key = format!("{}/{}", model.purpose, model.version);
    let row = Row::new("system_keys", &key);
    Ok(SystemKeyRecord {
        version: row.number("version", model.version)?,
        root_key_version: row.number("root_key_version", model.root_key_version)?,
        sealed: model.sealed,
        active: model.active,
        create_time: time(model.create_time),
        purpose: model.purpose,
    })
}
