//! The laws of resolution, and a few of its answers as people would tell them.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use secrets_core::{
    Allow, Candidate, Context, Filter, NotChosenReason, OverridePolicy, Resolution, ScopeKind, Target, TargetKind,
    Timestamp, Uid, Visibility, resolve,
};

use crate::model::{self, Verdicts};
use crate::world::{
    PROJECT, USER, as_stored, candidate, candidates, competes_within_its_scope, contexts, file, name, registry, scope,
    times, whole_context,
};

const NOW: Timestamp = Timestamp::from_micros(3);

fn verdicts_of(resolution: &Resolution) -> Verdicts {
    let winners = resolution.winners.iter().map(|winner| (winner.secret, Ok(())));
    let others = resolution.not_chosen.iter().map(|other| (other.candidate.secret, Err((other.reason, other.by))));
    winners.chain(others).collect()
}

fn winners_of(resolution: &Resolution) -> BTreeSet<Uid> {
    resolution.winners.iter().map(|winner| winner.secret).collect()
}

fn filters() -> impl Strategy<Value = Filter> {
    let names = || prop::collection::btree_set(prop::sample::select(vec!["A", "B", "Z"]).prop_map(name), 0..3);
    let kinds = || prop::collection::btree_set(prop::sample::select(TargetKind::ALL), 0..3);
    let scopes = prop::collection::btree_set(prop::sample::select(ScopeKind::ALL), 0..4);
    let allow = (prop::option::of(names()), prop::option::of(kinds()), prop::option::of(scopes))
        .prop_map(|(secret_ids, kinds, scopes)| Allow { secret_ids, kinds, scopes });
    (names(), names(), kinds(), allow).prop_map(|(secret_ids, required, kinds, allow)| Filter {
        secret_ids,
        required,
        kinds,
        allow,
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
                && filter.allow.permits(id, kind, winner.scope.kind);
            prop_assert_eq!(whole.delivered(&filter).any(|candidate| candidate == winner), expected);
        }
    }
}

fn secret(kind: ScopeKind, id: &str) -> Candidate {
    Candidate {
        secret: Uid::nil(),
        scope: scope(kind),
        secret_id: name(id),
        version: 1,
        target: Target::EnvironmentVariable,
        group: None,
        visibility: Visibility::All,
        override_policy: OverridePolicy::Allowed,
        disabled: false,
        expire_time: None,
    }
}

fn locked(kind: ScopeKind, id: &str) -> Candidate {
    Candidate { override_policy: OverridePolicy::Locked, ..secret(kind, id) }
}

fn grouped(kind: ScopeKind, id: &str) -> Candidate {
    Candidate { group: Some("aws".parse().unwrap()), ..secret(kind, id) }
}

fn at(target: Target, candidate: Candidate) -> Candidate {
    Candidate { target, ..candidate }
}

/// `USER A wins`, `ORGANIZATION A LOWER_PRECEDENCE USER A`, …, winners first.
fn told(context: &Context, secrets: Vec<Candidate>) -> Vec<String> {
    let count = secrets.len();
    let secrets = as_stored(secrets);
    assert_eq!(secrets.len(), count, "the example could not be stored");
    let label = |candidate: &Candidate| format!("{} {}", candidate.scope.kind.as_str(), candidate.secret_id);
    let by: BTreeMap<Uid, String> = secrets.iter().map(|candidate| (candidate.secret, label(candidate))).collect();
    let resolution = resolve(context, NOW, secrets);
    let winners = resolution.winners.iter().map(|winner| format!("{} wins", label(winner)));
    let others = resolution.not_chosen.iter().map(|other| {
        let by = other.by.map(|uid| format!(" {}", by[&uid])).unwrap_or_default();
        format!("{} {}{by}", label(&other.candidate), other.reason.as_str())
    });
    winners.chain(others).collect()
}

use ScopeKind::{Organization, Project, User, Workspace};

