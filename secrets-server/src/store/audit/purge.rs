//! Removing events whose time has come, with the sets that nothing names any more.

use std::collections::BTreeMap;

use sea_orm::sea_query::{Expr, ExprTrait as _, Query};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, DbBackend, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use secrets_core::{Timestamp, Uid};

use super::TABLE;
use super::kind::AuditKind;
use crate::store::entity::audit_event::{Column, Entity};
use crate::store::entity::audit_set;
use crate::store::row::reading;
use crate::store::{StoreError, WriteTransaction};

/// Removes up to `limit` events of this kind from before `before`, of all organizations, the oldest first; returns how many
/// rows went, sets included.
///
/// Of two kinds with one number the index finds both, and those that are kept for longer are stepped over: changes that delivered
/// something, of which there are few beside deliveries.
pub async fn purge(db: &WriteTransaction, kind: AuditKind, before: Timestamp, limit: u64) -> Result<u64, StoreError> {
    let told_by_its_set = kind.names_a_set().map(|names_a_set| match names_a_set {
        true => Column::SetDigest.is_not_null(),
        false => Column::SetDigest.is_null(),
    });
    let query = Entity::find()
        .select_only()
        .columns([Column::Uid, Column::OrganizationUid, Column::SetDigest])
        .filter(Column::Kind.eq(kind.number()))
        .filter(Condition::all().add_option(told_by_its_set))
        .filter(Column::CreateTime.lt(before.as_micros()))
        .order_by_asc(Column::CreateTime)
        .limit(limit);
    let due: Vec<(Uid, Uid, Option<Vec<u8>>)> = query.into_tuple().all(db).await.map_err(reading(TABLE))?;
    if due.is_empty() {
        return Ok(0);
    }
    let mut sets: BTreeMap<Uid, Vec<Vec<u8>>> = BTreeMap::new();
    for (_, organization, digest) in &due {
        sets.entry(*organization).or_default().extend(digest.clone());
    }
    sets.retain(|_, digests| !digests.is_empty());
    if !sets.is_empty() {
        lock_sets(db).await?;
    }
    let query = Entity::delete_many().filter(Column::Uid.is_in(due.iter().map(|(uid, ..)| *uid)));
    let mut rows = query.exec(db).await?.rows_affected;
    for (organization, digests) in sets {
        rows += forget_sets(db, organization, digests).await?;
    }
    Ok(rows)
}

/// Whoever adds an event first adds its set, unless that is there already: nobody is between the two while this is held.
async fn lock_sets(db: &WriteTransaction) -> Result<(), StoreError> {
    if db.get_database_backend() == DbBackend::Postgres {
        db.execute_unprepared("LOCK TABLE audit_sets IN SHARE ROW EXCLUSIVE MODE").await?;
    }
    Ok(())
}

/// Removes those of these sets that no event names.
async fn forget_sets(db: &WriteTransaction, organization: Uid, digests: Vec<Vec<u8>>) -> Result<u64, StoreError> {
    let naming = Query::select()
        .expr(Expr::val(1))
        .from(Entity)
        .and_where(Expr::col((Entity, Column::SetDigest)).equals((audit_set::Entity, audit_set::Column::Digest)))
        .and_where(Column::OrganizationUid.eq(organization))
        .to_owned();
    let query = audit_set::Entity::delete_many()
        .filter(audit_set::Column::OrganizationUid.eq(organization))
        .filter(audit_set::Column::Digest.is_in(digests))
        .filter(Expr::exists(naming).not());
    Ok(query.exec(db).await?.rows_affected)
}
