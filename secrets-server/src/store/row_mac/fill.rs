//! MACs for the rows of a database that was filled without: once, in the transaction that makes their key.

use sea_orm::sea_query::{Expr, ExprTrait, Query};
use sea_orm::{EntityTrait, Order, QueryFilter, QueryOrder, QuerySelect};

use super::{KeyedConnection, Sealed, mac_of};
use crate::store::StoreError;
use crate::store::entity::{binding, credential, user, workspace};
use crate::store::secret;

/// Rows at once.
const PAGE_ROWS: u64 = 1_000;

/// Gives every row its MAC, but those that have ended.
pub async fn fill_row_macs(db: &impl KeyedConnection) -> Result<(), StoreError> {
    table::<credential::Entity>(db).await?;
    table::<binding::Entity>(db).await?;
    table::<user::Entity>(db).await?;
    table::<workspace::Entity>(db).await?;
    let mut after = None;
    while let Some(last) = secret::fill_row_macs(db, after, PAGE_ROWS).await? {
        after = Some(last);
    }
    Ok(())
}

async fn table<E>(db: &impl KeyedConnection) -> Result<(), StoreError>
where
    E: EntityTrait,
    E::Model: Sealed,
{
    let mut after = None;
    loop {
        let mut query = E::find().order_by(Expr::col("uid"), Order::Asc).limit(PAGE_ROWS);
        if let Some(after) = after {
            query = query.filter(Expr::col("uid").gt(after));
        }
        let rows = query.all(db).await?;
        let Some(last) = rows.last() else { return Ok(()) };
        after = Some(last.uid());
        for row in rows.iter().filter(|row| !row.has_ended()) {
            store_mac(db, row).await?;
        }
    }
}

/// Writes the MAC of a row that is there.
pub(in crate::store) async fn store_mac<R: Sealed>(db: &impl KeyedConnection, row: &R) -> Result<(), StoreError> {
    let query = Query::update()
        .table(R::TABLE)
        .value("row_mac", mac_of(db, row))
        .and_where(Expr::col("uid").eq(row.uid()))
        .to_owned();
    db.execute(&query).await?;
    Ok(())
}
