//! Audit events, and the sets of secrets that were delivered together.

mod caller;
mod kind;
mod purge;
mod purpose;

use std::cmp::Reverse;
use std::collections::BTreeMap;

use sea_orm::sea_query::{Condition, Expr, Func, OnConflict, Query, SelectStatement};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect,
    Select,
};
use secrets_core::{Timestamp, Uid};

use super::entity::audit_event::{ActiveModel, Column, Entity, Model};
use super::entity::audit_set;
use super::row::{Row, reading, time};
use super::{StoreError, WriteTransaction, organization_or_platform, unless_platform};

pub use caller::{CallerEvent, events_of_caller, last_uid_of_caller};
pub use kind::AuditKind;
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

/// Which events to list. The default lists all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// Only those about one of these secrets, or that delivered one.
    pub secrets: Option<Vec<Uid>>,
    /// Only those of this caller, by the name they had at the time: it outlives the account.
    pub principal: Option<String>,
    /// Only those of this action.
    pub action: Option<String>,
    /// Only those with this outcome.
    pub outcome: Option<&'static str>,
    /// Only those about the resource of this path, or about one below it.
    pub below: Option<String>,
    /// And those whose details have this text.
    pub or_detailed: Option<String>,
    /// Without those of calls that were for this.
    pub without: Option<Purpose>,
    /// Only those from then on.
    pub from: Option<Timestamp>,
    /// Only those before then.
    pub until: Option<Timestamp>,
}

