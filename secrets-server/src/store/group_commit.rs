//! Group commit: on SQLite one task owns the writing, and commits together what is waiting.
//!
//! A commit costs a sync of the disk, however much is in it. So the task opens a transaction for whoever comes first,
//! gives those who wait behind a savepoint in it, one after the other, and commits when nobody waits any more or a bound
//! is reached. While the disk syncs, the next callers queue up: the busier it gets, the more of them share a sync.
//!
//! # Invariants
//!
//! - One turn at a time: a caller has the connection from its grant until its [`Turn`] ends, and nobody else uses it.
//! - Only the task begins, undoes and commits, and nobody cancels it. A caller that vanishes, at whichever await, or
//!   panics, drops its turn: what it did is undone, and what the others did stays. A statement that it left behind has
//!   run to its end by then, since the connection takes one after the other.
//! - [`Turn::commit`] returns `Ok` only when everything is durable. When it does not become so, nobody in it is
//!   acknowledged: each caller gets the error.
//! - A turn sees what the turns before it did. That becomes durable before it or with it, or not at all, and then the
//!   turn does not either. Who answers from what a turn read without committing waits for its [`Confirmation`].
//! - Some errors (the disk is full or fails, there is no memory) make SQLite undo the whole transaction by itself, and
//!   what came afterwards would be committed statement by statement. So nothing is sent after a statement that failed
//!   ([`WriteTransaction`](super::WriteTransaction)), and the savepoint, which is missing then, tells the task that the
//!   others are undone as well.
//! - Whoever has a turn waits for nothing but the database: those who are done wait for it.
//! - Organizations take turns, and the audit of reads commits after one long change at most ([`Turns`]): nobody's changes keep
//!   the others' calls waiting until they fail.
//!
//! # What was rejected
//!
//! - *A transaction for each caller*: every one of them waits for a sync of its own. With 32 callers that was 430 to 2,900
//!   rows a second, and is 4,600 to 10,800 with shared commits. A single caller pays up to 13 % for the two hops to the task and
//!   back.
//! - *Statements or closures sent to the task*: a mutation reads, decides and seals between its statements, so that its whole
//!   use case would have to move into the task, and services could no longer be read from top to bottom. A turn lends
//!   the connection out instead.
//! - *Waiting a little for more callers before a commit*: it slows down the single caller, and gains nothing, since the
//!   next ones queue up during the sync anyway.
//! - *`synchronous=NORMAL`*: a commit would not sync, and a power cut would take back what was acknowledged, audit records
//!   of delivered values among it.
//! - *A shared transaction without savepoints*: one caller's error would undo the others' changes.

mod turns;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use sea_orm::{ConnectionTrait, DatabaseConnection, DatabaseTransaction};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::timeout;

use self::turns::{Kind, Turns};
use super::write_ahead_log::{Erasure, WriteAheadLog};
use super::{ACQUIRE_TIMEOUT, DriverError, StoreError, Writer, begin_immediate};

/// How many turns share a commit at most.
const MAX_TURNS_PER_COMMIT: u32 = 128;
/// For how long more turns are granted once the first has ended, and waits for the commit.
const GRANT_TIMEOUT: Duration = Duration::from_millis(10);

/// Where callers queue for a turn. The task ends after the last one of them.
pub(super) struct GroupCommit {
    queue: mpsc::UnboundedSender<(Writer, Waiting)>,
    commits: Arc<AtomicU64>,
}

/// A caller that waits for its turn.
type Waiting = oneshot::Sender<Result<Turn, StoreError>>;

impl GroupCommit {
    /// Starts the task. It takes the one connection of the pool `writer` while somebody writes or the log is truncated, and
    /// leaves it otherwise.
    pub(super) fn start(writer: DatabaseConnection, log: WriteAheadLog) -> Self {
        let (queue, waiting) = mpsc::unbounded_channel();
        let commits = Arc::new(AtomicU64::new(0));
        tokio::spawn(Task { writer, log, waiting, turns: Turns::new(), commits: Arc::clone(&commits) }.run());
        Self { queue, commits }
    }

