//! The memory for requests that are not decoded yet: one budget, of which each caller may have a part.
//!
//! When it is used up, whoever has the most of it gives way to whoever has less: so no number of callers who send much, or send
//! slowly, keeps a small request waiting.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use secrets_core::Uid;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::error::{Error, Reason};

/// What one caller may have: this part of the whole.
const SHARE: usize = 4;

/// How much a second is read of one caller's requests, and how much of it at once: to copy more would take the processor from the
/// others. Only that is read more slowly which is large, or many at once.
const BYTES_PER_SECOND: f64 = 16.0 * 1024.0 * 1024.0;
const AT_ONCE: Duration = Duration::from_millis(125);

/// Whose requests are counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Holder {
    Credential(Uid),
    /// Without a credential: the address.
    Site(IpAddr),
}

/// The budget of all listeners. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct RequestBudget(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    max: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    taken: usize,
    next: u64,
    holders: HashMap<Holder, Held>,
}

#[derive(Debug, Default)]
struct Held {
    bytes: usize,
    requests: BTreeMap<u64, HeldRequest>,
    /// Until when what has been read would take at that rate.
    read_until: Option<Instant>,
}

#[derive(Debug)]
struct HeldRequest {
    bytes: usize,
    evicted: CancellationToken,
}

impl RequestBudget {
    pub(crate) fn new(max: usize) -> Self {
        Self(Arc::new(Inner { max, state: Mutex::default() }))
    }

    /// Begins to count a request, which has nothing yet.
    pub(crate) fn reservation(&self, holder: Holder) -> Reservation {
        let mut state = self.state();
        let number = state.next;
        state.next += 1;
        let evicted = CancellationToken::new();
        let request = HeldRequest { bytes: 0, evicted: evicted.clone() };
        state.holders.entry(holder).or_default().requests.insert(number, request);
        Reservation { budget: self.clone(), holder, number, evicted }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Takes the largest request of the one who has the most, unless nobody has more than `own`.
    fn evict_larger_than(&mut self, own: usize) -> bool {
        let Some(most) = self.holders.values_mut().max_by_key(|held| held.bytes).filter(|held| held.bytes > own) else {
            return false;
        };
        let Some(largest) = most.requests.values_mut().max_by_key(|request| request.bytes) else { return false };
        let freed = std::mem::take(&mut largest.bytes);
        largest.evicted.cancel();
        most.bytes -= freed;
        self.taken -= freed;
        freed > 0
    }
}

/// What one request takes of the budget; dropping it gives that back.
#[derive(Debug)]
pub(crate) struct Reservation {
    budget: RequestBudget,
    holder: Holder,
    number: u64,
    evicted: CancellationToken,
}

impl Reservation {
    /// Takes as much as makes `bytes` in all.
    pub(crate) fn grow(&self, bytes: usize) -> Result<(), Error> {
        let max = self.budget.0.max;
        let mut state = self.budget.state();
        let held = state.holders.get(&self.holder).ok_or_else(used_up)?;
        let before = held.requests.get(&self.number).map_or(0, |request| request.bytes);
        let (more, own) = (bytes.saturating_sub(before), held.bytes.saturating_sub(before).saturating_add(bytes));
        if own > max / SHARE || self.evicted.is_cancelled() {
            return Err(used_up());
        }
        while state.taken + more > max {
            if !state.evict_larger_than(own) {
                return Err(used_up());
            }
        }
        state.taken += more;
        if let Some(held) = state.holders.get_mut(&self.holder) {
            held.bytes += more;
            if let Some(request) = held.requests.get_mut(&self.number) {
                request.bytes += more;
            }
        }
        Ok(())
    }

    /// Counts bytes that were read, and waits until more may be.
    pub(crate) async fn read(&self, bytes: usize) {
        if let Some(wait) = self.wait(bytes) {
            sleep(wait).await;
        }
    }

