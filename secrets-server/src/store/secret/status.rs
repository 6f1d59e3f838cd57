//! Whether secrets are still delivered, and in which version: for the audit log, which speaks of uids.

use std::collections::BTreeMap;

use sea_orm::{ColumnTrait, ConnectionTrait, QueryFilter, QuerySelect};
use secrets_core::{Timestamp, Uid};

use super::{TABLE, in_organization};
use crate::store::StoreError;
use crate::store::entity::secret::Column;
use crate::store::row::{Row, optional_time, reading};

/// Databases limit how many parameters a statement has, and a long one keeps others waiting.
const MAX_SECRETS_PER_STATEMENT: usize = 500;

/// Its uid, its current version, whether it is disabled, when it expires and when it was deleted.
type StatusRow = (Uid, i64, bool, Option<i64>, Option<i64>);

/// What decides whether a secret is delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SecretStatus {
    /// The version that serves.
    pub current_version: u32,
    pub is_disabled: bool,
    /// The first time at which it no longer serves.
    pub expire_time: Option<Timestamp>,
    pub is_deleted: bool,
}

impl SecretStatus {
    /// Whether nobody is given its value, although it is there.
    pub fn is_inactive(&self, now: Timestamp) -> bool {
        self.is_disabled || self.expire_time.is_some_and(|end| end <= now)
    }
}

/// Those of these secrets that are still there, deleted ones included.
pub async fn statuses(
    db: &impl ConnectionTrait,
    organization: Uid,
    secrets: &[Uid],
) -> Result<BTreeMap<Uid, SecretStatus>, StoreError> {
    let mut statuses = BTreeMap::new();
    for some in secrets.chunks(MAX_SECRETS_PER_STATEMENT) {
        let query = in_organization(organization).filter(Column::Uid.is_in(some.iter().copied())).select_only();
        let query = query.columns([
            Column::Uid,
            Column::CurrentVersion,
            Column::Disabled,
            Column::ExpireTime,
            Column::DeleteTime,
        ]);
        let rows: Vec<StatusRow> = query.into_tuple().all(db).await.map_err(reading(TABLE))?;
        for (uid, current_version, is_disabled, expire_time, delete_time) in rows {
            let status = SecretStatus {
                current_version: Row::new(TABLE, &uid).number("current_version", current_version)?,
                is_disabled,
                expire_time: optional_time(expire_time),
                is_deleted: delete_time.is_some(),
            };
            statuses.insert(uid, status);
        }
    }
    Ok(statuses)
}
