//! The sessions of an account: those that it created, and those that serve it.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use sea_orm::sea_query::{Expr, SimpleExpr};
use sea_orm::{ColumnTrait, ExprTrait as _, QueryFilter as _};
use secrets_core::principal::PrincipalKind;
use secrets_core::{PrincipalRef, Timestamp, Uid};

use super::{Column, Credential, TABLE, in_organization, newest_first, page, read};
use crate::store::row::reading;
use crate::store::{KeyedConnection, StoreError};

/// As the index on sessions alone has it: with a parameter in the place of the word, no database knows that the index will do.
const IS_SESSION: &str = "kind = 'SESSION'";

/// Up to `limit` sessions of the organization that one of these accounts created or that serve it, ended or not, the newest first,
/// those after `after` (the creation time and uid of the last one seen).
///
/// Each account takes a query for those that it created, and a user one for those that serve them: together, no index has them in
/// their order.
pub async fn sessions_of(
    db: &impl KeyedConnection,
    organization: Uid,
    accounts: &[PrincipalRef],
    after: Option<(Timestamp, Uid)>,
    limit: u64,
) -> Result<Vec<Credential>, StoreError> {
    let mut sessions = BTreeMap::new();
    for condition in accounts.iter().flat_map(conditions) {
        let query = in_organization(Some(organization)).filter(Expr::cust(IS_SESSION)).filter(condition);
        for row in page(db, newest_first(query, after), limit).await.map_err(reading(TABLE))? {
            let session = read(row)?;
            // One that serves who created it is found twice.
            sessions.insert(Reverse((session.create_time, session.uid)), session);
        }
    }
    Ok(sessions.into_values().take(usize::try_from(limit).unwrap_or(usize::MAX)).collect())
}

fn conditions(account: &PrincipalRef) -> impl Iterator<Item = SimpleExpr> {
    let created = Column::PrincipalUid.eq(account.uid).and(Column::PrincipalKind.eq(account.kind.as_str()));
    let serving = (account.kind == PrincipalKind::User).then(|| Column::ContextUserUid.eq(account.uid));
    [Some(created), serving].into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use secrets_core::CredentialKind;

    use super::*;

    #[test]
    fn the_word_for_a_session_is_the_one_that_is_stored() {
        assert_eq!(IS_SESSION, format!("kind = '{}'", CredentialKind::Session.as_str()));
    }
}
