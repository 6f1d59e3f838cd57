//! How many live sessions somebody has created.

use sea_orm::sea_query::{Expr, SimpleExpr};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait, QueryFilter, QuerySelect};
use secrets_core::principal::PrincipalRef;
use secrets_core::{CredentialKind, Timestamp, Uid};

use super::origin::is_session;
use super::{Column, Credential, Entity, MAX_CREDENTIALS_PER_STATEMENT, TABLE, creator, is_live};
use crate::store::row::reading;
use crate::store::{KeyedConnection, StoreError};

/// How many live sessions an account created, with those that these created.
pub async fn count_live_sessions(
    db: &impl ConnectionTrait,
    account: PrincipalRef,
    now: Timestamp,
) -> Result<u64, StoreError> {
    let condition = Column::PrincipalUid.eq(account.uid).and(is_session()).and(is_live(now));
    // Not the uid, which is not in the index.
    let query = Entity::find().select_only().expr(SimpleExpr::from(Expr::cust("COUNT(*)"))).filter(condition);
    let count: Option<i64> = query.into_tuple().one(db).await.map_err(reading(TABLE))?;
    Ok(count.and_then(|count| u64::try_from(count).ok()).unwrap_or_default())
}

/// How many live sessions descend from the session of an account that `session` descends from, which counts too; more than
/// `most` are not counted.
pub async fn count_live_line(
    db: &impl KeyedConnection,
    session: &Credential,
    most: u64,
    now: Timestamp,
) -> Result<u64, StoreError> {
    let mut first = session.clone();
    // Each of the line is live, and there are at most `most`; a row that was edited must not go round for ever.
    for _ in 0..=most {
        match creator(db, &first).await?.filter(|row| row.kind == CredentialKind::Session) {
            Some(row) => first = row,
            None => break,
        }
    }
    let (mut count, mut creators) = (0, vec![first.uid]);
    while !creators.is_empty() && count <= most {
        let mut next = Vec::new();
        for creators in creators.chunks(MAX_CREDENTIALS_PER_STATEMENT) {
            let condition = Column::CreatorUid.is_in(creators.iter().copied()).and(is_session()).and(is_live(now));
            let query = Entity::find().select_only().column(Column::Uid).filter(condition).limit(most + 1);
            let created: Vec<Uid> = query.into_tuple().all(db).await.map_err(reading(TABLE))?;
            count += u64::try_from(created.len()).unwrap_or(u64::MAX);
            next.extend(created);
        }
        creators = next;
    }
    Ok(count)
}
