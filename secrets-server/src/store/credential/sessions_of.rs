//! The sessions of an account: those that it created, and those that serve it.

use sea_orm::sea_query::{Condition, Expr, Func};
use sea_orm::{ColumnTrait, EntityTrait as _, ExprTrait as _, QueryFilter, Select};
use secrets_core::principal::PrincipalKind;
use secrets_core::{CredentialKind, PrincipalRef, Timestamp, Uid};

use super::{Column, Credential, Entity, TABLE, newest_first, page, read};
use crate::store::row::reading;
use crate::store::{KeyedConnection, StoreError};

/// Up to `limit` sessions of the organization that one of these accounts created or that serve it, ended or not, the newest first,
/// those after `after` (the creation time and uid of the last one seen).
pub async fn sessions_of(
    db: &impl KeyedConnection,
    organization: Uid,
    accounts: &[PrincipalRef],
    after: Option<(Timestamp, Uid)>,
    limit: u64,
) -> Result<Vec<Credential>, StoreError> {
    let mut theirs = Condition::any();
    for account in accounts {
        let created = Column::PrincipalUid.eq(account.uid).and(Column::PrincipalKind.eq(account.kind.as_str()));
        theirs = theirs.add(created);
        if account.kind == PrincipalKind::User {
            theirs = theirs.add(Column::ContextUserUid.eq(account.uid));
        }
    }
    let sessions =
        in_organization(organization).filter(Column::Kind.eq(CredentialKind::Session.as_str())).filter(theirs);
    let rows = page(db, newest_first(sessions, after), limit).await.map_err(reading(TABLE))?;
    rows.into_iter().map(read).collect()
}

/// As an expression, which no index has: the database would rather read all credentials of the organization in their order than
/// those of an account, which it has to sort.
fn in_organization(organization: Uid) -> Select<Entity> {
    let column = || Expr::col(Column::OrganizationUid);
    Entity::find().filter(Expr::expr(Func::coalesce([column(), column()])).eq(organization))
}
