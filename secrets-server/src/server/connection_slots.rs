//! How many connections there may be: in all, and of one address while there are few left.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::call::peer::site;

/// What an address may have once the server is crowded: this part of the whole.
const CROWDED_SHARE: usize = 16;

/// The connections of all listeners. Clones share them.
#[derive(Clone, Debug)]
pub(crate) struct ConnectionSlots(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    max: usize,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    by_site: HashMap<IpAddr, usize>,
}

impl ConnectionSlots {
    pub(crate) fn new(max: usize) -> Self {
        Self(Arc::new(Inner { max, taken: Mutex::default() }))
    }

    /// A slot for a connection from `address`, unless there is none, or only few are left and the address has its share.
    pub(crate) fn take(&self, address: IpAddr) -> Option<ConnectionSlot> {
        let site = site(address);
        let mut taken = self.0.taken();
        let own = taken.by_site.get(&site).copied().unwrap_or_default();
        let share = (self.0.max / CROWDED_SHARE).max(1);
        if taken.all >= self.0.max || (self.0.is_crowded(taken.all) && own >= share) {
            return None;
        }
        taken.all += 1;
        taken.by_site.insert(site, own + 1);
        Some(ConnectionSlot { slots: self.clone(), site })
    }

    /// Whether more than three quarters are taken.
    pub(crate) fn is_crowded(&self) -> bool {
        self.0.is_crowded(self.0.taken().all)
    }
}

impl Inner {
    fn is_crowded(&self, all: usize) -> bool {
        all > self.max - self.max / 4
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The slot of one connection; dropping it gives it back.
#[derive(Debug)]
pub(crate) struct ConnectionSlot {
    slots: ConnectionSlots,
    site: IpAddr,
}

impl Drop for ConnectionSlot {
    fn drop(&mut self) {
        let mut taken = self.slots.0.taken();
        taken.all -= 1;
        if let Some(own) = taken.by_site.get_mut(&self.site) {
            *own -= 1;
            if *own == 0 {
                taken.by_site.remove(&self.site);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(slots: &ConnectionSlots, address: &str, count: usize) -> Vec<ConnectionSlot> {
        (0..count).filter_map(|_| slots.take(address.parse().unwrap())).collect()
    }

    #[test]
    fn one_address_gets_no_more_than_three_quarters_and_the_others_what_is_left() {
        let slots = ConnectionSlots::new(64);
        let many = take(&slots, "192.0.2.1", 100);
        assert_eq!(many.len(), 49, "the first above three quarters finds the server not crowded yet");
        assert_eq!(take(&slots, "192.0.2.2", 100).len(), 4);
        let mut rest = Vec::new();
        for other in 3..10 {
            rest.extend(take(&slots, &format!("192.0.2.{other}"), 3));
        }
        assert_eq!(many.len() + rest.len(), 64, "and none beyond the whole");
        drop((many, rest));
        assert!(slots.0.taken().by_site.is_empty() && slots.0.taken().all == 0);
        assert_eq!(take(&slots, "192.0.2.1", 49).len(), 49);
    }
}
