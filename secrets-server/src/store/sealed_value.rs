//! Every sealed value there is, for the check of a whole database: beside the purges the one reading that fixes no
//! organization.

use std::collections::BTreeMap;

use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect};
use secrets_core::{NamePolicy, Scope, SecretId, Uid};

use super::StoreError;
use super::entity::{secret, secret_version};
use super::row::{Row, reading};
use super::secret::SecretRef;
use super::version::{self, SecretVersion};

const SECRETS: &str = "secrets";
const VERSIONS: &str = "secret_versions";

/// A version that still has its value, and what it is sealed as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedValue {
    pub organization: Uid,
    pub secret: SecretRef,
    pub version: SecretVersion,
}

/// Where a page ended: a secret and a version's number.
pub type Position = (Uid, i64);

/// Up to `limit` of them, those of deleted secrets included, after `after`; each by itself, since a damaged row shall not
/// hide the others.
pub async fn page(
    db: &impl ConnectionTrait,
    after: Option<Position>,
    limit: u64,
) -> Result<(Vec<Result<SealedValue, StoreError>>, Option<Position>), StoreError> {
    use secret_version::{Column, Entity};
    let mut query = Entity::find().filter(Column::DestroyTime.is_null()).limit(limit);
    if let Some((secret, version)) = after {
        // The first bound is for the index.
        let same = Column::SecretUid.eq(secret).and(Column::Version.gt(version));
        query = query.filter(Column::SecretUid.gte(secret)).filter(Column::SecretUid.gt(secret).or(same));
    }
    let query = query.order_by_asc(Column::SecretUid).order_by_asc(Column::Version);
    let versions = query.all(db).await.map_err(reading(VERSIONS))?;
    let last = versions.last().map(|row| (row.secret_uid, row.version));
    let secrets = secrets_of(db, &versions).await?;
    let joined = |row: secret_version::Model| {
        let secret =
            secrets.get(&row.secret_uid).ok_or_else(|| Row::new(VERSIONS, &row.secret_uid).corrupt("secret_uid"));
        Ok(SealedValue {
            organization: row.organization_uid,
            secret: secret.and_then(read_secret)?,
            version: version::read(row)?,
        })
    };
    Ok((versions.into_iter().map(joined).collect(), last))
}

/// What a value's secret says of it: where it lives, and its name there.
type SecretRow = (Uid, String, Uid, String);

async fn secrets_of(
    db: &impl ConnectionTrait,
    versions: &[secret_version::Model],
) -> Result<BTreeMap<Uid, SecretRow>, StoreError> {
    use secret::{Column, Entity};
    let mut uids: Vec<_> = versions.iter().map(|row| row.secret_uid).collect();
    uids.dedup();
    let query = Entity::find().filter(Column::Uid.is_in(uids)).select_only();
    let query = query.column(Column::Uid).column(Column::ScopeKind).column(Column::ScopeUid).column(Column::SecretId);
    let rows: Vec<SecretRow> = query.into_tuple().all(db).await.map_err(reading(SECRETS))?;
    Ok(rows.into_iter().map(|row| (row.0, row)).collect())
}

fn read_secret((uid, kind, scope, secret_id): &SecretRow) -> Result<SecretRef, StoreError> {
    let row = Row::new(SECRETS, uid);
    let secret_id = SecretId::parse(secret_id, NamePolicy::Relaxed).map_err(|_| row.corrupt("secret_id"))?;
    Ok(SecretRef { uid: *uid, scope: Scope::new(row.parse("scope_kind", kind)?, *scope), secret_id })
}
