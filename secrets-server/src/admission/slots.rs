//! How many of something there may be at a time: of one caller, of one organization while few are left, and in all.
//!
//! Shares follow one rule twice: while more than three quarters of an organization's or a caller's whole are taken, whoever has
//! an equal part of it gets no more. Alone, they have all; with others, each finds room beside the largest.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use secrets_core::Uid;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::consumer::{Consumer, ConsumerClass, ConsumerKey};
use super::refused::Refused;

/// For how long it is remembered how much a caller's last counted when that was too much.
const REMEMBERED: Duration = Duration::from_secs(10);

/// How many there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlotLimits {
    pub all: u32,
    pub person: u32,
    pub service_account: u32,
    /// Whether what has a slot gives way when an organization that has less than its share finds none: for what may be held
    /// without end.
    pub evicts: bool,
}

/// The slots of one kind. Clones share them.
#[derive(Clone, Debug)]
pub struct Slots(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    limits: SlotLimits,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    taken: u32,
    next: u64,
    consumers: HashMap<ConsumerKey, Taken>,
    organizations: HashMap<Uid, u32>,
    /// What may have to give way, by organization, the oldest first.
    evictable: HashMap<Uid, BTreeMap<u64, Evictable>>,
}

/// What one caller has taken.
#[derive(Debug, Default)]
struct Taken {
    all: u32,
    by_credential: HashMap<Uid, u32>,
    /// How much the last did that turned out to count too much, and until when the next is taken to count as much.
    too_much: Option<(u32, Instant)>,
}

#[derive(Debug)]
struct Evictable {
    consumer: Consumer,
    weight: u32,
    evicted: CancellationToken,
}

impl Slots {
    pub fn new(limits: SlotLimits) -> Self {
        Self(Arc::new(Inner { limits, state: Mutex::default() }))
    }

