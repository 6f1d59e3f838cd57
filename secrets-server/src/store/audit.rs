//! Audit events, and the sets of secrets that were delivered together.

mod caller;
mod kind;
mod list;
mod purge;
mod purpose;

use std::collections::BTreeMap;

use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect, Select};
use secrets_core::{Timestamp, Uid};

use super::entity::audit_event::{ActiveModel, Entity, Model};
use super::entity::audit_set;
use super::row::{Row, reading, time};
use super::{StoreError, WriteTransaction, organization_or_platform, unless_platform};

pub use caller::{CallerEvent, events_of_caller, last_uid_of_caller};
pub use kind::AuditKind;
use list::indexed;
pub use list::{AuditFilter, count_left_out, floor, list};
pub use purge::purge;
pub use purpose::Purpose;

const TABLE: &str = "audit_events";
const SETS: &str = "audit_sets";

/// Databases limit how many parameters a statement has; an event takes 20.
const MAX_EVENTS_PER_INSERT: usize = 500;
const MAX_SECRETS_PER_INSERT: usize = 1000;

/// One call, allowed or denied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRecord {
    pub uid: Uid,
    /// For how long it is kept depends on it.
    pub kind: AuditKind,
    pub create_time: Timestamp,
    /// The organization it was about; none for the platform.
    pub organization: Option<Uid>,
    /// The id under which logs speak of the call.
    pub request_id: String,
    /// The id that the caller gave it, if any.
    pub caller_request_id: String,
    /// What the call was for, if its caller said so.
    pub purpose: Option<Purpose>,
    /// The kind of caller.
    pub principal_kind: String,
    pub principal_uid: Option<Uid>,
    /// The caller's name at the time.
    pub principal_name: String,
    /// The credential that was shown.
    pub credential: Option<Uid>,
    /// The address it came from.
    pub peer: String,
    pub action: String,
    /// Of what, as a resource name.
    pub resource_name: String,
    pub resource_uid: Option<Uid>,
    /// What came of it.
    pub outcome: String,
    /// Why, if it was refused.
    pub reason: String,
    /// The revision that a change made.
    pub revision: Option<u64>,
    /// The digest of the set that was delivered.
    pub set_digest: Option<Vec<u8>>,
    /// Further details, as JSON.
    pub detail: String,
}

impl AuditRecord {
    /// Of something that no call did, kept as a change is; what is not given is empty.
    pub fn without_call(uid: Uid, create_time: Timestamp, action: &str, outcome: &str) -> Self {
        Self {
            uid,
            kind: AuditKind::Change,
            create_time,
            organization: None,
            request_id: String::new(),
            caller_request_id: String::new(),
            purpose: None,
            principal_kind: String::new(),
            principal_uid: None,
            principal_name: String::new(),
            credential: None,
            peer: String::new(),
            action: action.to_owned(),
            resource_name: String::new(),
            resource_uid: None,
            outcome: outcome.to_owned(),
            reason: String::new(),
            revision: None,
            set_digest: None,
            detail: String::new(),
        }
    }
}

/// The secrets behind a digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditSet {
    pub digest: Vec<u8>,
    pub organization: Uid,
    /// The secrets that were delivered, and in which version.
    pub secrets: Vec<(Uid, u32)>,
}

/// Adds events.
pub async fn insert_many(db: &impl ConnectionTrait, rows: &[AuditRecord]) -> Result<(), StoreError> {
    for rows in rows.chunks(MAX_EVENTS_PER_INSERT) {
        let models = rows.iter().map(write).collect::<Result<Vec<_>, _>>()?;
        Entity::insert_many(models).exec_without_returning(db).await?;
    }
    Ok(())
}

/// Adds an event and removes it again: whether one could be added.
pub async fn rehearse(db: &WriteTransaction, row: &AuditRecord) -> Result<(), StoreError> {
    insert_many(db, std::slice::from_ref(row)).await?;
    Entity::delete_by_id(row.uid).exec(db).await?;
    Ok(())
}

/// Adds the sets whose digest is not known yet.
pub async fn insert_sets(db: &impl ConnectionTrait, sets: &[AuditSet]) -> Result<(), StoreError> {
    let mut models = Vec::new();
    for set in sets {
        models.extend(set.secrets.iter().map(|(secret, version)| audit_set::ActiveModel {
            digest: Set(set.digest.clone()),
            secret_uid: Set(*secret),
            organization_uid: Set(set.organization),
            version: Set((*version).into()),
        }));
    }
    for models in models.chunks(MAX_SECRETS_PER_INSERT) {
        let known = OnConflict::columns([
            audit_set::Column::OrganizationUid,
            audit_set::Column::Digest,
            audit_set::Column::SecretUid,
        ]);
        audit_set::Entity::insert_many(models.to_vec())
            .on_conflict(known.clone().do_nothing().to_owned())
            .exec_without_returning(db)
            .await?;
    }
    Ok(())
}

