//! What runs in the background, apart from calls.
//!
//! To add one: a file here with an `impl Jobs`, and its line in [`Jobs::start`].

pub mod flush_usage;
pub mod purge;
pub mod report_damaged_rows;
pub mod retention;

use std::sync::Arc;
use std::time::Duration;

use crate::auth::usage::UsageBuffer;
use crate::changes::{self, ChangeFeed};
use crate::clock::Clock;
use crate::crypto::Random;
use crate::retention::Retention;
use crate::store::Store;

/// The jobs, and what they work on.
pub struct Jobs {
    store: Store,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    usage: Arc<UsageBuffer>,
    retention: Retention,
}

impl Jobs {
    /// Starts all jobs. They end some time after the last reference to what is returned is dropped.
    pub fn start(
        store: Store,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
        usage: Arc<UsageBuffer>,
        changes: Arc<ChangeFeed>,
        retention: Retention,
    ) -> Arc<Self> {
        let shared = store.is_shared().then(|| store.clone());
        let jobs = Arc::new(Self { store, clock, random, usage, retention });
        jobs.every(flush_usage::INTERVAL, |jobs| async move { jobs.flush_usage().await });
        jobs.every(report_damaged_rows::INTERVAL, |jobs| async move { jobs.report_damaged_rows().await });
        jobs.every(purge::INTERVAL, |jobs| async move { jobs.purge_and_log().await });
        if let Some(store) = shared {
            tokio::spawn(changes::poll::run(store, Arc::downgrade(&changes)));
        }
        jobs
    }

    /// Runs a job again and again, `interval` after it has ended.
    fn every<F>(self: &Arc<Self>, interval: Duration, job: impl Fn(Arc<Self>) -> F + Send + 'static)
    where
        F: Future<Output = ()> + Send,
    {
        let jobs = Arc::downgrade(self);
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(interval).await;
                let Some(jobs) = jobs.upgrade() else { return };
                job(jobs).await;
            }
        });
    }
}
