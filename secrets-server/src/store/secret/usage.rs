//! How full a scope is.

use sea_orm::sea_query::{Expr, ExprTrait, Func};
use sea_orm::{ConnectionTrait, JoinType, QuerySelect, RelationTrait};
use secrets_core::{Scope, Uid};

use super::{TABLE, live};
use crate::store::StoreError;
use crate::store::entity::{secret, secret_version};
use crate::store::row::{Row, reading};

/// What the live secrets of a scope come to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// How many there are.
    pub secrets: u64,
    /// How long their current values are together, in bytes.
    pub bytes: u64,
}

/// Measures a scope. Ask under the organization's [`crate::store::revision::lock`] before something is added.
pub async fn usage(db: &impl ConnectionTrait, organization: Uid, scope: Scope) -> Result<Usage, StoreError> {
    // PostgreSQL adds bigints up to a numeric.
    let sum = Expr::col((secret_version::Entity, secret_version::Column::ValueBytes)).sum();
    let bytes = Func::coalesce([sum, Expr::val(0_i64)]);
    let query = live(organization, &[scope])
        .join(JoinType::LeftJoin, secret::Relation::CurrentVersion.def())
        .select_only()
        .expr_as(Expr::col((secret::Entity, secret::Column::Uid)).count(), "secrets")
        .expr_as(Expr::expr(bytes).cast_as("bigint"), "bytes");
    let (secrets, bytes): (i64, i64) = query.into_tuple().one(db).await.map_err(reading(TABLE))?.unwrap_or_default();
    let row = Row::new(TABLE, &scope.uid);
    Ok(Usage { secrets: row.number("uid", secrets)?, bytes: row.number("value_bytes", bytes)? })
}