    /// A slot for something that counts `weight` times; dropping it gives it back.
    pub fn take(&self, consumer: &Consumer, weight: u32) -> Result<Slot, Refused> {
        let mut state = self.state();
        let expected = state.expected(consumer, weight);
        state.make_room(&self.0.limits, consumer, expected)?;
        state.add(consumer, weight);
        let place = state.consumers.get(&consumer.key).map_or(weight, |own| own.all);
        let number = state.next;
        state.next += 1;
        let evicted = CancellationToken::new();
        if let (true, Some(organization)) = (self.0.limits.evicts, consumer.organization) {
            let evictable = Evictable { consumer: *consumer, weight, evicted: evicted.clone() };
            state.evictable.entry(organization).or_default().insert(number, evictable);
        }
        Ok(Slot { slots: self.clone(), consumer: *consumer, weight, place, number, evicted })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SlotLimits {
    fn of(&self, class: ConsumerClass) -> u32 {
        match class {
            ConsumerClass::Person => self.person,
            ConsumerClass::ServiceAccount => self.service_account,
        }
    }
}

impl State {
    /// How much something will count that counts `weight` for now. What the caller's last turned out to, where that was too much:
    /// finding it out costs more than a refusal.
    fn expected(&self, consumer: &Consumer, weight: u32) -> u32 {
        let too_much = self.consumers.get(&consumer.key).and_then(|own| own.too_much);
        too_much.filter(|(_, until)| Instant::now() < *until).map_or(weight, |(last, _)| weight.max(last))
    }

    /// Makes sure that `more` can be taken.
    fn make_room(&mut self, limits: &SlotLimits, consumer: &Consumer, more: u32) -> Result<(), Refused> {
        let most = limits.of(consumer.key.class());
        let own = self.consumers.get(&consumer.key);
        let taken = own.map_or(0, |own| own.all);
        if taken.saturating_add(more) > most {
            return Err(Refused::Consumer { most });
        }
        if let Some(own) = own
            && !is_within_share(most, taken, &own.by_credential, consumer.credential, more)
        {
            return Err(Refused::Credential { most });
        }
        if let Some(organization) = consumer.organization
            && !is_within_share(limits.all, self.taken, &self.organizations, organization, more)
        {
            return Err(Refused::Organization);
        }
        while self.taken.saturating_add(more) > limits.all {
            if !self.evict(limits.all, consumer.organization) {
                return Err(Refused::All);
            }
        }
        Ok(())
    }

    /// Takes the newest slot of the organization that has the most, if that is more than its share, for another one.
    fn evict(&mut self, most: u32, newcomer: Option<Uid>) -> bool {
        let holders = holders(&self.organizations, newcomer);
        let largest = self.organizations.iter().max_by_key(|(_, taken)| **taken);
        let Some(organization) = largest.filter(|(_, taken)| **taken > most / holders).map(|(uid, _)| *uid) else {
            return false;
        };
        if newcomer == Some(organization) {
            return false;
        }
        let Some(slots) = self.evictable.get_mut(&organization) else { return false };
        let Some((_, last)) = slots.pop_last() else { return false };
        if slots.is_empty() {
            self.evictable.remove(&organization);
        }
        last.evicted.cancel();
        self.remove(&last.consumer, last.weight);
        true
    }

    fn add(&mut self, consumer: &Consumer, weight: u32) {
        self.taken += weight;
        let own = self.consumers.entry(consumer.key).or_default();
        own.all += weight;
        *own.by_credential.entry(consumer.credential).or_default() += weight;
        if let Some(organization) = consumer.organization {
            *self.organizations.entry(organization).or_default() += weight;
        }
    }

    fn remove(&mut self, consumer: &Consumer, weight: u32) {
        self.taken -= weight;
        if let Some(own) = self.consumers.get_mut(&consumer.key) {
            own.all -= weight;
            subtract(&mut own.by_credential, consumer.credential, weight);
            if own.all == 0 {
                self.consumers.remove(&consumer.key);
            }
        }
        if let Some(organization) = consumer.organization {
            subtract(&mut self.organizations, organization, weight);
        }
    }

    fn evictable(&mut self, slot: &Slot) -> Option<&mut Evictable> {
        self.evictable.get_mut(&slot.consumer.organization?)?.get_mut(&slot.number)
    }

    fn forget_evictable(&mut self, slot: &Slot) {
        let Some(organization) = slot.consumer.organization else { return };
        if let Some(slots) = self.evictable.get_mut(&organization) {
            slots.remove(&slot.number);
            if slots.is_empty() {
                self.evictable.remove(&organization);
            }
        }
    }
}

/// Whether `holder` may take `more` of `most`, of which `taken` are taken: yes, while not more than three quarters are, and
/// until the holder has an equal part.
fn is_within_share<K: Hash + Eq>(most: u32, taken: u32, by_holder: &HashMap<K, u32>, holder: K, more: u32) -> bool {
    let is_crowded = taken.saturating_add(more) > most - most / 4;
    let own = by_holder.get(&holder).copied().unwrap_or_default();
    !is_crowded || own.saturating_add(more) <= (most / holders(by_holder, Some(holder))).max(1)
}

/// How many hold something, with a newcomer.
fn holders<K: Hash + Eq>(by_holder: &HashMap<K, u32>, newcomer: Option<K>) -> u32 {
    let new = newcomer.is_some_and(|newcomer| !by_holder.contains_key(&newcomer));
    u32::try_from(by_holder.len() + usize::from(new)).unwrap_or(u32::MAX).max(1)
}

fn subtract<K: Hash + Eq>(by_holder: &mut HashMap<K, u32>, holder: K, weight: u32) {
    if let Some(own) = by_holder.get_mut(&holder) {
        *own -= weight;
        if *own == 0 {
            by_holder.remove(&holder);
        }
    }
}

/// What one call or watch has; dropping it gives it back.
#[derive(Debug)]
pub struct Slot {
    slots: Slots,
    consumer: Consumer,
    weight: u32,
    place: u32,
    number: u64,
    evicted: CancellationToken,
}

impl Slot {
    /// How many its caller had taken when it was taken, with it.
    pub fn place(&self) -> u32 {
        self.place
    }

    /// Lets it count `weight` times from now on.
    pub fn resize(&mut self, weight: u32) -> Result<(), Refused> {
        let slots = self.slots.clone();
        let mut state = slots.state();
        if self.evicted.is_cancelled() {
            return Err(Refused::Organization);
        }
        if weight > self.weight {
            let more = weight - self.weight;
            let room = state.make_room(&slots.0.limits, &self.consumer, more);
            if let Some(own) = state.consumers.get_mut(&self.consumer.key) {
                own.too_much = room.err().map(|_| (weight, Instant::now() + REMEMBERED));
            }
            room?;
            state.add(&self.consumer, more);
        } else {
            state.remove(&self.consumer, self.weight - weight);
            if let Some(own) = state.consumers.get_mut(&self.consumer.key) {
                own.too_much = None;
            }
        }
        if let Some(evictable) = state.evictable(self) {
            evictable.weight = weight;
        }
        self.weight = weight;
        Ok(())
    }

    /// Waits until it has to give way; by then it counts no more.
    pub async fn evicted(&self) -> Refused {
        self.evicted.cancelled().await;
        Refused::Organization
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let slots = self.slots.clone();
        let mut state = slots.state();
        if !self.evicted.is_cancelled() {
            state.forget_evictable(self);
            state.remove(&self.consumer, self.weight);
        }
    }
}

#[cfg(test)]
mod tests;
