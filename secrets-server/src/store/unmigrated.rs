//! What is read of a database before it is migrated, by the names that the first migrations gave: the entities may have columns that
//! this schema has not yet. Nothing is written.

use sea_orm::sea_query::{Expr, ExprTrait as _, Order, Query};
use sea_orm::{ConnectionTrait, DbErr};

use super::row::{Row, reading};
use super::{Store, StoreError, migration};

const ROOT_KEYS: &str = "root_keys";
/// A root seed is added by hand, and each weighs less than a hundred bytes.
const MAX_ROOT_SEEDS: u64 = 100;

/// What tells whether a root key belongs to the database.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyState {
    /// The root seeds as their provider wrapped them, by version.
    pub wrapped_seeds: Vec<(u32, Vec<u8>)>,
    /// There is something that was sealed under a seed: a key of the service, or a live organization with its own.
    pub has_sealed: bool,
}

impl Store {
    /// What the keys of the database depend on, whatever release has migrated it; nothing where none has.
    pub async fn key_state(&self) -> Result<KeyState, StoreError> {
        let db = &self.reader.connection;
        let applied = migration::applied(db).await?;
        let has = |migration: &str| applied.contains(migration);
        let has_keys = has("m0005_keys");
        // What is sealed first: whoever sees it sees the seeds that were there before it.
        let has_sealed = has("m0001_organizations") && has_any(db, "organizations", Expr::col("live").eq(1)).await?
            || has_keys && has_any(db, "system_keys", Expr::col("version").gt(0)).await?;
        let wrapped_seeds = if has_keys { wrapped_seeds(db).await? } else { Vec::new() };
        Ok(KeyState { wrapped_seeds, has_sealed })
    }
}

async fn has_any(db: &impl ConnectionTrait, table: &'static str, filter: Expr) -> Result<bool, StoreError> {
    let query = Query::select().expr(Expr::val(1)).from(table).and_where(filter).limit(1).to_owned();
    Ok(db.query_one(&query).await?.is_some())
}

async fn wrapped_seeds(db: &impl ConnectionTrait) -> Result<Vec<(u32, Vec<u8>)>, StoreError> {
    let query = Query::select()
        .columns(["version", "wrapped_seed"])
        .from(ROOT_KEYS)
        .order_by("version", Order::Asc)
        .limit(MAX_ROOT_SEEDS)
        .to_owned();
    let read =
        |row: sea_orm::QueryResult| Ok::<_, DbErr>((row.try_get("", "version")?, row.try_get("", "wrapped_seed")?));
    let mut seeds = Vec::new();
    for row in db.query_all(&query).await? {
        let (version, wrapped): (i64, Vec<u8>) = read(row).map_err(reading(ROOT_KEYS))?;
        seeds.push((Row::new(ROOT_KEYS, &version).number("version", version)?, wrapped));
    }
    Ok(seeds)
}