#[test]
fn prefers_the_narrowest_audience() {
    let everywhere = ScopeKind::ALL.iter().map(|kind| secret(*kind, "A")).collect::<Vec<_>>();
    assert_eq!(
        told(&whole_context(), everywhere.clone()),
        [
            "USER A wins",
            "WORKSPACE A LOWER_PRECEDENCE USER A",
            "PROJECT A LOWER_PRECEDENCE USER A",
            "ORGANIZATION A LOWER_PRECEDENCE USER A",
        ]
    );
    let without_user = Context { user: None, ..whole_context() };
    assert_eq!(told(&without_user, everywhere)[0], "WORKSPACE A wins");
}

#[test]
fn lets_nobody_below_override_a_lock_and_the_broadest_lock_wins() {
    assert_eq!(
        told(&whole_context(), vec![locked(Organization, "A"), locked(Project, "A"), secret(User, "A")]),
        ["ORGANIZATION A wins", "USER A LOCKED_ABOVE ORGANIZATION A", "PROJECT A LOCKED_ABOVE ORGANIZATION A"]
    );
}

#[test]
fn does_not_blame_a_lock_that_would_have_won_unlocked() {
    assert_eq!(
        told(&whole_context(), vec![secret(Organization, "A"), locked(Project, "A")]),
        ["PROJECT A wins", "ORGANIZATION A LOWER_PRECEDENCE PROJECT A"]
    );
}

#[test]
fn keeps_a_disabled_or_expired_lock_shut_above_and_below() {
    let disabled = Candidate { disabled: true, ..locked(Project, "A") };
    assert_eq!(
        told(&whole_context(), vec![secret(Organization, "A"), disabled, secret(User, "A")]),
        ["USER A LOCKED_ABOVE PROJECT A", "PROJECT A DISABLED", "ORGANIZATION A LOCKED_ABOVE PROJECT A"]
    );
    let expired = Candidate { expire_time: Some(NOW), ..locked(Organization, "A") };
    assert_eq!(
        told(&whole_context(), vec![expired, secret(User, "A")]),
        ["USER A LOCKED_ABOVE ORGANIZATION A", "ORGANIZATION A EXPIRED"]
    );
}

#[test]
fn lets_the_next_one_win_when_an_unlocked_one_is_out_of_service() {
    let disabled = Candidate { disabled: true, ..secret(User, "A") };
    let expired = Candidate { expire_time: Some(NOW), ..secret(Workspace, "A") };
    assert_eq!(
        told(&whole_context(), vec![disabled, expired, secret(Organization, "A")]),
        ["ORGANIZATION A wins", "USER A DISABLED", "WORKSPACE A EXPIRED"]
    );
}

#[test]
fn delivers_one_secret_for_a_file_or_registry_whatever_its_name() {
    assert_eq!(
        told(
            &whole_context(),
            vec![at(file("~/k"), secret(User, "MINE")), at(file("~/k"), secret(Organization, "OURS"))]
        ),
        ["USER MINE wins", "ORGANIZATION OURS SAME_TARGET USER MINE"]
    );
    let login = |kind, id, username| at(registry("ghcr.io", username), secret(kind, id));
    assert_eq!(
        told(&whole_context(), vec![login(Workspace, "W", "ann"), login(Project, "P", "bob")]),
        ["WORKSPACE W wins", "PROJECT P SAME_TARGET WORKSPACE W"]
    );
}

#[test]
fn never_mixes_a_group_between_scopes() {
    assert_eq!(
        told(
            &whole_context(),
            vec![
                grouped(User, "AWS_ACCESS_KEY_ID"),
                grouped(User, "AWS_SECRET_ACCESS_KEY"),
                grouped(Organization, "AWS_ACCESS_KEY_ID"),
                grouped(Organization, "AWS_SESSION_TOKEN"),
            ]
        ),
        [
            "USER AWS_ACCESS_KEY_ID wins",
            "USER AWS_SECRET_ACCESS_KEY wins",
            "ORGANIZATION AWS_ACCESS_KEY_ID LOWER_PRECEDENCE USER AWS_ACCESS_KEY_ID",
            "ORGANIZATION AWS_SESSION_TOKEN GROUP_FROM_NARROWER_SCOPE USER AWS_ACCESS_KEY_ID",
        ]
    );
}

