//! Answers of resolution as people would tell them.

use std::collections::{BTreeMap, BTreeSet};

use secrets_core::ScopeKind::{Organization, Project, User, Workspace};
use secrets_core::{
    Candidate, Context, Filter, NotChosenReason, OverridePolicy, Scope, ScopeKind, Target, TargetKind, Timestamp, Uid,
    Visibility, resolve,
};

use crate::fixture::{PROJECT, USER, as_stored, file, name, registry, scope, whole_context};

const NOW: Timestamp = Timestamp::from_micros(3);

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
fn outcomes(context: &Context, secrets: Vec<Candidate>) -> Vec<String> {
    let count = secrets.len();
    let secrets = as_stored(secrets);
    assert_eq!(secrets.len(), count, "the example could not be stored");
    let label = |candidate: &Candidate| format!("{} {}", candidate.scope.kind.as_str(), candidate.secret_id);
    let by: BTreeMap<Uid, String> = secrets.iter().map(|candidate| (candidate.secret, label(candidate))).collect();
    let resolution = resolve(context, NOW, secrets);
    let winners = resolution.winners.iter().map(|winner| format!("{} wins", label(winner)));
    let others = resolution.not_chosen.iter().map(|other| {
        let by = other.blocked_by.map(|uid| format!(" {}", by[&uid])).unwrap_or_default();
        format!("{} {}{by}", label(&other.candidate), other.reason.as_str())
    });
    winners.chain(others).collect()
}

#[test]
fn prefers_the_narrowest_audience() {
    let everywhere = ScopeKind::ALL.iter().map(|kind| secret(*kind, "A")).collect::<Vec<_>>();
    assert_eq!(
        outcomes(&whole_context(), everywhere.clone()),
        [
            "USER A wins",
            "WORKSPACE A LOWER_PRECEDENCE USER A",
            "PROJECT A LOWER_PRECEDENCE USER A",
            "ORGANIZATION A LOWER_PRECEDENCE USER A",
        ]
    );
    let without_user = Context { user: None, ..whole_context() };
    assert_eq!(outcomes(&without_user, everywhere)[0], "WORKSPACE A wins");
}

#[test]
fn lets_nobody_below_override_a_lock_and_the_broadest_lock_wins() {
    assert_eq!(
        outcomes(&whole_context(), vec![locked(Organization, "A"), locked(Project, "A"), secret(User, "A")]),
        ["ORGANIZATION A wins", "USER A LOCKED_ABOVE ORGANIZATION A", "PROJECT A LOCKED_ABOVE ORGANIZATION A"]
    );
}

#[test]
fn does_not_blame_a_lock_that_would_have_won_unlocked() {
    assert_eq!(
        outcomes(&whole_context(), vec![secret(Organization, "A"), locked(Project, "A")]),
        ["PROJECT A wins", "ORGANIZATION A LOWER_PRECEDENCE PROJECT A"]
    );
}

#[test]
fn keeps_a_disabled_or_expired_lock_shut_above_and_below() {
    let disabled = Candidate { disabled: true, ..locked(Project, "A") };
    assert_eq!(
        outcomes(&whole_context(), vec![secret(Organization, "A"), disabled, secret(User, "A")]),
        ["USER A LOCKED_ABOVE PROJECT A", "PROJECT A DISABLED", "ORGANIZATION A LOCKED_ABOVE PROJECT A"]
    );
    let expired = Candidate { expire_time: Some(NOW), ..locked(Organization, "A") };
    assert_eq!(
        outcomes(&whole_context(), vec![expired, secret(User, "A")]),
        ["USER A LOCKED_ABOVE ORGANIZATION A", "ORGANIZATION A EXPIRED"]
    );
}

#[test]
fn lets_the_next_one_win_when_an_unlocked_one_is_out_of_service() {
    let disabled = Candidate { disabled: true, ..secret(User, "A") };
    let expired = Candidate { expire_time: Some(NOW), ..secret(Workspace, "A") };
    assert_eq!(
        outcomes(&whole_context(), vec![disabled, expired, secret(Organization, "A")]),
        ["ORGANIZATION A wins", "USER A DISABLED", "WORKSPACE A EXPIRED"]
    );
}

#[test]
fn delivers_one_secret_for_a_file_or_registry_whatever_its_name() {
    assert_eq!(
        outcomes(
            &whole_context(),
            vec![at(file("~/k"), secret(User, "MINE")), at(file("~/k"), secret(Organization, "OURS"))]
        ),
        ["USER MINE wins", "ORGANIZATION OURS SAME_TARGET USER MINE"]
    );
    let login = |kind, id, username| at(registry("ghcr.io", username), secret(kind, id));
    assert_eq!(
        outcomes(&whole_context(), vec![login(Workspace, "W", "ann"), login(Project, "P", "bob")]),
        ["WORKSPACE W wins", "PROJECT P SAME_TARGET WORKSPACE W"]
    );
}

#[test]
fn never_mixes_a_group_between_scopes() {
    assert_eq!(
        outcomes(
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
        outcomes(&whole_context(), vec![lock, grouped(User, "AWS_SESSION_TOKEN"), grouped(Organization, "AWS_REGION")]),
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
        outcomes(&whole_context(), vec![locked(Organization, "A"), loser, at(file("~/k"), grouped(Project, "B"))]),
        ["ORGANIZATION A wins", "PROJECT B wins", "USER A LOCKED_ABOVE ORGANIZATION A"]
    );
}

#[test]
fn reaches_only_what_was_selected() {
    let selected = |projects: &[Uid]| Candidate {
        visibility: Visibility::Selected { projects: projects.iter().copied().collect(), workspaces: BTreeSet::new() },
        ..locked(Organization, "A")
    };
    assert_eq!(outcomes(&whole_context(), vec![selected(&[PROJECT])]), ["ORGANIZATION A wins"]);
    // An empty selection reaches nobody, and a lock that is not visible closes nothing.
    assert_eq!(
        outcomes(&whole_context(), vec![selected(&[]), secret(User, "A")]),
        ["USER A wins", "ORGANIZATION A NOT_VISIBLE"]
    );
}

#[test]
fn takes_no_lock_from_a_workspace_or_a_user() {
    assert_eq!(
        outcomes(&whole_context(), vec![locked(Workspace, "A"), secret(User, "A")]),
        ["USER A wins", "WORKSPACE A LOWER_PRECEDENCE USER A"]
    );
}

#[test]
fn keeps_out_what_belongs_to_another_context() {
    let foreign = Candidate { scope: Scope::new(User, PROJECT), ..secret(User, "A") };
    assert_eq!(outcomes(&whole_context(), vec![foreign]), ["USER A NOT_VISIBLE"]);
    let context = Context { user: Some(PROJECT), ..whole_context() };
    let own = Candidate { scope: Scope::new(User, USER), ..secret(User, "A") };
    assert_eq!(outcomes(&context, vec![own]), ["USER A NOT_VISIBLE"]);
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
