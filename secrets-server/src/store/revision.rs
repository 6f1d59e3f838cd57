//! The counter of an organization's changes. Its row is also the organization's lock: a mutation takes it first, so
//! that mutations of one organization run one after the other, and limits, unique places and the last admin hold.

use std::collections::BTreeMap;

use sea_orm::sea_query::LockType;
use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect};
use secrets_core::{Scope, Timestamp, Uid};

use super::entity::{change, revision};
use super::row::{Row, reading};
use super::{PLATFORM, StoreError};

const TABLE: &str = "revisions";
/// Databases limit how many parameters a statement has.
const MAX_ORGANIZATIONS_PER_QUERY: usize = 500;

/// Where an organization's history stands. Histories are compared by both fields: after a restore the same number may
/// belong to another change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Revision {
    /// How many changes there were.
    pub revision: u64,
    /// The random uid of the last one.
    pub change_id: Uid,
}

/// Evidence that the transaction holds the lock of an organization (or, with [`PLATFORM`], of the platform).
#[derive(Debug)]
pub struct RevisionLock {
    organization: Uid,
    current: Revision,
}

impl RevisionLock {
    /// The organization, or [`PLATFORM`].
    pub fn organization(&self) -> Uid {
        self.organization
    }

    /// Where the history stands in this transaction.
    pub fn current(&self) -> Revision {
        self.current
    }

    /// Counts a change of `scope` and returns the new revision. A change of several scopes counts once for each.
    pub async fn bump(
        &mut self,
        db: &impl ConnectionTrait,
        scope: Scope,
        change_id: Uid,
        time: Timestamp,
    ) -> Result<u64, StoreError> {
        let next = self.current.revision.saturating_add(1);
        let stored = i64::try_from(next).map_err(|_| Row::new(TABLE, &self.organization).corrupt("revision"))?;
        revision::Entity::update_many()
            .set(revision::ActiveModel { revision: Set(stored), change_id: Set(change_id), ..Default::default() })
            .filter(revision::Column::OrganizationUid.eq(self.organization))
            .exec(db)
            .await?;
        let change = change::ActiveModel {
            organization_uid: Set(self.organization),
            revision: Set(stored),
            change_id: Set(change_id),
            scope_kind: Set(scope.kind.as_str().to_owned()),
            scope_uid: Set(scope.uid),
            create_time: Set(time.as_micros()),
        };
        change::Entity::insert(change).exec_without_returning(db).await?;
        self.current = Revision { revision: next, change_id };
        Ok(next)
    }
}

/// Starts the history of a new organization, and holds its lock.
pub async fn start(db: &impl ConnectionTrait, organization: Uid, change_id: Uid) -> Result<RevisionLock, StoreError> {
    let row =
        revision::ActiveModel { organization_uid: Set(organization), revision: Set(0), change_id: Set(change_id) };
    revision::Entity::insert(row).exec_without_returning(db).await?;
    Ok(RevisionLock { organization, current: Revision { revision: 0, change_id } })
}

/// Waits for the organization's lock and holds it until the transaction ends; `None` if there never was such an
/// organization. Whether it is still live is for the caller to look up *after* it holds the lock.
///
/// On SQLite the transaction of [`super::Store::begin`] holds the database's only write lock already.
pub async fn lock(db: &impl ConnectionTrait, organization: Uid) -> Result<Option<RevisionLock>, StoreError> {
    let row = select(organization).lock(LockType::Update).one(db).await.map_err(reading(TABLE))?;
    row.map(|row| Ok(RevisionLock { organization, current: read(row)? })).transpose()
}

/// The lock for mutations of the platform: organizations as such, platform service accounts and platform bindings.
pub async fn lock_platform(db: &impl ConnectionTrait) -> Result<RevisionLock, StoreError> {
    lock(db, PLATFORM).await?.ok_or_else(|| Row::new(TABLE, &PLATFORM).corrupt("organization_uid"))
}

/// Where the organization's history stands; `None` if there never was such an organization.
pub async fn current(db: &impl ConnectionTrait, organization: Uid) -> Result<Option<Revision>, StoreError> {
    select(organization).one(db).await.map_err(reading(TABLE))?.map(read).transpose()
}

/// Where the histories of several organizations stand, in as few queries as their number allows.
pub async fn current_of(
    db: &impl ConnectionTrait,
    organizations: &[Uid],
) -> Result<BTreeMap<Uid, Revision>, StoreError> {
    let mut found = BTreeMap::new();
    for some in organizations.chunks(MAX_ORGANIZATIONS_PER_QUERY) {
        let query = revision::Entity::find().filter(revision::Column::OrganizationUid.is_in(some.iter().copied()));
        for row in query.all(db).await.map_err(reading(TABLE))? {
            found.insert(row.organization_uid, read(row)?);
        }
    }
    Ok(found)
}

/// The uids of the scopes that changed after `known`, each once.
pub async fn scopes_since(
    db: &impl ConnectionTrait,
    organization: Uid,
    known: Revision,
) -> Result<Vec<Uid>, StoreError> {
    // Beyond what can be stored nothing follows.
    let known = i64::try_from(known.revision).unwrap_or(i64::MAX);
    let query = change::Entity::find()
        .select_only()
        .column(change::Column::ScopeUid)
        .distinct()
        .filter(change::Column::OrganizationUid.eq(organization))
        .filter(change::Column::Revision.gt(known));
    query.into_tuple().all(db).await.map_err(reading("changes"))
}

/// Whether `known` was a state of the history that stands at `current`. A number alone would not tell: after a restore
/// it may belong to another change.
pub async fn includes(
    db: &impl ConnectionTrait,
    organization: Uid,
    current: Revision,
    known: Revision,
) -> Result<bool, StoreError> {
    if known.revision >= current.revision {
        return Ok(known == current);
    }
    let Ok(stored) = i64::try_from(known.revision) else { return Ok(false) };
    let change = change::Entity::find()
        .filter(change::Column::OrganizationUid.eq(organization))
        .filter(change::Column::Revision.eq(stored))
        .one(db)
        .await
        .map_err(reading("changes"))?;
    // A history starts with revision 0, which no change made.
    Ok(change.map_or(known.revision == 0, |change| change.change_id == known.change_id))
}

fn select(organization: Uid) -> sea_orm::Select<revision::Entity> {
    revision::Entity::find().filter(revision::Column::OrganizationUid.eq(organization))
}

fn read(row: revision::Model) -> Result<Revision, StoreError> {
    let revision = Row::new(TABLE, &row.organization_uid).number("revision", row.revision)?;
    Ok(Revision { revision, change_id: row.change_id })
}
