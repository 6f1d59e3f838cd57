//! A call's slot among those that are under way, and its turn.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::timeout;

use crate::admission::{Consumer, HeavyTurn, HeavyTurns, Slot};
use crate::error::{Error, Reason};
use crate::process::background;

/// How long a call waits for its turn, of the time that it has.
const MAX_WAIT: Duration = Duration::from_secs(10);
const RETRY_DELAY: Duration = Duration::from_secs(1);

/// The slot of a call, which is given back when its last clone is dropped. In the extensions of each request whose caller is
/// known.
#[derive(Clone, Debug)]
pub struct CallPermit {
    _slot: Arc<Slot>,
    consumer: Consumer,
    heavy_turns: Option<HeavyTurns>,
    /// Tells that its turn has come.
    turn_begun: Arc<Notify>,
}

impl CallPermit {
    /// `heavy_turns` of a call that waits for one.
    pub fn new(slot: Slot, consumer: Consumer, heavy_turns: Option<HeavyTurns>) -> Self {
        Self { _slot: Arc::new(slot), consumer, heavy_turns, turn_begun: Arc::default() }
    }

    /// Waits for the turn of a heavy call; none for any other.
    async fn turn(&self) -> Result<Option<HeavyTurn>, Error> {
        let Some(turns) = &self.heavy_turns else { return Ok(None) };
        match timeout(MAX_WAIT, turns.next(&self.consumer)).await {
            Ok(turn) => Ok(Some(turn)),
            Err(_) => Err(nobodys_turn()),
        }
    }
}

/// Does the work of a call in its turn. A request may have no permit, as in tests without layers.
pub async fn in_turn<T>(permit: Option<&CallPermit>, work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    let turn = match permit {
        Some(permit) => permit.turn().await?,
        None => None,
    };
    match (turn, permit) {
        (Some(turn), Some(permit)) => {
            permit.turn_begun.notify_one();
            tokio::task::yield_now().await;
            turn.work(work).await
        }
        _ => work.await,
    }
}

/// Runs a call, which waits for its turn within: when that has come, it goes on on a thread of low priority.
pub async fn run_call<T: Send + 'static>(
    permit: Option<CallPermit>,
    work: impl Future<Output = Result<T, Error>> + Send + 'static,
) -> Result<T, Error> {
    let Some(permit) = permit.filter(|permit| permit.heavy_turns.is_some()) else { return work.await };
    let mut work = Box::pin(work);
    tokio::select! {
        biased;
        () = permit.turn_begun.notified() => {}
        result = work.as_mut() => return result,
    }
    background::run(work).await.unwrap_or_else(|| Err(Error::internal("a call on a thread of low priority panicked")))
}

fn nobodys_turn() -> Error {
    let text = "too many changes, imports, lists, explains and new watches of this caller or organization wait; send it again a little later";
    Error::new(Reason::RateLimited, text).with("limit", "turns").retry_after(RETRY_DELAY)
}
