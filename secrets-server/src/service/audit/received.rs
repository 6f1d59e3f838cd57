//! What somebody received, set by set, and what is left of it.

use std::collections::{BTreeMap, BTreeSet};

use secrets_core::{Timestamp, Uid};

use super::lineage::{Lineage, Version};
use crate::store::audit::CallerEvent;
use crate::store::secret::SecretStatus;

/// The versions that a set consists of.
pub(super) type Versions = Vec<(Uid, u32)>;

/// Of each value that was received, by the version which had it first: as which secret, and how often.
type Values = BTreeMap<Version, (Uid, Tally)>;

/// What is left of a value that was received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExposureState {
    /// It is still delivered.
    Current,
    /// The secret has a version since which is not known to have it.
    Replaced,
    /// It is the secret's, which nobody is given.
    Inactive,
    /// The secret was deleted.
    Deleted,
}

/// How often something was received, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tally {
    pub first_time: Timestamp,
    pub last_time: Timestamp,
    pub count: u64,
    pub actions: BTreeSet<String>,
}

/// A secret that was received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ReceivedSecret {
    pub(super) uid: Uid,
    /// The newest of the versions that the tally is about; the current one of a copy.
    pub(super) version: u32,
    pub(super) state: ExposureState,
    pub(super) tally: Tally,
    /// The secret as which it was received, where it has its value by a copy and was not itself received with it.
    pub(super) copied_from: Option<Uid>,
}

/// What was received by the events of a page.
pub(super) struct Received {
    /// How many secrets the page has, unless one delivery had more.
    size: usize,
    /// Each set once, with how often it was delivered: most deliveries are repeats.
    sets: BTreeMap<Vec<u8>, (Versions, Tally)>,
    secrets: BTreeSet<Uid>,
}

impl Received {
    pub(super) fn new(size: usize) -> Self {
        Self { size, sets: BTreeMap::new(), secrets: BTreeSet::new() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.sets.is_empty()
    }

    pub(super) fn has_set(&self, digest: &[u8]) -> bool {
        self.sets.contains_key(digest)
    }

    /// Which secrets were received.
    pub(super) fn secrets(&self) -> &BTreeSet<Uid> {
        &self.secrets
    }

    /// Adds what an event delivered, if anything; `sets` has its set, unless it is here already. False if the page is full
    /// without it: no page stays empty.
    pub(super) fn add(&mut self, event: &CallerEvent, sets: &BTreeMap<Vec<u8>, Versions>) -> bool {
        let Some(digest) = &event.set_digest else { return true };
        if let Some((_, tally)) = self.sets.get_mut(digest) {
            tally.add(&Tally::new(event));
            return true;
        }
        let versions = sets.get(digest).cloned().unwrap_or_default();
        let new: BTreeSet<_> = versions.iter().map(|(uid, _)| *uid).filter(|uid| !self.secrets.contains(uid)).collect();
        if !new.is_empty() && !self.secrets.is_empty() && self.secrets.len() + new.len() > self.size {
            return false;
        }
        self.secrets.extend(new);
        self.sets.insert(digest.clone(), (versions, Tally::new(event)));
        true
    }

    /// What is left of each secret that was received, and which others have what is left of them.
    pub(super) fn assess(
        self,
        statuses: &BTreeMap<Uid, SecretStatus>,
        lineage: &Lineage,
        now: Timestamp,
    ) -> Vec<ReceivedSecret> {
        let mut received: BTreeMap<Uid, BTreeMap<u32, Tally>> = BTreeMap::new();
        let mut values = Values::new();
        for (versions, tally) in self.sets.into_values() {
            // A delivery of several secrets that have one value is one of this.
            let mut origins = BTreeMap::new();
            for (uid, version) in versions {
                let versions = received.entry(uid).or_default();
                versions.entry(version).and_modify(|known| known.add(&tally)).or_insert_with(|| tally.clone());
                origins.entry(lineage.origin((uid, version))).or_insert(uid);
            }
            for (origin, uid) in origins {
                let value = values.entry(origin);
                value.and_modify(|(_, known)| known.add(&tally)).or_insert_with(|| (uid, tally.clone()));
            }
        }
        let copies = statuses.iter().filter(|(uid, _)| !received.contains_key(*uid)).filter_map(|(uid, status)| {
            received_as_another(*uid, status.current_version, status.state(now)?, &values, lineage)
        });
        let mut all: Vec<_> = copies.collect();
        let assess = |(uid, versions)| assess(uid, versions, statuses.get(&uid), &values, lineage, now);
        all.extend(received.into_iter().filter_map(assess));
        all
    }
}

impl SecretStatus {
    /// What that means for its value; none if it was deleted.
    fn state(&self, now: Timestamp) -> Option<ExposureState> {
        match (self.is_deleted, self.is_inactive(now)) {
            (true, _) => None,
            (false, true) => Some(ExposureState::Inactive),
            (false, false) => Some(ExposureState::Current),
        }
    }
}

impl Tally {
    fn new(event: &CallerEvent) -> Self {
        let actions = BTreeSet::from([event.action.clone()]);
        Self { first_time: event.create_time, last_time: event.create_time, count: 1, actions }
    }

