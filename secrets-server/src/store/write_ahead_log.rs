//! SQLite's write-ahead log, and how what was destroyed leaves it.
//!
//! A value that is overwritten in the database stays in the log: in the pages that were written before. SQLite writes the
//! log anew from its beginning when it can, so that what is behind stays for as long as chance wills. Truncating it moves
//! everything into the database file and leaves nothing.
//!
//! That waits for readers, who still read from the log, and those who write wait meanwhile: the longer the log could not be
//! truncated, the longer. In the end statements that still read are interrupted, which bounds how long that takes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, DbErr, Statement};
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep_until};

/// Only another program (a backup, the `sqlite3` shell) can hold a lock that this waits for.
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// Between two attempts: whoever destroys something meanwhile shares the next one.
const ATTEMPT_INTERVAL: Duration = Duration::from_secs(1);
/// After the last commit, when nobody asked for it.
const IDLE_TIME: Duration = Duration::from_secs(5);
/// When statements that read are interrupted.
const INTERRUPT_TIME: Duration = Duration::from_secs(7);
/// When it is worth a warning, and between two of them.
const WARN_TIME: Duration = Duration::from_secs(10);
const WARN_INTERVAL: Duration = Duration::from_secs(60);

/// What a transaction asks of the log with its commit.
#[derive(Debug, Default)]
pub(super) enum Erasure {
    /// Nothing: it destroyed nothing.
    #[default]
    None,
    /// To be truncated.
    Soon,
    /// To be truncated, and an answer after the first attempt.
    Reported(oneshot::Sender<()>),
}

/// Interrupts statements that read for so long that the log can't be truncated.
#[derive(Clone, Debug, Default)]
pub(super) struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Whether a statement that has run for a while must end now.
    pub(super) fn is_requested(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    fn request(&self, requested: bool) {
        self.0.store(requested, Ordering::Relaxed);
    }
}

/// When the log is truncated. The task that owns the writing asks this between two transactions.
pub(super) struct WriteAheadLog {
    writer: DatabaseConnection,
    interrupt: Interrupt,
    /// Since when there is something in it that has to go.
    requested: Option<Instant>,
    /// Who waits for the next attempt.
    reports: Vec<oneshot::Sender<()>>,
    /// When the last transaction was committed, unless the log was truncated since.
    written: Option<Instant>,
    attempted: Option<Instant>,
    warned: Option<Instant>,
}

impl WriteAheadLog {
    /// The log behind `writer`, with whatever the process before left in it.
    pub(super) fn new(writer: DatabaseConnection, interrupt: Interrupt) -> Self {
        Self {
            writer,
            interrupt,
            requested: Some(Instant::now()),
            reports: Vec::new(),
            written: None,
            attempted: None,
            warned: None,
        }
    }

    /// Takes what a transaction asks for, which is about to be committed.
    pub(super) fn request(&mut self, erasure: Erasure) {
        match erasure {
            Erasure::None => return,
            Erasure::Soon => {}
            Erasure::Reported(report) => self.reports.push(report),
        }
        self.requested.get_or_insert_with(Instant::now);
    }

    /// Learns of a commit.
    pub(super) fn committed(&mut self) {
        self.written = Some(Instant::now());
    }

    /// Returns when the log is to be truncated.
    pub(super) async fn due(&self) {
        match self.next_attempt() {
            Some(time) => sleep_until(time).await,
            None => std::future::pending().await,
        }
    }

    fn next_attempt(&self) -> Option<Instant> {
        let Some(requested) = self.requested else { return self.written.map(|written| written + IDLE_TIME) };
        Some(self.attempted.map_or(requested, |attempted| requested.max(attempted + ATTEMPT_INTERVAL)))
    }

    /// Tries it once. What was asked for stays asked for until it succeeds.
    pub(super) async fn truncate(&mut self) {
        let requested = *self.requested.get_or_insert_with(Instant::now);
        let waited = requested.elapsed();
        self.interrupt.request(waited >= INTERRUPT_TIME);
        let truncated = self.checkpoint(writers_wait(waited)).await;
        self.interrupt.request(false);
        self.attempted = Some(Instant::now());
        if let Ok(true) = truncated {
            (self.requested, self.written) = (None, None);
        } else if waited >= WARN_TIME {
            self.warn(truncated.err());
        }
        for report in self.reports.drain(..) {
            // Whoever hung up needs no answer.
            let _ = report.send(());
        }
    }

    /// Moves the log into the database file; false when a reader was in the way.
    async fn checkpoint(&self, wait: Duration) -> Result<bool, DbErr> {
        self.set_busy_timeout(wait).await?;
        let statement = Statement::from_string(DbBackend::Sqlite, "PRAGMA wal_checkpoint(TRUNCATE)");
        let row = self.writer.query_one_raw(statement).await;
        self.set_busy_timeout(BUSY_TIMEOUT).await?;
        let busy: i32 = row?.map_or(Ok(1), |row| row.try_get_by_index(0))?;
        Ok(busy == 0)
    }

    async fn set_busy_timeout(&self, timeout: Duration) -> Result<(), DbErr> {
        let statement = format!("PRAGMA busy_timeout = {}", timeout.as_millis());
        self.writer.execute_unprepared(&statement).await.map(drop)
    }

    fn warn(&mut self, error: Option<DbErr>) {
        if self.warned.is_some_and(|warned| warned.elapsed() < WARN_INTERVAL) {
            return;
        }
        self.warned = Some(Instant::now());
        let cause = error.map_or_else(|| "another program reads the database".to_owned(), |error| error.to_string());
        tracing::warn!(cause, "destroyed values are still in the write-ahead log, which can't be truncated");
    }
}

/// How long those who write wait for readers.
fn writers_wait(waited: Duration) -> Duration {
    match waited.as_secs() {
        0..2 => Duration::from_millis(50),
        2..5 => Duration::from_millis(250),
        _ => Duration::from_secs(1),
    }
}
