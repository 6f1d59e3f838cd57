//! The laws of resolution.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use secrets_core::{
    Candidate, Filter, OverridePolicy, Resolution, ScopeKind, SessionRestrictions, TargetKind, Timestamp, Uid, resolve,
};

use crate::fixture::{candidate, candidates, competes_within_its_scope, contexts, name, times};
use crate::model::{self, Verdicts};

const NOW: Timestamp = Timestamp::from_micros(3);

fn verdicts_of(resolution: &Resolution) -> Verdicts {
    let winners = resolution.winners.iter().map(|winner| (winner.secret, Ok(())));
    let others =
        resolution.not_chosen.iter().map(|other| (other.candidate.secret, Err((other.reason, other.blocked_by))));
    winners.chain(others).collect()
}

fn winners_of(resolution: &Resolution) -> BTreeSet<Uid> {
    resolution.winners.iter().map(|winner| winner.secret).collect()
}

fn filters() -> impl Strategy<Value = Filter> {
    let names = || prop::collection::btree_set(prop::sample::select(vec!["A", "B", "Z"]).prop_map(name), 0..3);
    let kinds = || prop::collection::btree_set(prop::sample::select(TargetKind::ALL), 0..3);
    let scopes = prop::collection::btree_set(prop::sample::select(ScopeKind::ALL), 0..4);
    let restrictions = (prop::option::of(names()), prop::option::of(kinds()), prop::option::of(scopes))
        .prop_map(|(secret_ids, kinds, scopes)| SessionRestrictions { secret_ids, kinds, scopes });
    (names(), names(), kinds(), restrictions).prop_map(|(secret_ids, required, kinds, restrictions)| Filter {
        secret_ids,
        required,
        kinds,
        restrictions,
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn agrees_with_the_naive_model(context in contexts(), now in times(), stored in candidates()) {
        let resolution = resolve(&context, now, stored.clone());
        prop_assert_eq!(verdicts_of(&resolution), model::verdicts(&context, now, &stored));
    }

    #[test]
    fn does_not_depend_on_the_order_of_its_input(
        (stored, shuffled) in candidates().prop_flat_map(|stored| (Just(stored.clone()), Just(stored).prop_shuffle())),
        context in contexts(),
    ) {
        prop_assert_eq!(resolve(&context, NOW, stored), resolve(&context, NOW, shuffled));
    }

    #[test]
    fn lists_every_candidate_exactly_once_in_order(context in contexts(), stored in candidates()) {
        let resolution = resolve(&context, NOW, stored.clone());
        prop_assert_eq!(resolution.winners.len() + resolution.not_chosen.len(), stored.len());
        let out = verdicts_of(&resolution);
        prop_assert!(stored.iter().all(|candidate| out.contains_key(&candidate.secret)));
        prop_assert!(resolution.winners.is_sorted_by(|a, b| a.secret_id < b.secret_id));
        let rank = |candidate: &Candidate| (candidate.secret_id.clone(), std::cmp::Reverse(candidate.scope));
        prop_assert!(resolution.not_chosen.is_sorted_by(|a, b| rank(&a.candidate) <= rank(&b.candidate)));
    }

    #[test]
    fn never_lets_two_winners_share_a_slot(context in contexts(), stored in candidates()) {
        let mut held: BTreeMap<String, Candidate> = BTreeMap::new();
        for winner in resolve(&context, NOW, stored).winners {
            for slot in model::slots(&winner) {
                if let Some(other) = held.insert(slot.clone(), winner.clone()) {
                    prop_assert!(slot.starts_with("group") && other.scope == winner.scope, "{slot} is shared");
                }
            }
        }
    }

    /// What is added may take its slots from unlocked secrets of broader scopes, a place or group from ones of other
    /// names too. Nothing else moves, reasons included.
    #[test]
    fn changes_nothing_narrower_or_locked_when_an_unlocked_secret_is_added(
        stored in candidates(), added in candidate(), context in contexts(),
    ) {
        let added = Candidate { secret: Uid::max(), override_policy: OverridePolicy::Allowed, ..added };
        let stored: Vec<_> = stored.into_iter().filter(|other| !competes_within_its_scope(other, &added)).collect();
        let before = verdicts_of(&resolve(&context, NOW, stored.clone()));
        let after = verdicts_of(&resolve(&context, NOW, [stored.clone(), vec![added.clone()]].concat()));
        for candidate in stored.iter().filter(|other| model::locks(other) || other.scope.kind > added.scope.kind) {
            prop_assert_eq!(before[&candidate.secret], after[&candidate.secret]);
        }
    }

    /// Within its own scope a new secret can't change who wins either: no slot is contested there.
    #[test]
    fn keeps_the_winners_of_a_scope_when_an_unlocked_secret_joins_it(
        stored in candidates(), added in candidate(), context in contexts(),
    ) {
        let added = Candidate { secret: Uid::max(), override_policy: OverridePolicy::Allowed, ..added };
        let stored: Vec<_> = stored.into_iter().filter(|other| !competes_within_its_scope(other, &added)).collect();
        let before = winners_of(&resolve(&context, NOW, stored.clone()));
        let after = winners_of(&resolve(&context, NOW, [stored.clone(), vec![added.clone()]].concat()));
        for candidate in stored.iter().filter(|other| other.scope == added.scope) {
            prop_assert_eq!(before.contains(&candidate.secret), after.contains(&candidate.secret));
        }
    }

    #[test]
    fn opens_nothing_when_a_lock_goes_out_of_service(
        stored in candidates(), context in contexts(), by_disabling in any::<bool>(),
    ) {
        let before = winners_of(&resolve(&context, NOW, stored.clone()));
        for index in (0..stored.len()).filter(|&index| model::locks(&stored[index])) {
            let mut changed = stored.clone();
            if by_disabling { changed[index].disabled = true } else { changed[index].expire_time = Some(NOW) }
            let mut expected = before.clone();
            expected.remove(&stored[index].secret);
            prop_assert_eq!(winners_of(&resolve(&context, NOW, changed)), expected);
        }
    }

    #[test]
    fn treats_an_unlocked_secret_out_of_service_as_absent(stored in candidates(), context in contexts()) {
        let with = verdicts_of(&resolve(&context, NOW, stored.clone()));
        let is_idle = |other: &&Candidate| !model::locks(other) && model::out_of_service(other, NOW).is_some();
        for idle in stored.iter().filter(is_idle) {
            let others = stored.iter().filter(|other| other.secret != idle.secret).cloned().collect();
            let mut expected = with.clone();
            expected.remove(&idle.secret);
            prop_assert_eq!(verdicts_of(&resolve(&context, NOW, others)), expected);
        }
    }

    #[test]
    fn stays_the_same_exactly_until_it_says(context in contexts(), now in times(), stored in candidates()) {
        let answer = resolve(&context, now, stored.clone());
        let at = |micros| resolve(&context, Timestamp::from_micros(micros), stored.clone());
        let end = answer.valid_until.map_or(100, Timestamp::as_micros);
        for micros in now.as_micros()..end.min(10) {
            prop_assert_eq!(&at(micros), &answer);
        }
        if answer.valid_until.is_some() {
            prop_assert_ne!(verdicts_of(&at(end)), verdicts_of(&answer));
        }
    }

    #[test]
    fn only_removes_when_it_filters(context in contexts(), stored in candidates(), filter in filters()) {
        let whole = resolve(&context, NOW, stored);
        let narrowed = whole.clone().narrowed(&filter);
        let (all, kept) = (verdicts_of(&whole), verdicts_of(&narrowed));
        prop_assert!(kept.iter().all(|(secret, verdict)| all[secret] == *verdict));
        prop_assert_eq!(narrowed.valid_until, whole.valid_until);
        let delivered: Vec<_> = whole.delivered(&filter).collect();
        prop_assert!(delivered.iter().all(|candidate| kept[&candidate.secret].is_ok()));
        prop_assert!(delivered.is_sorted_by(|a, b| a.secret_id < b.secret_id));
        for missing in whole.missing(&filter) {
            prop_assert!(filter.required.contains(missing) && !delivered.iter().any(|c| c.secret_id == *missing));
        }
    }

    #[test]
    fn delivers_what_every_part_of_the_filter_lets_pass(
        context in contexts(), stored in candidates(), filter in filters(),
    ) {
        let whole = resolve(&context, NOW, stored);
        for winner in &whole.winners {
            let (kind, id) = (winner.target.kind(), &winner.secret_id);
            let is_named = filter.secret_ids.contains(id) || filter.required.contains(id);
            let asked = (filter.secret_ids.is_empty() && kind != TargetKind::ApiOnly) || is_named;
            let expected = asked
                && (filter.kinds.is_empty() || filter.kinds.contains(&kind))
                && filter.restrictions.permits(id, kind, winner.scope.kind);
            prop_assert_eq!(whole.delivered(&filter).any(|candidate| candidate == winner), expected);
        }
    }
}
