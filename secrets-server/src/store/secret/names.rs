//! Which secrets there are and were under a name, and the reverse: for the audit log, which speaks of uids.

use sea_orm::{ColumnTrait, ConnectionTrait, QueryFilter, QuerySelect};
use secrets_core::{NamePolicy, Scope, SecretId, Uid};

use super::{TABLE, in_organization, within};
use crate::store::StoreError;
use crate::store::entity::secret::Column;
use crate::store::row::{Row, reading};

/// Where a secret lives, and its name there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretRef {
    pub uid: Uid,
    pub scope: Scope,
    pub secret_id: SecretId,
}

/// The secrets of this name in a scope: the live one, and deleted ones that are not purged yet.
pub async fn uids_named(
    db: &impl ConnectionTrait,
    organization: Uid,
    scope: Scope,
    secret_id: &SecretId,
) -> Result<Vec<Uid>, StoreError> {
    let query = within(organization, &[scope]).filter(Column::SecretId.eq(secret_id.as_str()));
    query.select_only().column(Column::Uid).into_tuple().all(db).await.map_err(reading(TABLE))
}

/// The names of those of these secrets that are still there, deleted ones included.
pub async fn named(
    db: &impl ConnectionTrait,
    organization: Uid,
    uids: impl IntoIterator<Item = Uid>,
) -> Result<Vec<SecretRef>, StoreError> {
    let query = in_organization(organization).filter(Column::Uid.is_in(uids)).select_only();
    let query = query.column(Column::Uid).column(Column::ScopeKind).column(Column::ScopeUid).column(Column::SecretId);
    let rows: Vec<(Uid, String, Uid, String)> = query.into_tuple().all(db).await.map_err(reading(TABLE))?;
    let read = |(uid, kind, scope_uid, secret_id): (Uid, String, Uid, String)| {
        let row = Row::new(TABLE, &uid);
        let secret_id = SecretId::parse(&secret_id, NamePolicy::Relaxed).map_err(|_| row.corrupt("secret_id"))?;
        Ok(SecretRef { uid, scope: Scope::new(row.parse("scope_kind", &kind)?, scope_uid), secret_id })
    };
    rows.into_iter().map(read).collect()
}
