//! Resolution again, naively: the rules of the design, one sentence after the other, with lists and texts only.

use std::collections::BTreeMap;

use secrets_core::{
    Candidate, Context, NotChosenReason, OverridePolicy, Scope, ScopeKind, Target, Timestamp, Uid, Visibility,
};

/// Of each candidate, whether it wins (`Ok`) or why not and because of which.
pub(crate) type Verdicts = BTreeMap<Uid, Result<(), (NotChosenReason, Option<Uid>)>>;

pub(crate) fn verdicts(context: &Context, now: Timestamp, candidates: &[Candidate]) -> Verdicts {
    let mut verdicts = Verdicts::new();
    let mut taken: Vec<(String, &Candidate)> = Vec::new();

    let locked_first = [(ScopeKind::Organization, true), (ScopeKind::Project, true)];
    let others = [ScopeKind::User, ScopeKind::Workspace, ScopeKind::Project, ScopeKind::Organization];
    for (kind, locked) in locked_first.into_iter().chain(others.map(|kind| (kind, false))) {
        let mut turn: Vec<&Candidate> = candidates
            .iter()
            .filter(|c| c.scope.kind == kind && locks(c) == locked && is_visible(c, context))
            .collect();
        turn.sort_by_key(|c| (c.secret_id.as_str().to_owned(), c.secret));
        for candidate in turn {
            let obstacle = slots(candidate).into_iter().find_map(|slot| {
                let (_, holder) = taken.iter().find(|(held, _)| *held == slot)?;
                let is_own_group = slot.starts_with("group") && holder.scope == candidate.scope;
                (!is_own_group).then_some((slot, *holder))
            });
            let out_of_service = out_of_service(candidate, now);
            if obstacle.is_none() && (out_of_service.is_none() || locks(candidate)) {
                for slot in slots(candidate) {
                    if !taken.iter().any(|(held, _)| *held == slot) {
                        taken.push((slot, candidate));
                    }
                }
            }
            let verdict = match (out_of_service, obstacle) {
                (Some(reason), _) => Err((reason, None)),
                (None, None) => Ok(()),
                (None, Some((slot, holder))) => Err((lost(&slot, holder, candidate, now), Some(holder.secret))),
            };
            verdicts.insert(candidate.secret, verdict);
        }
    }
    for candidate in candidates {
        verdicts.entry(candidate.secret).or_insert(Err((NotChosenReason::NotVisible, None)));
    }
    verdicts
}

pub(crate) fn locks(candidate: &Candidate) -> bool {
    candidate.override_policy == OverridePolicy::Locked
        && [ScopeKind::Organization, ScopeKind::Project].contains(&candidate.scope.kind)
}

pub(crate) fn is_visible(candidate: &Candidate, context: &Context) -> bool {
    let own = match candidate.scope.kind {
        ScopeKind::Organization => Some(context.organization),
        ScopeKind::Project => context.project,
        ScopeKind::Workspace => context.workspace,
        ScopeKind::User => context.user,
    };
    let reached = match &candidate.visibility {
        Visibility::All => true,
        Visibility::Selected { projects, workspaces } => {
            projects.iter().any(|uid| context.project == Some(*uid))
                || workspaces.iter().any(|uid| context.workspace == Some(*uid))
        }
    };
    own == Some(candidate.scope.uid) && reached
}

/// What a secret claims, as texts.
pub(crate) fn slots(candidate: &Candidate) -> Vec<String> {
    let name = &candidate.secret_id;
    let place = match &candidate.target {
        Target::EnvironmentVariable => Some(format!("variable {name}")),
        Target::File { path, .. } => Some(format!("file {path}")),
        Target::Registry { host, .. } => Some(format!("registry {host}")),
        Target::ApiOnly => None,
    };
    let group = candidate.group.as_ref().map(|group| format!("group {}", group.as_str()));
    [Some(format!("name {name}")), place, group].into_iter().flatten().collect()
}

pub(crate) fn out_of_service(candidate: &Candidate, now: Timestamp) -> Option<NotChosenReason> {
    if candidate.disabled {
        Some(NotChosenReason::Disabled)
    } else if candidate.expire_time.is_some_and(|end| end <= now) {
        Some(NotChosenReason::Expired)
    } else {
        None
    }
}

fn lost(slot: &str, holder: &Candidate, candidate: &Candidate, now: Timestamp) -> NotChosenReason {
    let breadth = |scope: Scope| match scope.kind {
        ScopeKind::Organization => 4,
        ScopeKind::Project => 3,
        ScopeKind::Workspace => 2,
        ScopeKind::User => 1,
    };
    let is_above = breadth(holder.scope) > breadth(candidate.scope);
    if locks(holder) && (is_above || out_of_service(holder, now).is_some()) {
        NotChosenReason::LockedAbove
    } else if slot.starts_with("name") {
        NotChosenReason::LowerPrecedence
    } else if slot.starts_with("group") {
        NotChosenReason::GroupFromNarrowerScope
    } else {
        NotChosenReason::SameTarget
    }
}
