//! Secrets: all that is known of them, and with their current version what a resolution needs. Their versions are in
//! [`super::version`].
//!
//! A deleted secret is not live: its name and its place are free at once, and it comes back by [`undelete`] or goes for
//! good when its purge time has come.

mod batch;
mod candidates;
mod claiming;
mod forget_resource;
mod head;
mod labels;
mod lifecycle;
mod list;
mod names;
mod read;
mod status;
mod usage;
mod visibility;

use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, Order, QueryFilter, QueryOrder, QuerySelect, Select};
use secrets_core::resolution::Candidate;
use secrets_core::{
    Description, Group, Labels, OverridePolicy, Redaction, Scope, SecretId, Timestamp, Uid, Visibility,
};

pub use batch::{insert_many, overwrite_many};
pub use candidates::{candidates, candidates_in_pieces};
pub use claiming::{MAX_CLAIMING_PER_STATEMENT, Rivals, claiming, claiming_any, claiming_evenly};
pub use forget_resource::forget_resource;
pub use lifecycle::{delete, delete_scope, purge, purge_due, purge_scope, undelete};
pub use list::{SecretOrder, SecretPosition, SecretQuery, count, every, list};
pub use names::{SecretRef, named, uids_named};
pub use status::{SecretStatus, statuses};
pub use usage::{AnswerSize, Usage, usage};

use self::head::Head;
use super::entity::secret::{ActiveModel, Column, Entity, Model};
use super::entity::secret_version;
use super::row_mac::{mac_of, store_mac};
use super::version::{self, SecretVersion};
use super::{KeyedConnection, StoreError};

const TABLE: &str = "secrets";

/// How many secrets are read by one statement where there may be a whole scope of them: a longer one keeps others that share a
/// processor with the database waiting.
const PAGE: u64 = 64;

/// A secret and its current version, as they are stored.
type Row = (Model, Option<secret_version::Model>);

/// What is known of a secret beside its versions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Secret {
    pub uid: Uid,
    pub organization: Uid,
    pub scope: Scope,
    /// Its name there; never changes.
    pub secret_id: SecretId,
    /// What it is, for people.
    pub description: Description,
    /// What tools note of it.
    pub labels: Labels,
    /// The group that is never mixed between scopes.
    pub group: Option<Group>,
    /// Which contexts an organization's secret reaches.
    pub visibility: Visibility,
    /// Whether narrower scopes may override it.
    pub override_policy: OverridePolicy,
    /// Whether it is switched off.
    pub disabled: bool,
    /// Whether its value is masked in output.
    pub redaction: Redaction,
    /// The first time at which it no longer serves.
    pub expire_time: Option<Timestamp>,
    /// The version that serves.
    pub current_version: u32,
    /// The organization's revision at its last change.
    pub revision: u64,
    pub create_time: Timestamp,
    /// Who made it, as a resource name or uid.
    pub creator: String,
    pub update_time: Timestamp,
    pub updater: String,
    pub delete_time: Option<Timestamp>,
    /// When it goes for good.
    pub purge_time: Option<Timestamp>,
}

/// A secret with the version that serves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretWithVersion {
    pub secret: Secret,
    pub version: SecretVersion,
}

impl SecretWithVersion {
    /// What a resolution needs to know of it.
    pub fn candidate(&self) -> Candidate {
        Candidate {
            secret: self.secret.uid,
            scope: self.secret.scope,
            secret_id: self.secret.secret_id.clone(),
            version: self.version.version,
            target: self.version.target.clone(),
            group: self.secret.group.clone(),
            visibility: self.secret.visibility.clone(),
            override_policy: self.secret.override_policy,
            disabled: self.secret.disabled,
            expire_time: self.secret.expire_time,
        }
    }
}

/// Who changes what when, as each change of a secret notes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// The organization's revision with this change.
    pub revision: u64,
    pub time: Timestamp,
    /// Who, as a resource name or uid.
    pub updater: String,
}

/// Adds a live secret with its first version. [`super::UniqueIndex::SecretId`] if its name is taken in its scope,
/// [`super::UniqueIndex::Destination`] if its place is.
pub async fn insert(db: &impl KeyedConnection, secret: &Secret, version: &SecretVersion) -> Result<(), StoreError> {
    Entity::insert(row(db, secret, version)?).exec_without_returning(db).await?;
    visibility::insert(db, [secret].into_iter()).await?;
    version::insert_many(db, [(secret.organization, version)].into_iter()).await
}

/// The row of a live secret that is new.
fn row(db: &impl KeyedConnection, secret: &Secret, version: &SecretVersion) -> Result<ActiveModel, StoreError> {
    Ok(ActiveModel {
        uid: Set(secret.uid),
        organization_uid: Set(secret.organization),
        scope_kind: Set(secret.scope.kind.as_str().to_owned()),
        scope_uid: Set(secret.scope.uid),
        secret_id: Set(secret.secret_id.as_str().to_owned()),
        create_time: Set(secret.create_time.as_micros()),
        creator: Set(secret.creator.clone()),
        delete_time: Set(None),
        purge_time: Set(None),
        live: Set(Some(1)),
        row_mac: Set(Some(mac_of(db, &Head::new(secret)))),
        ..read::serving(secret, version, read::metadata(secret)?)
    })
}

