//! Changes that other servers commit to the same database. The truth is in the revisions: one query for all organizations
//! that are watched here, and, for those that have moved on, one each for the scopes that changed.

use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

use super::ChangeFeed;
use crate::store::revision;
use crate::store::{Store, StoreError};

/// How often.
const POLL_INTERVAL: Duration = Duration::from_millis(500);
/// A database that takes longer does not answer.
const POLL_TIMEOUT: Duration = Duration::from_secs(3);
/// When every watch has to look for itself: it ends if the database does not answer it either, and its client finds a
/// server that knows more.
const MAX_BLINDNESS: Duration = Duration::from_secs(5);

/// Polls for as long as somebody has the feed.
pub(crate) async fn run(store: Store, changes: Weak<ChangeFeed>) {
    let mut ticks = interval(POLL_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut answered = Instant::now();
    loop {
        ticks.tick().await;
        let Some(changes) = changes.upgrade() else { return };
        let polled = timeout(POLL_TIMEOUT, once(&store, &changes)).await;
        match polled {
            Ok(Ok(())) => answered = Instant::now(),
            failed => {
                let cause = failed.map_or_else(
                    |_| "it took too long".to_owned(),
                    |result| match result {
                        Ok(()) => String::new(),
                        Err(error) => error.to_string(),
                    },
                );
                tracing::warn!(%cause, "the revisions of watched organizations can't be read");
                if answered.elapsed() >= MAX_BLINDNESS {
                    changes.notify_all();
                    answered = Instant::now();
                }
            }
        }
    }
}

async fn once(store: &Store, changes: &Arc<ChangeFeed>) -> Result<(), StoreError> {
    let watched = changes.histories();
    if watched.is_empty() {
        return Ok(());
    }
    let db = store.reader();
    let organizations: Vec<_> = watched.iter().map(|(organization, _)| *organization).collect();
    let current = revision::current_of(db, &organizations).await?;
    for (organization, notified_up_to) in watched {
        let Some(now) = current.get(&organization).copied() else { continue };
        if notified_up_to == Some(now) {
            continue;
        }
        let scopes = match notified_up_to {
            Some(notified_up_to) if revision::includes(db, organization, now, notified_up_to).await? => {
                revision::scopes_since(db, organization, notified_up_to).await?
            }
            // Nobody knows what happened before the first poll, or in a history that is not the one it was.
            _ => vec![organization],
        };
        changes.advance(organization, now, &scopes);
    }
    Ok(())
}
