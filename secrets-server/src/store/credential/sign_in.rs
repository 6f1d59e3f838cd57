//! A sign-in that lives by use: each use brings its end to 90 days from then, until a year after its person entered a code.

use std::time::Duration;

use sea_orm::{ColumnTrait, ExprTrait};
use secrets_core::{Timestamp, Uid};

use super::hand_over::{held, store};
use super::{Column, is_live};
use crate::store::{KeyedConnection, StoreError};

/// How long a sign-in lives after its last use.
pub const SIGN_IN_TTL: Duration = Duration::from_secs(90 * 24 * 60 * 60);
/// It is extended at most once in this time.
const INTERVAL: Duration = Duration::from_secs(24 * 60 * 60);

/// Extends those of the credentials that live by use, were used at `time`, and have not ended; returns how many.
pub async fn extend_used(
    db: &impl KeyedConnection,
    uids: impl IntoIterator<Item = Uid>,
    time: Timestamp,
) -> Result<u64, StoreError> {
    let end = time.saturating_add(SIGN_IN_TTL);
    let is_due = Column::ExpireTime.lte(end.saturating_sub(INTERVAL).as_micros());
    let lives_by_use = Column::Uid.is_in(uids).and(Column::SignInEndTime.is_not_null());
    let mut extended = 0;
    for mut row in held(db, lives_by_use.and(is_due).and(is_live(time))).await? {
        let latest = row.sign_in_end_time.map(|latest| std::cmp::min(latest, end.as_micros()));
        if latest > row.expire_time {
            row.expire_time = latest;
            store(db, row).await?;
            extended += 1;
        }
    }
    Ok(extended)
}
