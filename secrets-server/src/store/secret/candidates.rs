//! All that a context may deliver.

use sea_orm::{ColumnTrait, QueryFilter, QueryOrder, QuerySelect, Select};
use secrets_core::{Scope, Uid};

use super::{PAGE, SecretWithVersion, all, live, read, rows};
use crate::store::entity::secret::{Column, Entity};
use crate::store::{KeyedConnection, StoreError};

/// What most contexts have is read by one statement.
const FIRST_PAGE: u64 = 128;

/// All live secrets of the scopes with their current versions, ordered by name: one query, and one more if any of
/// them is visible to a selection only.
pub async fn candidates(
    db: &impl KeyedConnection,
    organization: Uid,
    scopes: &[Scope],
) -> Result<Vec<SecretWithVersion>, StoreError> {
    all(db, live(organization, scopes).order_by_asc(Column::SecretId).order_by_asc(Column::Uid)).await
}

/// The same, where they are many in a query for each page of them.
pub async fn candidates_in_pieces(
    db: &impl KeyedConnection,
    organization: Uid,
    scopes: &[Scope],
) -> Result<Vec<SecretWithVersion>, StoreError> {
    let (mut found, last) = page(db, live(organization, scopes), FIRST_PAGE).await?;
    if let Some((first_scope, mut after)) = last {
        let mut scopes = scopes.to_vec();
        scopes.sort_unstable_by_key(|scope| scope.uid);
        scopes.dedup_by_key(|scope| scope.uid);
        for scope in scopes.into_iter().skip_while(|scope| scope.uid < first_scope) {
            loop {
                let of_scope = live(organization, &[scope]).filter(Column::SecretId.gt(after));
                let (more, last) = page(db, of_scope, PAGE).await?;
                found.extend(more);
                match last {
                    Some((_, name)) => after = name,
                    None => break,
                }
            }
            after = String::new();
        }
    }
    found.sort_by(|a, b| (&a.secret.secret_id, a.secret.uid).cmp(&(&b.secret.secret_id, b.secret.uid)));
    Ok(found)
}

/// The first `limit` of them, in the order of the scopes' index; and where it ends, if there may be more.
async fn page(
    db: &impl KeyedConnection,
    query: Select<Entity>,
    limit: u64,
) -> Result<(Vec<SecretWithVersion>, Option<(Uid, String)>), StoreError> {
    let page = rows(db, query.order_by_asc(Column::ScopeUid).order_by_asc(Column::SecretId).limit(limit)).await?;
    let is_full = page.len() as u64 >= limit;
    let last = page.last().filter(|_| is_full).map(|(last, _)| (last.scope_uid, last.secret_id.clone()));
    Ok((read::current(db, page).await?, last))
}
