//! What one caller did, as far as it says what they received.

use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select};
use secrets_core::{Timestamp, Uid};

use super::{AuditFilter, TABLE, indexed};
use crate::store::StoreError;
use crate::store::entity::audit_event::{Column, Entity};
use crate::store::row::{reading, time};

/// An event of a caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallerEvent {
    pub uid: Uid,
    pub create_time: Timestamp,
    pub action: String,
    /// The digest of the set that was delivered; of most events none.
    pub set_digest: Option<Vec<u8>>,
}

/// Up to `limit` events in the organization of the caller of this name, the newest first, those before `after` (the time and uid
/// of the last one seen). Also those that delivered nothing: however many there are, a statement reads no more than so many.
pub async fn events_of_caller(
    db: &impl ConnectionTrait,
    organization: Uid,
    name: &str,
    after: Option<(Timestamp, Uid)>,
    limit: u64,
) -> Result<Vec<CallerEvent>, StoreError> {
    let query = of_caller(organization, name, after)
        .columns([Column::Uid, Column::CreateTime, Column::Action, Column::SetDigest])
        .limit(limit);
    let rows: Vec<(Uid, i64, String, Option<Vec<u8>>)> = query.into_tuple().all(db).await.map_err(reading(TABLE))?;
    let read = |(uid, create_time, action, set_digest)| CallerEvent {
        uid,
        create_time: time(create_time),
        action,
        set_digest,
    };
    Ok(rows.into_iter().map(read).collect())
}

/// Whose the newest event in the organization of a caller of this name is: it outlives the account. None if there is no event, and
/// within it none if the caller is nothing that has a uid.
pub async fn last_uid_of_caller(
    db: &impl ConnectionTrait,
    organization: Uid,
    name: &str,
) -> Result<Option<Option<Uid>>, StoreError> {
    let query = of_caller(organization, name, None).column(Column::PrincipalUid);
    query.into_tuple().one(db).await.map_err(reading(TABLE))
}

fn of_caller(organization: Uid, name: &str, after: Option<(Timestamp, Uid)>) -> Select<Entity> {
    let filter = AuditFilter { principal: Some(name.to_owned()), ..AuditFilter::default() };
    Entity::find()
        .select_only()
        .filter(Column::OrganizationUid.eq(organization))
        .filter(indexed(&filter, after))
        .order_by_desc(Column::CreateTime)
        .order_by_desc(Column::Uid)
}
