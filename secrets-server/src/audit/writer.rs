//! One task that commits waiting events together. Each caller waits until its event is durable, or learns that it is not.

use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use super::event::Event;
use crate::error::{Error, Reason};
use crate::store::{self, DriverError, Store, StoreError, Writer, audit};

/// How many events one commit takes at most.
const MAX_BATCH_EVENTS: usize = 256;
/// How many callers wait in a queue at most; more have to retry.
const MAX_WAITING_EVENTS: usize = 4096;
/// A sink that takes longer is as good as none; the caller gets an error within two seconds.
const RECORD_TIMEOUT: Duration = Duration::from_millis(1_500);
/// When a batch is given up and the next one tried: longer than a caller waits, since a slow commit is still one.
const COMMIT_TIMEOUT: Duration = Duration::from_secs(5);

struct Waiting {
    event: Event,
    done: oneshot::Sender<Result<(), StoreError>>,
}

/// Hands events to their tasks: one for what was allowed or failed, one for denials, so that a flood of denials does not
/// delay an allowed call by more than a place in the database's own queue.
#[derive(Clone)]
pub struct AuditWriter {
    calls: mpsc::Sender<Waiting>,
    denials: mpsc::Sender<Waiting>,
}

impl AuditWriter {
    /// Starts the tasks; they end when the last writer is dropped.
    pub fn start(store: &Store) -> Self {
        Self {
            calls: start_queue(store.clone(), MAX_WAITING_EVENTS),
            denials: start_queue(store.clone(), MAX_WAITING_EVENTS / 8),
        }
    }

    /// Whether the tasks are there to write.
    pub fn is_running(&self) -> bool {
        !self.calls.is_closed() && !self.denials.is_closed()
    }

    /// Returns when the event is durable. An error means that nothing may be answered.
    pub async fn record(&self, event: Event) -> Result<(), Error> {
        let queue = if event.is_denial() { &self.denials } else { &self.calls };
        let (done, written) = oneshot::channel();
        let written = async {
            queue.send(Waiting { event, done }).await.ok()?;
            written.await.ok()
        };
        match timeout(RECORD_TIMEOUT, written).await {
            Ok(Some(Ok(()))) => Ok(()),
            Ok(Some(Err(error))) => Err(unavailable(&error)),
            Ok(None) => Err(unavailable(&"the audit task has ended")),
            Err(_) => Err(unavailable(&"it took too long")),
        }
    }
}

fn unavailable(cause: &dyn std::fmt::Display) -> Error {
    Error::new(Reason::AuditUnavailable, "the audit record can't be written, so nothing is answered; retry later")
        .because(cause)
}

fn start_queue(store: Store, length: usize) -> mpsc::Sender<Waiting> {
    let (sender, mut receiver) = mpsc::channel::<Waiting>(length);
    tokio::spawn(async move {
        let mut batch = Vec::with_capacity(MAX_BATCH_EVENTS);
        while receiver.recv_many(&mut batch, MAX_BATCH_EVENTS).await > 0 {
            let (events, done): (Vec<_>, Vec<_>) = batch.drain(..).map(|waiting| (waiting.event, waiting.done)).unzip();
            // A connection that fell silent must not hold up every later call.
            let written = timeout(COMMIT_TIMEOUT, write(&store, events)).await.unwrap_or_else(|_| Err(given_up()));
            for caller in done {
                // A caller that hung up has no use for the answer; its event stands.
                let _ = caller.send(written.clone());
            }
        }
    });
    sender
}

fn given_up() -> StoreError {
    StoreError::Unavailable(DriverError { code: None, message: "the commit took too long".to_owned() })
}

async fn write(store: &Store, events: Vec<Event>) -> Result<(), StoreError> {
    let transaction = store.begin_for(Writer::Audit).await?;
    let sets: Vec<_> = events.iter().filter_map(Event::set).collect();
    audit::insert_sets(&transaction, &sets).await?;
    let rows: Vec<_> = events.into_iter().map(|event| event.into_row(None)).collect();
    audit::insert_many(&transaction, &rows).await?;
    store::commit(transaction).await
}
