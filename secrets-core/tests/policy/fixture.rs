//! Contexts and candidates to resolve: of few names, so that they collide.

use proptest::collection::{btree_set, vec};
use proptest::option;
use proptest::prelude::*;
use secrets_core::{
    Candidate, Context, FileMode, NamePolicy, OverridePolicy, Scope, ScopeKind, SecretId, Target, Timestamp, Uid,
    Visibility,
};

pub(crate) const ORGANIZATION: Uid = Uid::from_u128(0xA);
pub(crate) const PROJECT: Uid = Uid::from_u128(0xB);
pub(crate) const WORKSPACE: Uid = Uid::from_u128(0xC);
pub(crate) const USER: Uid = Uid::from_u128(0xD);
/// A project, a workspace or a user that is not the context's.
pub(crate) const OTHER: Uid = Uid::from_u128(0xE);

pub(crate) fn name(text: &str) -> SecretId {
    SecretId::parse(text, NamePolicy::Strict).unwrap()
}

pub(crate) fn whole_context() -> Context {
    Context { organization: ORGANIZATION, project: Some(PROJECT), workspace: Some(WORKSPACE), user: Some(USER) }
}

pub(crate) fn file(path: &str) -> Target {
    Target::File { path: path.parse().unwrap(), mode: FileMode::default() }
}

pub(crate) fn registry(host: &str, username: &str) -> Target {
    Target::Registry { host: host.parse().unwrap(), username: username.parse().unwrap() }
}

pub(crate) fn scope(kind: ScopeKind) -> Scope {
    let uid = match kind {
        ScopeKind::Organization => ORGANIZATION,
        ScopeKind::Project => PROJECT,
        ScopeKind::Workspace => WORKSPACE,
        ScopeKind::User => USER,
    };
    Scope::new(kind, uid)
}

pub(crate) fn contexts() -> impl Strategy<Value = Context> {
    let some_or_none = |uid| prop_oneof![4 => Just(Some(uid)), 1 => Just(None)];
    (some_or_none(PROJECT), some_or_none(WORKSPACE), some_or_none(USER))
        .prop_map(|(project, workspace, user)| Context { organization: ORGANIZATION, project, workspace, user })
}

/// Times around 3, the one that the laws call now.
pub(crate) fn times() -> impl Strategy<Value = Timestamp> {
    (1..7i64).prop_map(Timestamp::from_micros)
}

pub(crate) fn candidate() -> impl Strategy<Value = Candidate> {
    let scope = prop_oneof![
        8 => prop::sample::select(ScopeKind::ALL).prop_map(scope),
        1 => prop::sample::select(ScopeKind::ALL).prop_map(|kind| Scope::new(kind, OTHER)),
    ];
    let target = prop_oneof![
        4 => Just(Target::EnvironmentVariable),
        3 => prop::sample::select(vec!["~/a", "~/b", "/srv/c"]).prop_map(file),
        2 => prop::sample::select(vec!["ghcr.io", "quay.io"]).prop_map(|host| registry(host, "bob")),
        1 => Just(Target::ApiOnly),
    ];
    let selected = || btree_set(prop::sample::select(vec![PROJECT, WORKSPACE, OTHER]), 0..2);
    let visibility = prop_oneof![
        4 => Just(Visibility::All),
        1 => (selected(), selected()).prop_map(|(projects, workspaces)| Visibility::Selected { projects, workspaces }),
    ];
    let override_policy = prop_oneof![2 => Just(OverridePolicy::Allowed), 1 => Just(OverridePolicy::Locked)];
    (
        (scope, prop::sample::select(vec!["A", "B", "C", "D", "E"]), target),
        (option::of(prop::sample::select(vec!["aws", "gcp"])), visibility, override_policy),
        (prop::bool::weighted(0.15), option::weighted(0.4, times())),
    )
        .prop_map(|((scope, id, target), (group, visibility, override_policy), (disabled, expire_time))| {
            Candidate {
                secret: Uid::nil(),
                scope,
                secret_id: name(id),
                version: 1,
                target,
                group: group.map(|group| group.parse().unwrap()),
                visibility,
                override_policy,
                disabled,
                expire_time,
            }
        })
}

/// Candidates as a store could hold them: within a scope no name and no destination twice.
pub(crate) fn candidates() -> impl Strategy<Value = Vec<Candidate>> {
    vec(candidate(), 0..16).prop_map(as_stored)
}

pub(crate) fn as_stored(candidates: Vec<Candidate>) -> Vec<Candidate> {
    let mut stored: Vec<Candidate> = Vec::new();
    for (number, mut candidate) in (1..).zip(candidates) {
        candidate.secret = Uid::from_u128(number);
        if !stored.iter().any(|other| competes_within_its_scope(other, &candidate)) {
            stored.push(candidate);
        }
    }
    stored
}

pub(crate) fn competes_within_its_scope(a: &Candidate, b: &Candidate) -> bool {
    let destination = |candidate: &Candidate| candidate.target.destination(&candidate.secret_id);
    a.scope == b.scope && (a.secret_id == b.secret_id || (destination(a).is_some() && destination(a) == destination(b)))
}