    /// Waits for a turn.
    pub(super) async fn begin(&self, writer: Writer) -> Result<Turn, StoreError> {
        let (grant, granted) = oneshot::channel();
        self.queue.send((writer, grant)).map_err(|_| ended())?;
        match timeout(ACQUIRE_TIMEOUT, granted).await {
            Ok(granted) => granted.map_err(|_| ended())?,
            Err(_) => Err(unavailable("it was nobody's turn to write within five seconds")),
        }
    }

    /// How often the task has committed.
    pub(super) fn commits(&self) -> u64 {
        self.commits.load(Ordering::Relaxed)
    }
}

/// The connection, for as long as a caller writes. Dropping it undoes what the caller did.
///
/// The order of the fields matters: the connection is given back before the task learns of the end.
pub(super) struct Turn {
    connection: Arc<DatabaseTransaction>,
    end: oneshot::Sender<Erasure>,
    confirmation: Confirmation,
}

impl Turn {
    /// Where its statements go.
    pub(super) fn connection(&self) -> &DatabaseTransaction {
        &self.connection
    }

    /// What becomes of the transaction that it is part of.
    pub(super) fn confirmation(&self) -> Confirmation {
        self.confirmation.clone()
    }

    /// Keeps what was done, and returns when it is durable.
    pub(super) async fn commit(self, erasure: Erasure) -> Result<(), StoreError> {
        let Self { connection, end, confirmation } = self;
        drop(connection);
        end.send(erasure).map_err(|_| ended())?;
        confirmation.wait().await
    }

    /// The same, and tries to truncate the log before it returns: it may hold what this transaction destroyed.
    pub(super) async fn commit_and_erase(self) -> Result<(), StoreError> {
        let (report, attempted) = oneshot::channel();
        self.commit(Erasure::Reported(report)).await?;
        // The task has ended: the next start truncates it.
        let _ = attempted.await;
        Ok(())
    }
}

/// Tells whether what a transaction has seen is durable: others may have written it and still be waiting for that.
#[derive(Clone, Debug)]
pub struct Confirmation(Option<watch::Receiver<Outcome>>);

/// What became of the shared transaction; none while it is open.
type Outcome = Option<Result<(), StoreError>>;

impl Confirmation {
    /// For a transaction that only sees what is durable.
    pub(super) const fn given() -> Self {
        Self(None)
    }

    /// Returns when everything that the transaction has seen is durable. An error means that it never will be. Drop the
    /// transaction, or commit it, before: the answer waits for that.
    pub async fn wait(self) -> Result<(), StoreError> {
        let Some(mut outcome) = self.0 else { return Ok(()) };
        let known = outcome.wait_for(Option::is_some).await.map_err(|_| ended())?;
        known.clone().unwrap_or_else(|| Err(ended()))
    }
}

/// The task that owns the writing.
struct Task {
    writer: DatabaseConnection,
    log: WriteAheadLog,
    waiting: mpsc::UnboundedReceiver<(Writer, Waiting)>,
    turns: Turns<Waiting>,
    commits: Arc<AtomicU64>,
}

impl Task {
    async fn run(mut self) {
        loop {
            let first = tokio::select! {
                biased; // those who write could put it off for ever
                () = self.log.due() => {
                    self.log.truncate().await;
                    continue;
                }
                first = next(&mut self.waiting, &mut self.turns) => first,
            };
            let Some((kind, first)) = first else { return };
            match begin_immediate(&self.writer).await {
                Ok(transaction) => {
                    let (outcome, confirmation) = watch::channel(None);
                    let result = self.share(transaction, kind, first, Confirmation(Some(confirmation))).await;
                    outcome.send_replace(Some(result));
                }
                Err(error) => _ = first.send(Err(error)),
            }
        }
    }