    fn wait(&self, bytes: usize) -> Option<Duration> {
        let (now, mut state) = (Instant::now(), self.budget.state());
        let held = state.holders.get_mut(&self.holder)?;
        #[expect(clippy::cast_precision_loss, reason = "a frame is much shorter than 2⁵³ bytes")]
        let takes = Duration::from_secs_f64(bytes as f64 / BYTES_PER_SECOND);
        let until = held.read_until.map_or(now, |until| until.max(now)) + takes;
        held.read_until = Some(until);
        let wait = until.duration_since(now).saturating_sub(AT_ONCE);
        (!wait.is_zero()).then_some(wait)
    }

    /// Waits until the request has to give way, and returns the error for its caller.
    pub(crate) async fn evicted(&self) -> Error {
        self.evicted.cancelled().await;
        used_up()
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        let mut state = self.budget.state();
        let Some(held) = state.holders.get_mut(&self.holder) else { return };
        let bytes = held.requests.remove(&self.number).map_or(0, |request| request.bytes);
        held.bytes -= bytes;
        if held.requests.is_empty() {
            state.holders.remove(&self.holder);
        }
        state.taken -= bytes;
    }
}

fn used_up() -> Error {
    let text = "too many large requests at the same time; send it again";
    Error::new(Reason::RateLimited, text).with("limit", "pending_request_bytes").retry_after(Duration::from_secs(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANN: Holder = Holder::Credential(Uid::from_u128(1));
    const BOB: Holder = Holder::Credential(Uid::from_u128(2));

    fn hold(budget: &RequestBudget, holder: Holder, bytes: usize) -> Result<Reservation, Error> {
        let reservation = budget.reservation(holder);
        reservation.grow(bytes).map(|()| reservation)
    }

    #[test]
    fn a_caller_has_at_most_a_part() {
        let budget = RequestBudget::new(400);
        let first = hold(&budget, ANN, 60).unwrap();
        assert_eq!(hold(&budget, ANN, 41).unwrap_err().reason(), Reason::RateLimited);
        hold(&budget, ANN, 40).unwrap();
        first.grow(100).unwrap();
        assert!(first.grow(101).is_err());
        hold(&budget, BOB, 100).unwrap();
    }

    #[test]
    fn whoever_has_the_most_gives_way_to_whoever_has_less() {
        let budget = RequestBudget::new(400);
        let many: Vec<_> =
            (10..14).map(|n| hold(&budget, Holder::Credential(Uid::from_u128(n)), 100).unwrap()).collect();
        let calm: Vec<_> = (0..10).map(|_| hold(&budget, ANN, 10).unwrap()).collect();
        assert_eq!(many.iter().filter(|reservation| reservation.evicted.is_cancelled()).count(), 1);
        assert!(calm.iter().all(|reservation| !reservation.evicted.is_cancelled()));
        assert!(budget.state().taken <= 400);
        // Everybody has the same: nobody gives way.
        assert!(hold(&budget, BOB, 100).is_err());
    }

    #[test]
    fn nothing_is_left_of_what_was_dropped() {
        let budget = RequestBudget::new(400);
        let all: Vec<_> = (0..4).map(|n| hold(&budget, Holder::Credential(Uid::from_u128(n)), 100).unwrap()).collect();
        let small = hold(&budget, BOB, 1);
        drop((all, small));
        let state = budget.state();
        assert!(state.holders.is_empty() && state.taken == 0, "{state:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_large_or_many_at_once_is_read_at_a_rate() {
        const MIB: usize = 1024 * 1024;
        let budget = RequestBudget::new(400);
        let (ann, bob) = (budget.reservation(ANN), budget.reservation(BOB));
        let begin = Instant::now();
        // One of the largest requests, in frames.
        for _ in 0..64 {
            ann.read(MIB / 64).await;
        }
        assert!(begin.elapsed().is_zero(), "{:?}", begin.elapsed());
        let others: Vec<_> = (0..31).map(|_| budget.reservation(ANN)).collect();
        for other in &others {
            other.read(MIB).await;
        }
        let whole = Duration::from_secs(2).saturating_sub(AT_ONCE);
        assert!(begin.elapsed().abs_diff(whole) < Duration::from_millis(50), "{:?}", begin.elapsed());
        let begin = Instant::now();
        bob.read(MIB).await;
        assert!(begin.elapsed().is_zero());
    }
}