impl AuditFilter {
    /// Whether it asks for what no index answers: then [`floor`] bounds how far is looked.
    pub fn is_searched(&self) -> bool {
        self.action.is_some() || self.outcome.is_some() || self.below.is_some() || self.without.is_some()
    }
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

/// Up to `limit` events of the organization, or of the platform, the newest first, those before `after` (the time and
/// uid of the last one seen). With secrets these are two queries: each has an index of its own, and a database that
/// is asked for both at once uses neither. Of a filter that [is searched](AuditFilter::is_searched), `from` is a [`floor`].
pub async fn list(
    db: &impl ConnectionTrait,
    organization: Option<Uid>,
    filter: &AuditFilter,
    after: Option<(Timestamp, Uid)>,
    limit: u64,
) -> Result<Vec<AuditRecord>, StoreError> {
    let organization = organization_or_platform(organization);
    let here = Column::OrganizationUid.eq(organization);
    let query = page(filter, after, limit);
    let Some(secrets) = &filter.secrets else { return all(db, query.filter(here)).await };
    let about = query.clone().filter(here).filter(Column::ResourceUid.is_in(secrets.iter().copied()));
    let mut rows = all(db, about).await?;
    rows.extend(all(db, query.filter(Column::SetDigest.in_subquery(delivering(organization, secrets)))).await?);
    rows.retain(|row| organization_or_platform(row.organization) == organization);
    rows.sort_by_key(|row| Reverse((row.create_time, row.uid)));
    rows.dedup_by_key(|row| row.uid);
    rows.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    Ok(rows)
}

/// The time of the `among`th event that an index finds, from `after` on: down to it, itself included, are about so many events
/// among which to look for the others that the filter asks for. None when there are fewer.
pub async fn floor(
    db: &impl ConnectionTrait,
    organization: Option<Uid>,
    filter: &AuditFilter,
    after: Option<(Timestamp, Uid)>,
    among: u64,
) -> Result<Option<Timestamp>, StoreError> {
    let organization = organization_or_platform(organization);
    let here = Column::OrganizationUid.eq(organization);
    let query = Entity::find().select_only().column(Column::CreateTime).filter(indexed(filter, after));
    let query = query.order_by_desc(Column::CreateTime).offset(among.saturating_sub(1)).limit(1);
    let queries = match &filter.secrets {
        None => vec![query.filter(here)],
        Some(secrets) => vec![
            query.clone().filter(here).filter(Column::ResourceUid.is_in(secrets.iter().copied())),
            query.filter(Column::SetDigest.in_subquery(delivering(organization, secrets))),
        ],
    };
    let mut floor = None;
    for query in queries {
        let time: Option<i64> = query.into_tuple().one(db).await.map_err(reading(TABLE))?;
        // The newest: beyond it, one of them has more than so many.
        floor = Ord::max(floor, time);
    }
    Ok(floor.map(time))
}

/// The digests of the sets that delivered one of these secrets. The organization is fixed by way of the sets: with the one of
/// the events the database would rather read all events of the time.
fn delivering(organization: Uid, secrets: &[Uid]) -> SelectStatement {
    Query::select()
        .column(audit_set::Column::Digest)
        .from(audit_set::Entity)
        .and_where(audit_set::Column::OrganizationUid.eq(organization))
        .and_where(audit_set::Column::SecretUid.is_in(secrets.iter().copied()))
        .to_owned()
}

/// How many events of the organization, or of the platform, the filter would list, down to `last` or to its end, were they not for
/// what it leaves out. Those are about no secret: none are left out of a list of a secret's.
pub async fn count_left_out(
    db: &impl ConnectionTrait,
    organization: Option<Uid>,
    filter: &AuditFilter,
    after: Option<(Timestamp, Uid)>,
    last: Option<(Timestamp, Uid)>,
) -> Result<u64, StoreError> {
    let Some(purpose) = filter.without.filter(|_| filter.secrets.is_none()) else { return Ok(0) };
    let last = last.map(|(time, uid)| {
        let same_time = Column::CreateTime.eq(time.as_micros()).and(Column::Uid.gte(uid));
        Column::CreateTime.gte(time.as_micros()).and(Column::CreateTime.gt(time.as_micros()).or(same_time))
    });
    let query = Entity::find()
        .select_only()
        .column_as(Column::Uid.count(), "count")
        .filter(Column::OrganizationUid.eq(organization_or_platform(organization)))
        .filter(indexed(filter, after))
        .filter(Condition::all().add_option(last))
        .filter(searched(filter))
        .filter(Column::Purpose.eq(purpose.number()));
    let count: Option<i64> = query.into_tuple().one(db).await.map_err(reading(TABLE))?;
    Row::new(TABLE, &"count").number("count", count.unwrap_or(0))
}

fn page(filter: &AuditFilter, after: Option<(Timestamp, Uid)>, limit: u64) -> Select<Entity> {
    let without = filter.without.map(|purpose| Column::Purpose.ne(purpose.number()));
    let query = Entity::find().filter(indexed(filter, after)).filter(searched(filter).add_option(without));
    query.order_by_desc(Column::CreateTime).order_by_desc(Column::Uid).limit(limit)
}

/// What is looked for beside what an index answers.
fn searched(filter: &AuditFilter) -> Condition {
    Condition::all()
        .add_option(filter.action.as_ref().map(|action| Column::Action.eq(action)))
        .add_option(filter.outcome.map(|outcome| Column::Outcome.eq(outcome)))
        .add_option(
            filter
                .below
                .as_ref()
                .map(|path| is_or_is_below(path).add_option(filter.or_detailed.as_ref().map(|text| is_detailed(text)))),
        )
}

/// A resource path, or one below it. Compared by its beginning, since `LIKE` takes an underscore for any letter.
fn is_or_is_below(path: &str) -> Condition {
    let below = format!("{path}/");
    let length = i32::try_from(below.chars().count()).unwrap_or(i32::MAX);
    let beginning = Func::cust("substr").arg(Expr::col(Column::ResourceName)).arg(1).arg(length);
    Condition::any().add(Column::ResourceName.eq(path)).add(Expr::from(beginning).eq(below))
}

/// Details that have this text, byte for byte, on both databases.
fn is_detailed(text: &str) -> Expr {
    let without = Func::cust("replace").arg(Expr::col(Column::Detail)).arg(text).arg("");
    Expr::from(without).ne(Expr::col(Column::Detail))
}

/// What the indexes on the events answer.
fn indexed(filter: &AuditFilter, after: Option<(Timestamp, Uid)>) -> Condition {
    // The bound on the time alone is for the index; the uid decides among events of the same time.
    let after = after.map(|(time, uid)| {
        let same_time = Column::CreateTime.eq(time.as_micros()).and(Column::Uid.lt(uid));
        Column::CreateTime.lte(time.as_micros()).and(Column::CreateTime.lt(time.as_micros()).or(same_time))
    });
    Condition::all()
        .add_option(filter.principal.as_ref().map(|principal| Column::PrincipalName.eq(principal)))
        .add_option(filter.from.map(|from| Column::CreateTime.gte(from.as_micros())))
        .add_option(filter.until.map(|until| Column::CreateTime.lt(until.as_micros())))
        .add_option(after)
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
        kind: AuditKind::from_number(model.kind).ok_or_else(|| row.corrupt("kind"))?,
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
