//! Changes that other servers commit to the same database. The truth is in the revisions: one query for all organizations
//! that are watched here, and, for those that have moved on, one each for the scopes that changed.

use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

use super::ChangeFeed;
use crate::store::revision;
use crate::store::{Store, StoreError};

/// How often.
const EVERY: Duration = Duration::from_millis(500);
/// A database that takes longer does not answer.
const PATIENCE: Duration = Duration::from_secs(3);
/// When every watch has to look for itself: it ends if the database does not answer it either, and its client finds a
/// server that knows more.
const BLIND: Duration = Duration::from_secs(5);

/// Polls for as long as somebody has the feed.
pub(crate) async fn run(store: Store, changes: Weak<ChangeFeed>) {
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut seen = Instant::now();
    loop {
        ticks.tick().await;
        let Some(changes) = changes.upgrade() else { return };
        let polled = timeout(PATIENCE, once(&store, &changes)).await;
        match polled {
            Ok(Ok(())) => seen = Instant::now(),
            failed => {
                let cause = failed.map_or_else(
                    |_| "it took too long".to_owned(),
                    |result| match result {
                        Ok(()) => String::new(),
                        Err(error) => error.to_string(),
                    },
                );
                tracing::warn!(%cause, "the revisions of watched organizations can't be read");
                if seen.elapsed() >= BLIND {
                    changes.tell_all();
                    seen = Instant::now();
                }
            }
        }
    }
}

async fn once(store: &Store, watchers: &Arc<ChangeFeed>) -> Result<(), StoreError> {
    let watched = watchers.histories();
    if watched.is_empty() {
        return Ok(());
    }
    let db = store.reader();
    let organizations: Vec<_> = watched.iter().map(|(organization, _)| *organization).collect();
    let current = revision::current_of(db, &organizations).await?;
    for (organization, told) in watched {
        let Some(now) = current.get(&organization).copied() else { continue };
        if told == Some(now) {
            continue;
        }
        let scopes = match told {
            Some(told) if revision::includes(db, organization, now, told).await? => {
                revision::scopes_since(db, organization, told).await?
            }
            // Nobody knows what happened before the first poll, or in a history that is not the one it was.
            _ => vec![organization],
        };
        watchers.seen(organization, now, &scopes);
    }
    Ok(())
}