/// Stores what can be changed of a live secret without a new version; false if there is no such live one.
pub async fn update(db: &impl KeyedConnection, secret: &Secret) -> Result<bool, StoreError> {
    store(db, secret, read::metadata(secret)?).await
}

/// Adds a version, which serves from now on, and stores what [`update`] does; false if there is no such live secret.
/// [`super::UniqueIndex::Destination`] if another secret of the scope has the new place.
pub async fn add_version(
    db: &impl KeyedConnection,
    secret: &Secret,
    version: &SecretVersion,
) -> Result<bool, StoreError> {
    let stored = store(db, secret, read::serving(secret, version, read::metadata(secret)?)).await?;
    if stored {
        version::insert_many(db, [(secret.organization, version)].into_iter()).await?;
    }
    Ok(stored)
}

/// The live secret of this name in a scope.
pub async fn current(
    db: &impl KeyedConnection,
    organization: Uid,
    scope: Scope,
    secret_id: &SecretId,
) -> Result<Option<SecretWithVersion>, StoreError> {
    one(db, live(organization, &[scope]).filter(Column::SecretId.eq(secret_id.as_str()))).await
}

/// The same with as many statements for a name that is not there as for a secret whose visibility is a selection: whoever may
/// not know that it is there can't tell.
pub async fn current_evenly(
    db: &impl KeyedConnection,
    organization: Uid,
    scope: Scope,
    secret_id: &SecretId,
) -> Result<Option<SecretWithVersion>, StoreError> {
    let found = current(db, organization, scope, secret_id).await?;
    if found.is_none() {
        visibility::load_none(db).await?;
    }
    Ok(found)
}

/// The secret of this name in a scope that was deleted last, for an undelete.
pub async fn last_deleted(
    db: &impl KeyedConnection,
    organization: Uid,
    scope: Scope,
    secret_id: &SecretId,
) -> Result<Option<SecretWithVersion>, StoreError> {
    let query = within(organization, &[scope])
        .filter(Column::SecretId.eq(secret_id.as_str()))
        .filter(Column::Live.is_null())
        .order_by_desc(Column::DeleteTime)
        .order_by_desc(Column::Uid);
    one(db, query).await
}

/// The secret of this uid, deleted or not.
pub async fn by_uid(
    db: &impl KeyedConnection,
    organization: Uid,
    uid: Uid,
) -> Result<Option<SecretWithVersion>, StoreError> {
    one(db, in_organization(organization).filter(Column::Uid.eq(uid))).await
}

async fn store(db: &impl KeyedConnection, secret: &Secret, set: ActiveModel) -> Result<bool, StoreError> {
    let row_mac = Set(Some(mac_of(db, &Head::new(secret))));
    let query = Entity::update_many()
        .set(ActiveModel { row_mac, ..set })
        .filter(Column::OrganizationUid.eq(secret.organization))
        .filter(Column::Uid.eq(secret.uid))
        .filter(Column::Live.eq(1));
    let stored = query.exec(db).await?.rows_affected == 1;
    if stored {
        visibility::replace(db, secret).await?;
    }
    Ok(stored)
}

/// Gives up to `limit` secrets behind `after` their MACs; returns the last of them, or none when there are no more.
pub(super) async fn fill_row_macs(
    db: &impl KeyedConnection,
    after: Option<Uid>,
    limit: u64,
) -> Result<Option<Uid>, StoreError> {
    let mut query = Entity::find().order_by(Column::Uid, Order::Asc).limit(limit);
    if let Some(after) = after {
        query = query.filter(Column::Uid.gt(after));
    }
    let rows = query.all(db).await.map_err(super::row::reading(TABLE))?;
    let selections = visibility::load(db, rows.iter()).await?;
    for row in &rows {
        let selection = selections.get(&row.uid).map(Vec::as_slice).unwrap_or_default();
        store_mac(db, &Head::stored(row, selection)).await?;
    }
    Ok(rows.last().map(|row| row.uid))
}

fn in_organization(organization: Uid) -> Select<Entity> {
    Entity::find().filter(Column::OrganizationUid.eq(organization))
}

fn within(organization: Uid, scopes: &[Scope]) -> Select<Entity> {
    // The uid of a scope is its own, whatever its kind.
    in_organization(organization).filter(Column::ScopeUid.is_in(scopes.iter().map(|scope| scope.uid)))
}

fn live(organization: Uid, scopes: &[Scope]) -> Select<Entity> {
    within(organization, scopes).filter(Column::Live.eq(1))
}

async fn one(db: &impl KeyedConnection, query: Select<Entity>) -> Result<Option<SecretWithVersion>, StoreError> {
    let row = query.find_also_related(secret_version::Entity).one(db).await;
    read::current(db, row.map_err(super::row::reading(TABLE))?.into_iter().collect()).await.map(|mut all| all.pop())
}

async fn all(db: &impl KeyedConnection, query: Select<Entity>) -> Result<Vec<SecretWithVersion>, StoreError> {
    read::current(db, rows(db, query).await?).await
}

async fn rows(db: &impl KeyedConnection, query: Select<Entity>) -> Result<Vec<Row>, StoreError> {
    query.find_also_related(secret_version::Entity).all(db).await.map_err(super::row::reading(TABLE))
}
