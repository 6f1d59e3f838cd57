//! A call's slot among those that are under way, and its turn.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

use crate::admission::{Consumer, HeavyTurn, HeavyTurns, Slot};
use crate::error::{Error, Reason};

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
}

impl CallPermit {
    /// `heavy_turns` of a call that waits for one.
    pub fn new(slot: Slot, consumer: Consumer, heavy_turns: Option<HeavyTurns>) -> Self {
        Self { _slot: Arc::new(slot), consumer, heavy_turns }
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
    match turn {
        Some(turn) => turn.work(work).await,
        None => work.await,
    }
}

fn nobodys_turn() -> Error {
    let text = "too many imports, lists, explains and new watches of this caller or organization wait; send it again a little later";
    Error::new(Reason::RateLimited, text).with("limit", "turns").retry_after(RETRY_DELAY)
}
