//! Which events there are: by what an index answers, and by what is looked for among these.

use std::cmp::Reverse;

use sea_orm::sea_query::{Condition, Expr, Func, Query, SelectStatement};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect, Select};
use secrets_core::{Timestamp, Uid};

use super::{AuditRecord, Purpose, TABLE, all};
use crate::store::entity::audit_event::{Column, Entity};
use crate::store::entity::audit_set;
use crate::store::row::{Row, reading, time};
use crate::store::{StoreError, organization_or_platform};

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

/// Details that have this text, byte for byte, on both databases. Only what delivered something has a source, and details without
/// one may be large: they are not looked into.
fn is_detailed(text: &str) -> Condition {
    let without = Func::cust("replace").arg(Expr::col(Column::Detail)).arg(text).arg("");
    Condition::all().add(Column::SetDigest.is_not_null()).add(Expr::from(without).ne(Expr::col(Column::Detail)))
}

/// What the indexes on the events answer.
pub(super) fn indexed(filter: &AuditFilter, after: Option<(Timestamp, Uid)>) -> Condition {
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