#[test]
fn locks_a_group_as_a_whole() {
    let lock = Candidate { override_policy: OverridePolicy::Locked, ..grouped(Organization, "AWS_ACCESS_KEY_ID") };
    assert_eq!(
        told(&whole_context(), vec![lock, grouped(User, "AWS_SESSION_TOKEN"), grouped(Organization, "AWS_REGION")]),
        [
            "ORGANIZATION AWS_ACCESS_KEY_ID wins",
            "ORGANIZATION AWS_REGION wins",
            "USER AWS_SESSION_TOKEN LOCKED_ABOVE ORGANIZATION AWS_ACCESS_KEY_ID",
        ]
    );
}

#[test]
fn leaves_a_loser_s_other_slots_free() {
    // The user's A loses its name to the lock, and so holds neither the group nor the file.
    let loser = at(file("~/k"), grouped(User, "A"));
    assert_eq!(
        told(&whole_context(), vec![locked(Organization, "A"), loser, at(file("~/k"), grouped(Project, "B"))]),
        ["ORGANIZATION A wins", "PROJECT B wins", "USER A LOCKED_ABOVE ORGANIZATION A"]
    );
}

#[test]
fn reaches_only_what_was_selected() {
    let selected = |projects: &[Uid]| Candidate {
        visibility: Visibility::Selected { projects: projects.iter().copied().collect(), workspaces: BTreeSet::new() },
        ..locked(Organization, "A")
    };
    assert_eq!(told(&whole_context(), vec![selected(&[PROJECT])]), ["ORGANIZATION A wins"]);
    // An empty selection reaches nobody, and a lock that is not visible closes nothing.
    assert_eq!(
        told(&whole_context(), vec![selected(&[]), secret(User, "A")]),
        ["USER A wins", "ORGANIZATION A NOT_VISIBLE"]
    );
}

#[test]
fn takes_no_lock_from_a_workspace_or_a_user() {
    assert_eq!(
        told(&whole_context(), vec![locked(Workspace, "A"), secret(User, "A")]),
        ["USER A wins", "WORKSPACE A LOWER_PRECEDENCE USER A"]
    );
}

#[test]
fn keeps_out_what_belongs_to_another_context() {
    let foreign = Candidate { scope: secrets_core::Scope::new(User, PROJECT), ..secret(User, "A") };
    assert_eq!(told(&whole_context(), vec![foreign]), ["USER A NOT_VISIBLE"]);
    let context = Context { user: Some(PROJECT), ..whole_context() };
    let own = Candidate { scope: secrets_core::Scope::new(User, USER), ..secret(User, "A") };
    assert_eq!(told(&context, vec![own]), ["USER A NOT_VISIBLE"]);
}

#[test]
fn ends_at_the_first_expiry_that_is_still_to_come() {
    let until = |candidate: Candidate, end| Candidate { expire_time: Some(Timestamp::from_micros(end)), ..candidate };
    let disabled = Candidate { disabled: true, ..secret(User, "D") };
    let secrets = as_stored(vec![
        until(secret(User, "A"), 3),
        until(disabled, 4),
        until(secret(User, "B"), 9),
        until(secret(Project, "B"), 7),
    ]);
    let resolution = resolve(&whole_context(), NOW, secrets);
    assert_eq!(resolution.valid_until, Some(Timestamp::from_micros(7)));
    assert_eq!(resolution.not_chosen[0].reason, NotChosenReason::Expired);
}

#[test]
fn names_the_required_secrets_that_are_not_delivered() {
    let secrets = as_stored(vec![secret(User, "A"), at(Target::ApiOnly, secret(User, "B"))]);
    let resolution = resolve(&whole_context(), NOW, secrets);
    let require = |names: &[&str]| Filter { required: names.iter().map(|id| name(id)).collect(), ..Filter::default() };
    assert_eq!(resolution.delivered(&Filter::default()).count(), 1, "an API-only secret is only returned by name");
    let filter = require(&["B", "C"]);
    assert_eq!(resolution.delivered(&filter).count(), 2);
    assert_eq!(resolution.missing(&filter), [&name("C")]);
    let of_a_file = Filter { kinds: [TargetKind::File].into(), ..require(&["A"]) };
    assert_eq!(resolution.missing(&of_a_file), [&name("A")]);
}
