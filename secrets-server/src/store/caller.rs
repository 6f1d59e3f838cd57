//! What decides about a caller: the credential that was presented, and the bindings of those for whom it speaks.

use sea_orm::sea_query::{Condition, Expr, ExprTrait, JoinType, LockType, Query};
use sea_orm::{ColumnTrait, ConnectionTrait, DbBackend, EntityName, EntityTrait, FromQueryResult, QueryFilter};
use sea_orm::{QuerySelect, QueryTrait, Select};
use secrets_core::principal::PrincipalRef;
use secrets_core::{Binding, Uid};

use super::connection::KeyedConnection;
use super::context::{columns, joined};
use super::credential::{self, Credential};
use super::entity::{binding as binding_row, credential as credential_row};
use super::row::reading;
use super::row_mac::intact;
use super::{PLATFORM, StoreError, binding};

/// Whom to look up.
#[derive(Clone, Copy, Debug)]
pub struct CallerKey<'a> {
    pub credential: Uid,
    /// Whose bindings decide.
    pub principals: &'a [PrincipalRef],
    /// Where: the organization and the platform. None: wherever they are.
    pub organization: Option<Uid>,
}

/// The credential, ended or not, and the bindings: one query.
pub async fn read(
    db: &impl KeyedConnection,
    key: CallerKey<'_>,
) -> Result<Option<(Credential, Vec<Binding>)>, StoreError> {
    let mut query = Query::select();
    query
        .from_as(credential_row::Entity.table_ref(), "c")
        .and_where(Expr::col(("c", credential_row::Column::Uid)).eq(key.credential))
        .join_as(JoinType::LeftJoin, binding_row::Entity.table_ref(), "b", of_principals(key));
    columns::<credential_row::Column>(&mut query, "c");
    columns::<binding_row::Column>(&mut query, "b");
    let rows = db.query_all(&query).await?;
    let Some(first) = rows.first() else { return Ok(None) };
    let credential = credential_row::Model::from_query_result(first, "c_").map_err(reading("credentials"))?;
    let Some(credential) = intact(db, credential) else { return Ok(None) };
    let mut bindings = Vec::with_capacity(rows.len());
    for row in &rows {
        let found = joined::<binding_row::Model>(row, "b_", "bindings")?;
        let Some(found) = found.and_then(|row| intact(db, row)) else { continue };
        let binding = binding::read(found)?.binding;
        // By uid alone, which an index answers; that the kind is the same is checked here.
        if key.principals.contains(&binding.principal) {
            bindings.push(binding);
        }
    }
    Ok(Some((credential::read(credential)?, bindings)))
}

/// Holds both until the transaction ends: whoever ends the credential, or takes one of the bindings away, waits for it. For a
/// caller whose rights change under another lock than the one that is held. On SQLite nobody else writes meanwhile.
pub async fn hold(db: &impl ConnectionTrait, key: CallerKey<'_>) -> Result<(), StoreError> {
    if db.get_database_backend() == DbBackend::Sqlite {
        return Ok(());
    }
    let credential = credential_row::Entity::find().filter(credential_row::Column::Uid.eq(key.credential));
    lock(db, credential, credential_row::Column::Uid, "credentials").await?;
    let principals = key.principals.iter().map(|principal| principal.uid);
    let mut bindings = binding_row::Entity::find().filter(binding_row::Column::PrincipalUid.is_in(principals));
    if let Some(organization) = key.organization {
        bindings = bindings.filter(binding_row::Column::OrganizationUid.is_in([organization, PLATFORM]));
    }
    lock(db, bindings, binding_row::Column::Uid, "bindings").await
}

async fn lock<E: EntityTrait>(
    db: &impl ConnectionTrait,
    query: Select<E>,
    uid: impl ColumnTrait,
    table: &'static str,
) -> Result<(), StoreError> {
    let query = query.select_only().column(uid).lock(LockType::Share);
    db.query_all(&query.into_query()).await.map_err(reading(table))?;
    Ok(())
}

fn of_principals(key: CallerKey<'_>) -> Condition {
    let column = |column: binding_row::Column| Expr::col(("b", column));
    let principals = key.principals.iter().map(|principal| principal.uid);
    let organization = key
        .organization
        .map(|organization| column(binding_row::Column::OrganizationUid).is_in([organization, PLATFORM]));
    Condition::all().add(column(binding_row::Column::PrincipalUid).is_in(principals)).add_option(organization)
}