    fn add(&mut self, other: &Self) {
        self.first_time = self.first_time.min(other.first_time);
        self.last_time = self.last_time.max(other.last_time);
        self.count = self.count.saturating_add(other.count);
        self.actions.extend(other.actions.iter().cloned());
    }
}

/// A secret that has a value which was received as another one's. None if it was not.
fn received_as_another(
    uid: Uid,
    version: u32,
    state: ExposureState,
    values: &Values,
    lineage: &Lineage,
) -> Option<ReceivedSecret> {
    let (from, tally) = values.get(&lineage.origin((uid, version)))?;
    Some(ReceivedSecret { uid, version, state, tally: tally.clone(), copied_from: Some(*from) })
}

/// What is left of one secret, of which these versions were received. None if there are none.
fn assess(
    uid: Uid,
    mut versions: BTreeMap<u32, Tally>,
    status: Option<&SecretStatus>,
    values: &Values,
    lineage: &Lineage,
    now: Timestamp,
) -> Option<ReceivedSecret> {
    let state = match status.and_then(|status| Some((status.current_version, status.state(now)?))) {
        None => ExposureState::Deleted,
        Some((version, state)) => {
            let current = lineage.origin((uid, version));
            match versions.keys().any(|version| lineage.origin((uid, *version)) == current) {
                false => match received_as_another(uid, version, state, values, lineage) {
                    // Of itself another value was received, which is no concern any more.
                    Some(copy) => return Some(copy),
                    None => ExposureState::Replaced,
                },
                true => {
                    // What was received of other values is no concern any more.
                    versions.retain(|version, _| lineage.origin((uid, *version)) == current);
                    state
                }
            }
        }
    };
    let version = *versions.last_key_value()?.0;
    let tally = versions.into_values().reduce(|mut all, one| {
        all.add(&one);
        all
    })?;
    Some(ReceivedSecret { uid, version, state, tally, copied_from: None })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::version::ValueSource;

    const NOW: Timestamp = Timestamp::from_micros(100);

    fn event(time: i64, digest: Option<u8>) -> CallerEvent {
        CallerEvent {
            uid: Uid::from_u128(1),
            create_time: Timestamp::from_micros(time),
            action: "Resolve".to_owned(),
            set_digest: digest.map(|byte| vec![byte]),
        }
    }

    fn sets(sets: &[(u8, &[(u128, u32)])]) -> BTreeMap<Vec<u8>, Versions> {
        let uids = |set: &[(u128, u32)]| set.iter().map(|(uid, version)| (Uid::from_u128(*uid), *version)).collect();
        sets.iter().map(|(digest, set)| (vec![*digest], uids(set))).collect()
    }

    fn status(current_version: u32) -> SecretStatus {
        SecretStatus { current_version, is_disabled: false, expire_time: None, is_deleted: false }
    }

    fn lineage(sources: impl IntoIterator<Item = ((u128, u32), (u128, u32))>) -> Lineage {
        let mut lineage = Lineage::default();
        let version = |(uid, version)| (Uid::from_u128(uid), version);
        for (one, other) in sources {
            lineage.add(ValueSource { version: version(one), source: version(other) });
        }
        lineage
    }

    /// What is left of a secret of which these versions were received: the state, the version, how often.
    fn left(received: &[u32], status: Option<SecretStatus>, sources: &[(u32, u32)]) -> (ExposureState, u32, u64) {
        let tally = |time| Tally::new(&event(time, None));
        let versions = received.iter().zip(1..).map(|(version, time)| (*version, tally(time))).collect();
        let lineage = lineage(sources.iter().map(|(version, source)| ((0, *version), (0, *source))));
        let left = assess(Uid::nil(), versions, status.as_ref(), &Values::new(), &lineage, NOW).unwrap();
        (left.state, left.version, left.tally.count)
    }

    #[test]
    fn what_is_left_depends_on_the_value_that_the_secret_has() {
        use ExposureState::{Current, Deleted, Inactive, Replaced};
        assert_eq!(left(&[1, 2], Some(status(2)), &[]), (Current, 2, 1));
        assert_eq!(left(&[1, 2], Some(status(3)), &[]), (Replaced, 2, 2));
        assert_eq!(left(&[1, 2], None, &[]), (Deleted, 2, 2));
        assert_eq!(left(&[2], Some(SecretStatus { is_deleted: true, ..status(2) }), &[]), (Deleted, 2, 1));
        assert_eq!(left(&[2], Some(SecretStatus { is_disabled: true, ..status(2) }), &[]), (Inactive, 2, 1));
        assert_eq!(left(&[1], Some(SecretStatus { is_disabled: true, ..status(2) }), &[]), (Replaced, 1, 1));
        let expiring = |time| SecretStatus { expire_time: Some(Timestamp::from_micros(time)), ..status(2) };
        assert_eq!(left(&[2], Some(expiring(100)), &[]).0, Inactive);
        assert_eq!(left(&[2], Some(expiring(101)), &[]).0, Current);
    }

    #[test]
    fn a_value_that_came_back_was_received() {
        use ExposureState::{Current, Replaced};
        // Version 4 is version 2 again, and 5 the same at another place.
        let sources = [(4, 2), (5, 4)];
        assert_eq!(left(&[2, 3], Some(status(5)), &sources), (Current, 2, 1));
        assert_eq!(left(&[2, 3, 4], Some(status(5)), &sources), (Current, 4, 2));
        assert_eq!(left(&[3], Some(status(5)), &sources), (Replaced, 3, 1));
        assert_eq!(left(&[4], Some(status(6)), &[(4, 2), (6, 2)]), (Current, 4, 1));
        // What is stored wrongly ends all the same.
        assert_eq!(left(&[1], Some(status(2)), &[(2, 2), (1, 1)]), (Replaced, 1, 1));
    }

    #[test]
    fn what_has_the_value_of_what_was_received_was_received() {
        // 2 is a copy of 1, 3 one of 2 that has another value since; 4 is a copy of 1 that was deleted, 5 of an older value.
        let lineage = lineage([((2, 1), (1, 2)), ((3, 1), (1, 2)), ((4, 1), (1, 2)), ((5, 1), (1, 1))]);
        let deleted = SecretStatus { is_deleted: true, ..status(1) };
        let statuses = [(1, deleted), (2, status(1)), (3, status(2)), (4, deleted), (5, status(1))];
        let statuses = statuses.map(|(uid, status)| (Uid::from_u128(uid), status)).into();
        let left = |uid, version| {
            let sets = sets(&[(1, &[(uid, version)])]);
            let mut received = Received::new(10);
            assert!(received.add(&event(9, Some(1)), &sets));
            let left = received.assess(&statuses, &lineage, NOW).into_iter();
            left.map(|each| (each.uid.as_u128(), each.state, each.copied_from.map(|uid| uid.as_u128())))
                .collect::<Vec<_>>()
        };
        use ExposureState::{Current, Deleted, Replaced};
        assert_eq!(left(1, 2), [(2, Current, Some(1)), (1, Deleted, None)]);
        assert_eq!(left(1, 1), [(5, Current, Some(1)), (1, Deleted, None)]);
        assert_eq!(left(3, 1), [(2, Current, Some(3)), (3, Replaced, None)]);
        assert_eq!(left(2, 1), [(2, Current, None)]);
    }

    #[test]
    fn what_came_back_to_a_secret_and_was_received_as_its_copy_is_known() {
        use ExposureState::{Current, Deleted, Replaced};
        // 2 is a copy of 1 and was deleted; version 3 of 1 is its version 1 again.
        let lineage = lineage([((2, 1), (1, 1)), ((1, 3), (1, 1))]);
        let sets = sets(&[(1, &[(2, 1)]), (2, &[(1, 2)])]);
        let left = |current| {
            let mut received = Received::new(10);
            assert!(received.add(&event(9, Some(2)), &sets));
            assert!(received.add(&event(4, Some(1)), &sets));
            assert!(received.add(&event(3, Some(1)), &sets));
            let deleted = SecretStatus { is_deleted: true, ..status(1) };
            let statuses =
                [(1, status(current)), (2, deleted)].map(|(uid, status)| (Uid::from_u128(uid), status)).into();
            let left = received.assess(&statuses, &lineage, NOW).into_iter();
            left.map(|each| {
                let from = each.copied_from.map(|uid| uid.as_u128());
                (each.uid.as_u128(), each.version, each.state, each.tally.count, from)
            })
            .collect::<Vec<_>>()
        };
        assert_eq!(left(3), [(1, 3, Current, 2, Some(2)), (2, 1, Deleted, 2, None)]);
        assert_eq!(left(2), [(1, 2, Current, 1, None), (2, 1, Deleted, 2, None)]);
        assert_eq!(left(4), [(1, 2, Replaced, 1, None), (2, 1, Deleted, 2, None)]);
    }

    #[test]
    fn counts_a_delivery_of_a_secret_and_its_copy_once() {
        // 2 and 3 are copies of 1.
        let lineage = lineage([((2, 1), (1, 1)), ((3, 1), (1, 1))]);
        let sets = sets(&[(1, &[(1, 1), (2, 1)]), (2, &[(2, 1)])]);
        let mut received = Received::new(10);
        for event in [event(9, Some(1)), event(8, Some(1)), event(7, Some(2))] {
            assert!(received.add(&event, &sets));
        }
        let statuses = [1, 2, 3].map(|uid| (Uid::from_u128(uid), status(1))).into();
        let left = received.assess(&statuses, &lineage, NOW);
        let counts: Vec<_> = left.iter().map(|each| (each.uid.as_u128(), each.tally.count)).collect();
        assert_eq!(counts, [(3, 3), (1, 2), (2, 3)]);
    }

    #[test]
    fn counts_each_delivery_of_a_set_once() {
        let sets = sets(&[(1, &[(1, 1), (2, 1)]), (2, &[(1, 1)]), (3, &[])]);
        let mut received = Received::new(10);
        for event in [event(9, Some(1)), event(7, None), event(5, Some(3)), event(4, Some(2)), event(2, Some(1))] {
            assert!(received.add(&event, &sets));
        }
        let statuses = [1, 2].map(|uid| (Uid::from_u128(uid), status(1))).into();
        let left = received.assess(&statuses, &Lineage::default(), NOW);
        let seen: Vec<_> = left
            .iter()
            .map(|each| (each.tally.count, each.tally.first_time.as_micros(), each.tally.last_time.as_micros()))
            .collect();
        assert_eq!(seen, [(3, 2, 9), (2, 2, 9)]);
    }

    #[test]
    fn a_page_ends_before_it_has_too_many_secrets_but_is_never_empty() {
        let sets = sets(&[(1, &[(1, 1), (2, 1), (3, 1)]), (2, &[(2, 2)]), (3, &[(4, 1)])]);
        let mut received = Received::new(2);
        assert!(received.add(&event(9, Some(1)), &sets));
        assert!(received.add(&event(8, Some(2)), &sets));
        assert!(!received.add(&event(7, Some(3)), &sets));
        assert!(received.add(&event(7, Some(1)), &sets));
        assert_eq!(received.secrets().len(), 3);
    }
}