/// The sets behind digests of the organization, each ordered by the secrets' uids, or of each only what is in `only`. A
/// digest that is not known has no set.
pub async fn sets(
    db: &impl ConnectionTrait,
    organization: Uid,
    digests: &[Vec<u8>],
    only: Option<&[Uid]>,
) -> Result<BTreeMap<Vec<u8>, Vec<(Uid, u32)>>, StoreError> {
    let mut query = behind(organization, digests);
    if let Some(only) = only {
        query = query.filter(audit_set::Column::SecretUid.is_in(only.iter().copied()));
    }
    let mut sets: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for row in query.all(db).await.map_err(reading(SETS))? {
        let version = Row::new(SETS, &row.secret_uid).number("version", row.version)?;
        sets.entry(row.digest).or_default().push((row.secret_uid, version));
    }
    // Asked for this order, SQLite would read all sets of the organization.
    sets.values_mut().for_each(|set| set.sort_unstable());
    Ok(sets)
}

/// How many secrets there are behind each of these digests of the organization.
pub async fn set_sizes(
    db: &impl ConnectionTrait,
    organization: Uid,
    digests: &[Vec<u8>],
) -> Result<BTreeMap<Vec<u8>, u64>, StoreError> {
    let query = behind(organization, digests)
        .select_only()
        .column(audit_set::Column::Digest)
        .column_as(audit_set::Column::SecretUid.count(), "size")
        .group_by(audit_set::Column::Digest);
    let sizes: Vec<(Vec<u8>, i64)> = query.into_tuple().all(db).await.map_err(reading(SETS))?;
    sizes.into_iter().map(|(digest, size)| Ok((digest, Row::new(SETS, &"count").number("size", size)?))).collect()
}

fn behind(organization: Uid, digests: &[Vec<u8>]) -> Select<audit_set::Entity> {
    audit_set::Entity::find()
        .filter(audit_set::Column::OrganizationUid.eq(organization))
        .filter(audit_set::Column::Digest.is_in(digests.iter().cloned()))
}

async fn all(db: &impl ConnectionTrait, query: Select<Entity>) -> Result<Vec<AuditRecord>, StoreError> {
    query.all(db).await.map_err(reading(TABLE))?.into_iter().map(read).collect()
}

fn write(row: &AuditRecord) -> Result<ActiveModel, StoreError> {
    let revision = row.revision.map(i64::try_from).transpose();
    Ok(ActiveModel {
        uid: Set(row.uid),
        create_time: Set(row.create_time.as_micros()),
        organization_uid: Set(organization_or_platform(row.organization)),
        request_id: Set(row.request_id.clone()),
        caller_request_id: Set(row.caller_request_id.clone()),
        principal_kind: Set(row.principal_kind.clone()),
        principal_uid: Set(row.principal_uid),
        principal_name: Set(row.principal_name.clone()),
        credential_uid: Set(row.credential),
        peer: Set(row.peer.clone()),
        action: Set(row.action.clone()),
        resource_name: Set(row.resource_name.clone()),
        resource_uid: Set(row.resource_uid),
        outcome: Set(row.outcome.clone()),
        reason: Set(row.reason.clone()),
        revision: Set(revision.map_err(|_| Row::new(TABLE, &row.uid).corrupt("revision"))?),
        set_digest: Set(row.set_digest.clone()),
        detail: Set(row.detail.clone()),
        kind: Set(row.kind.number()),
        purpose: Set(row.purpose.map_or(0, Purpose::number)),
    })
}

fn read(model: Model) -> Result<AuditRecord, StoreError> {
    let row = Row::new(TABLE, &model.uid);
    Ok(AuditRecord {
        revision: model.revision.map(|revision| row.number("revision", revision)).transpose()?,
        kind: AuditKind::stored(model.kind, model.set_digest.is_some()),
        purpose: Purpose::from_number(model.purpose),
        uid: model.uid,
        create_time: time(model.create_time),
        organization: unless_platform(model.organization_uid),
        request_id: model.request_id,
        caller_request_id: model.caller_request_id,
        principal_kind: model.principal_kind,
        principal_uid: model.principal_uid,
        principal_name: model.principal_name,
        credential: model.credential_uid,
        peer: model.peer,
        action: model.action,
        resource_name: model.resource_name,
        resource_uid: model.resource_uid,
        outcome: model.outcome,
        reason: model.reason,
        set_digest: model.set_digest,
        detail: model.detail,
    })
}
