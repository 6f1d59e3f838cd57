//! Many secrets in a few statements: an import has hundreds.

use sea_orm::EntityTrait as _;
use sea_orm::sea_query::{Expr, ExprTrait as _, IntoIden as _, Query, TableRef, Value, ValueTuple};

use super::head::Head;
use super::{SecretWithVersion, Stamp, TABLE, row, visibility};
use crate::store::entity::secret::{Column, Entity};
use crate::store::row::Row;
use crate::store::row_mac::mac_of;
use crate::store::{KeyedConnection, StoreError, version};

/// Databases limit how many parameters a statement has; a secret takes 24, a version 16. And a longer statement keeps the others that
/// share a processor with the database waiting.
const MAX_PER_STATEMENT: usize = 100;

/// Adds live secrets with their first versions, as [`super::insert`] does.
pub async fn insert_many(db: &impl KeyedConnection, all: &[SecretWithVersion]) -> Result<(), StoreError> {
    for some in all.chunks(MAX_PER_STATEMENT) {
        let rows = some.iter().map(|each| row(db, &each.secret, &each.version)).collect::<Result<Vec<_>, _>>()?;
        Entity::insert_many(rows).exec_without_returning(db).await?;
        visibility::insert(db, some.iter().map(|each| &each.secret)).await?;
        version::insert_many(db, some.iter().map(|each| (each.secret.organization, &each.version))).await?;
    }
    Ok(())
}

/// Adds versions, which serve from now on and have the targets of those before: all that changes of their live secrets is which
/// version serves, and who changed them when. Their scope is one and the same. Returns how many of the secrets there are.
pub async fn overwrite_many(
    db: &impl KeyedConnection,
    all: &[SecretWithVersion],
    stamp: &Stamp,
) -> Result<u64, StoreError> {
    let mut stored = 0;
    let Some(scope) = all.first().map(|first| first.secret.scope) else { return Ok(stored) };
    for some in all.chunks(MAX_PER_STATEMENT) {
        let serving: Vec<_> = some
            .iter()
            .map(|each| {
                let mac: Value = mac_of(db, &Head::new(&each.secret)).into();
                ValueTuple::Three(each.secret.uid.into(), i64::from(each.version.version).into(), mac)
            })
            .collect();
        let given = |column: &'static str| Expr::col(("serving", column));
        let query = Query::update()
            .table(Entity)
            .values([
                (Column::CurrentVersion, given("column2")),
                (Column::RowMac, given("column3")),
                (Column::Revision, stamp_revision(stamp)?.into()),
                (Column::UpdateTime, stamp.time.as_micros().into()),
                (Column::Updater, stamp.updater.as_str().into()),
            ])
            .from(TableRef::ValuesList(serving, "serving".into_iden()))
            .and_where(Expr::col((Entity, Column::Uid)).equals(("serving", "column1")))
            // The scope's index: by the key alone a planner without statistics reads what lives anywhere.
            .and_where(Expr::col((Entity, Column::ScopeUid)).eq(scope.uid))
            .and_where(Expr::col((Entity, Column::Live)).eq(1))
            .to_owned();
        stored += db.execute(&query).await?.rows_affected();
        version::insert_many(db, some.iter().map(|each| (each.secret.organization, &each.version))).await?;
    }
    Ok(stored)
}

fn stamp_revision(stamp: &Stamp) -> Result<i64, StoreError> {
    stamp.revision.try_into().map_err(|_| Row::new(TABLE, &stamp.revision).corrupt("revision"))
}
