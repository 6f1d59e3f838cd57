//! Whose turn is next: the audit of reads is never behind more than a few changes, and organizations take turns.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use secrets_core::Uid;

use crate::store::Writer;

/// For how long changes may go on while the audit of reads waits. One that takes longer by itself is not interrupted, so that
/// at most one long change stands between two commits of the audit.
const MAX_CHANGES_TIME: Duration = Duration::from_millis(5);

/// Fewer are not worth a search for those who have vanished.
const MIN_SWEEP: usize = 64;

/// Who waits for a turn, in the order in which they get it.
pub(super) struct Turns<T> {
    audit: VecDeque<T>,
    organizations: HashMap<Uid, VecDeque<T>>,
    /// The organizations that wait, the next one first.
    order: VecDeque<Uid>,
    /// How long changes have gone on since the audit had its turn.
    changes: Duration,
    /// How many wait, those included who have vanished.
    length: usize,
    /// Beyond this many, those who have vanished are looked for.
    sweep_at: usize,
}

/// What a turn is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Audit,
    Change,
}

impl<T> Turns<T> {
    pub(super) fn new() -> Self {
        Self {
            audit: VecDeque::new(),
            organizations: HashMap::new(),
            order: VecDeque::new(),
            changes: Duration::ZERO,
            length: 0,
            sweep_at: MIN_SWEEP,
        }
    }

    /// Adds somebody who waits. Of those who have vanished no more are kept than there are others, or a few: they cost
    /// nothing but this, however many come and go while one turn lasts.
    pub(super) fn push(&mut self, writer: Writer, waiting: T, has_vanished: impl Fn(&T) -> bool) {
        if self.length >= self.sweep_at {
            self.sweep(has_vanished);
        }
        self.length += 1;
        let organization = match writer {
            Writer::Audit => return self.audit.push_back(waiting),
            Writer::Organization(organization) => organization,
        };
        let queue = self.organizations.entry(organization).or_default();
        if queue.is_empty() {
            self.order.push_back(organization);
        }
        queue.push_back(waiting);
    }

    /// Takes whoever is next.
    pub(super) fn pop(&mut self) -> Option<(Kind, T)> {
        let changes_wait = !self.order.is_empty();
        if !self.audit.is_empty() && (!changes_wait || self.changes >= MAX_CHANGES_TIME) {
            self.length -= 1;
            return self.audit.pop_front().map(|waiting| (Kind::Audit, waiting));
        }
        let organization = self.order.pop_front()?;
        let queue = self.organizations.get_mut(&organization)?;
        let waiting = queue.pop_front();
        if queue.is_empty() {
            self.organizations.remove(&organization);
        } else {
            self.order.push_back(organization);
        }
        self.length -= usize::from(waiting.is_some());
        waiting.map(|waiting| (Kind::Change, waiting))
    }

    fn sweep(&mut self, has_vanished: impl Fn(&T) -> bool) {
        self.audit.retain(|waiting| !has_vanished(waiting));
        for queue in self.organizations.values_mut() {
            queue.retain(|waiting| !has_vanished(waiting));
        }
        self.organizations.retain(|_, queue| !queue.is_empty());
        self.order.retain(|organization| self.organizations.contains_key(organization));
        self.length = self.audit.len() + self.organizations.values().map(VecDeque::len).sum::<usize>();
        self.sweep_at = std::cmp::max(MIN_SWEEP, self.length.saturating_mul(2));
    }

    /// Notes how long a turn took.
    pub(super) fn took(&mut self, kind: Kind, time: Duration) {
        match kind {
            Kind::Audit => self.changes = Duration::ZERO,
            Kind::Change => self.changes = self.changes.saturating_add(time),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_millis(300);
    const SHORT: Duration = Duration::from_micros(100);

    fn of(organization: u128) -> Writer {
        Writer::Organization(Uid::from_u128(organization))
    }

    /// Lets everybody have their turn, each of which takes `time`.
    fn order(mut turns: Turns<&'static str>, time: Duration) -> String {
        let mut order = Vec::new();
        while let Some((kind, who)) = turns.pop() {
            turns.took(kind, time);
            order.push(who);
        }
        order.join(" ")
    }

    #[test]
    fn organizations_take_turns() {
        let mut turns = Turns::new();
        for who in ["a1", "a2", "a3", "a4"] {
            turns.push(of(1), who, |_| false);
        }
        turns.push(of(2), "b1", |_| false);
        turns.push(of(3), "c1", |_| false);
        turns.push(of(2), "b2", |_| false);
        assert_eq!(order(turns, SHORT), "a1 b1 c1 a2 b2 a3 a4");
    }

    #[test]
    fn the_audit_waits_for_one_long_change_at_most() {
        let mut turns = Turns::new();
        for who in ["a1", "a2", "a3"] {
            turns.push(of(1), who, |_| false);
        }
        for who in ["audit1", "audit2"] {
            turns.push(Writer::Audit, who, |_| false);
        }
        assert_eq!(order(turns, LONG), "a1 audit1 a2 audit2 a3");
    }

    #[test]
    fn many_short_changes_share_what_time_there_is() {
        let mut turns = Turns::new();
        for _ in 0..60 {
            turns.push(of(1), "a", |_| false);
        }
        turns.push(Writer::Audit, "audit", |_| false);
        let order = order(turns, SHORT);
        assert_eq!(order.split(' ').position(|who| who == "audit"), Some(50), "{order}");
    }

    #[test]
    fn without_changes_the_audit_does_not_wait() {
        let mut turns = Turns::new();
        turns.push(Writer::Audit, "audit1", |_| false);
        turns.push(Writer::Audit, "audit2", |_| false);
        assert_eq!(order(turns, SHORT), "audit1 audit2");
    }

    #[test]
    fn nothing_is_kept_of_an_organization_that_no_longer_waits() {
        let mut turns = Turns::new();
        for organization in 0..1_000 {
            turns.push(of(organization), "x", |_| false);
        }
        while turns.pop().is_some() {}
        assert!(turns.organizations.is_empty() && turns.order.is_empty());
    }

    #[test]
    fn those_who_vanished_are_not_kept_while_others_wait() {
        let mut turns = Turns::new();
        let vanished = |waiting: &u32| !waiting.is_multiple_of(1_000);
        for n in 0..10_000 {
            turns.push(if u32::is_multiple_of(n, 3) { Writer::Audit } else { of(u128::from(n % 7)) }, n, vanished);
            assert!(turns.length <= 2 * MIN_SWEEP, "{}", turns.length);
        }
        let mut left: Vec<_> = std::iter::from_fn(|| turns.pop()).map(|(_, n)| n).filter(|n| !vanished(n)).collect();
        left.sort_unstable();
        assert_eq!(left, (0..10).map(|n| n * 1_000).collect::<Vec<_>>());
        assert_eq!(turns.length, 0);
    }
}