    /// Gives turns in one transaction to `first` and to those who wait behind, and commits it. A turn of the audit is the last
    /// of its transaction: what was read is answered once it is committed.
    async fn share(
        &mut self,
        transaction: DatabaseTransaction,
        mut kind: Kind,
        first: Waiting,
        confirmation: Confirmation,
    ) -> Result<(), StoreError> {
        let connection = Arc::new(transaction);
        // The first needs no savepoint: until there is a second, the transaction is its own.
        let begin = Instant::now();
        let kept = self.turn(&connection, first, &confirmation).await;
        self.turns.took(kind, begin.elapsed());
        let (since, mut turns) = (Instant::now(), 1);
        while kept
            && kind == Kind::Change
            && turns < MAX_TURNS_PER_COMMIT
            && since.elapsed() < GRANT_TIMEOUT
            && let Some((next_kind, next)) = try_next(&mut self.waiting, &mut self.turns)
        {
            kind = next_kind;
            let begin = Instant::now();
            control(&connection, "SAVEPOINT turn").await?;
            let kept = self.turn(&connection, next, &confirmation).await;
            control(&connection, if kept { "RELEASE turn" } else { "ROLLBACK TO turn; RELEASE turn" }).await?;
            self.turns.took(kind, begin.elapsed());
            turns += 1;
        }
        let transaction = Arc::into_inner(connection).ok_or_else(|| unavailable("the connection is still in use"))?;
        if kept {
            transaction.commit().await?;
            self.commits.fetch_add(1, Ordering::Relaxed);
            self.log.committed();
        } else {
            transaction.rollback().await?;
        }
        Ok(())
    }

    /// One caller's turn, from its grant to its end. Returns whether what it did is kept.
    async fn turn(
        &mut self,
        connection: &Arc<DatabaseTransaction>,
        waiting: Waiting,
        confirmation: &Confirmation,
    ) -> bool {
        let (end, ended) = oneshot::channel();
        let turn = Turn { connection: Arc::clone(connection), end, confirmation: confirmation.clone() };
        // From a caller that has vanished it comes back, and is dropped here.
        drop(waiting.send(Ok(turn)));
        let kept = self.queue_until(ended).await;
        kept.map(|erasure| self.log.request(erasure)).is_ok()
    }

    /// Waits for the end of a turn, and meanwhile takes down who comes: those who vanish again do not pile up.
    async fn queue_until(
        &mut self,
        mut ended: oneshot::Receiver<Erasure>,
    ) -> Result<Erasure, oneshot::error::RecvError> {
        loop {
            tokio::select! {
                biased;
                ended = &mut ended => return ended,
                Some((writer, caller)) = self.waiting.recv() => self.turns.push(writer, caller, has_vanished),
            }
        }
    }
}

/// Whether a caller no longer waits.
fn has_vanished(caller: &Waiting) -> bool {
    caller.is_closed()
}

/// Waits for whoever is next; none when nobody can come any more.
async fn next(
    waiting: &mut mpsc::UnboundedReceiver<(Writer, Waiting)>,
    turns: &mut Turns<Waiting>,
) -> Option<(Kind, Waiting)> {
    loop {
        if let Some(next) = try_next(waiting, turns) {
            return Some(next);
        }
        let (writer, caller) = waiting.recv().await?;
        turns.push(writer, caller, has_vanished);
    }
}

/// Takes whoever is next of those who wait now, and have not vanished.
fn try_next(
    waiting: &mut mpsc::UnboundedReceiver<(Writer, Waiting)>,
    turns: &mut Turns<Waiting>,
) -> Option<(Kind, Waiting)> {
    while let Ok((writer, caller)) = waiting.try_recv() {
        turns.push(writer, caller, has_vanished);
    }
    std::iter::from_fn(|| turns.pop()).find(|(_, caller)| !has_vanished(caller))
}

async fn control(connection: &DatabaseTransaction, statement: &str) -> Result<(), StoreError> {
    match connection.execute_unprepared(statement).await {
        Ok(_) => Ok(()),
        Err(error) => Err(unavailable(&format!("the transaction was undone: {error}"))),
    }
}

fn ended() -> StoreError {
    unavailable("the task that writes has ended")
}

fn unavailable(message: &str) -> StoreError {
    StoreError::Unavailable(DriverError { code: None, message: message.to_owned() })
}
