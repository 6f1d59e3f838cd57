//! What transactions learn of PostgreSQL, for the pool that their connections come from, and for whoever asks whether it works.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use sea_orm::{DbErr, RuntimeErr, SqlxError};

/// For how long after a transaction was given up while it was begun the connections that come back are looked at: its own comes
/// back at once.
const CUT_TIME: Duration = Duration::from_secs(10);

/// read_only_sql_transaction
const READ_ONLY: &str = "25006";

/// Shared by all transactions of a pool.
#[derive(Clone, Debug, Default)]
pub(in crate::store) struct Feedback {
    commits: Arc<AtomicU64>,
    refused: Arc<Mutex<Option<Instant>>>,
    /// When a transaction was given up last while it was begun.
    cut: Arc<Mutex<Option<Instant>>>,
}

impl Feedback {
    /// Counts a commit.
    pub(in crate::store) fn committed(&self) {
        self.commits.fetch_add(1, Ordering::Relaxed);
    }

    /// How many commits there were.
    pub(in crate::store) fn commits(&self) -> u64 {
        self.commits.load(Ordering::Relaxed)
    }

    /// Learns of a statement that failed. When the database is read-only, as a standby is, and as one can be set to be, some
    /// connections stay so after it has changed: those that were made by then are of no more use.
    pub(in crate::store) fn failed(&self, error: &DbErr) {
        if is_read_only(error) {
            *self.refused.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        }
    }

    /// Begins a transaction. Whoever gives up while the database answers leaves it begun: the driver (sqlx 0.9) counts it, and so
    /// would end it, only afterwards.
    pub(in crate::store) fn beginning<'a, T>(
        &'a self,
        begin: impl Future<Output = T> + Send + 'a,
    ) -> impl Future<Output = T> + Send + 'a
    where
        T: 'a,
    {
        Beginning { feedback: self, begin: Box::pin(begin), is_done: false }
    }

    /// Whether a connection that comes back may have a transaction that nobody ends.
    pub(super) fn may_have_begun(&self) -> bool {
        let cut = *self.cut.lock().unwrap_or_else(PoisonError::into_inner);
        cut.is_some_and(|cut| cut.elapsed() < CUT_TIME)
    }

    /// Whether a connection of this age may still be read-only.
    pub(super) fn may_be_read_only(&self, age: Duration) -> bool {
        let refused = *self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        refused.is_some_and(|refused| age >= refused.elapsed())
    }
}

/// A transaction that is begun. Its end is noted before the connection goes back, which comes with the future.
struct Beginning<'a, T> {
    feedback: &'a Feedback,
    begin: Pin<Box<dyn Future<Output = T> + Send + 'a>>,
    is_done: bool,
}

impl<T> Future for Beginning<'_, T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        let polled = self.begin.as_mut().poll(context);
        self.is_done = polled.is_ready();
        polled
    }
}

impl<T> Drop for Beginning<'_, T> {
    fn drop(&mut self) {
        if !self.is_done {
            *self.feedback.cut.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        }
    }
}

fn is_read_only(error: &DbErr) -> bool {
    let (DbErr::Exec(RuntimeErr::SqlxError(cause)) | DbErr::Query(RuntimeErr::SqlxError(cause))) = error else {
        return false;
    };
    match cause.as_ref() {
        SqlxError::Database(error) => error.code().as_deref() == Some(READ_ONLY),
        _ => false,
    }
}
