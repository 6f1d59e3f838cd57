//! Responses of `ResolveService`.

use secrets_core::NotChosenReason;
use secrets_proto::v1;

use super::access::binding;
use super::secret::{override_policy, redaction};
use super::target::{scope_kind, target};
use super::warning::warnings;
use super::{context, revision, time};
use crate::service::resolve::explain::{Explained, Explanation, Other, Shown};
use crate::service::resolve::resolved_set::{Delivered, ResolvedSet};

pub fn resolved(answer: ResolvedSet) -> v1::ResolveResponse {
    v1::ResolveResponse {
        not_modified: answer.delivered.is_none(),
        secrets: answer.delivered.unwrap_or_default().into_iter().map(delivered).collect(),
        etag: answer.etag,
        next_change_time: answer.next_change_time.map(time),
        revision: revision(&answer.revision),
        warnings: warnings(&answer.warnings),
        environment_bytes: i64::try_from(answer.environment_bytes).unwrap_or(i64::MAX),
        context: Some(context(&answer.context)),
    }
}

fn delivered(secret: Delivered) -> v1::ResolvedSecret {
    v1::ResolvedSecret {
        scope: scope_kind(secret.name.scope.kind()).into(),
        secret: secret.name.to_string(),
        secret_id: secret.name.secret_id.to_string(),
        target: Some(target(&secret.target)),
        // Exposed here, where a value leaves for the caller who was authorized and recorded.
        value: secret.value.expose().to_vec(),
        version: secret.version,
        redaction: redaction(secret.redaction).into(),
    }
}

pub fn explained(explained: Explained) -> v1::ExplainResponse {
    v1::ExplainResponse {
        without_user: explained.context.user.is_none(),
        context: Some(context(&explained.context)),
        explanations: explained.explanations.into_iter().map(explanation).collect(),
        next_change_time: explained.next_change_time.map(time),
        revision: revision(&explained.revision),
        resolvers: explained.resolvers.iter().map(binding).collect(),
    }
}

fn explanation(row: Explanation) -> v1::Explanation {
    v1::Explanation {
        secret_id: row.secret_id.to_string(),
        winner: row.winner.as_ref().map(shown),
        not_chosen: row.not_chosen.iter().map(other).collect(),
    }
}

fn shown(secret: &Shown) -> v1::ExplainedSecret {
    let Shown { name, candidate, description } = secret;
    v1::ExplainedSecret {
        secret: name.to_string(),
        scope: scope_kind(name.scope.kind()).into(),
        target: Some(target(&candidate.target)),
        description: description.to_string(),
        version: candidate.version,
        group: candidate.group.as_ref().map(ToString::to_string).unwrap_or_default(),
        override_policy: override_policy(candidate.override_policy).into(),
        expire_time: candidate.expire_time.map(time),
    }
}

fn other(other: &Other) -> v1::NotChosen {
    let reason = match other.reason {
        NotChosenReason::LowerPrecedence => v1::NotChosenReason::LowerPrecedence,
        NotChosenReason::LockedAbove => v1::NotChosenReason::LockedAbove,
        NotChosenReason::SameTarget => v1::NotChosenReason::SameTarget,
        NotChosenReason::GroupFromNarrowerScope => v1::NotChosenReason::GroupFromNarrowerScope,
        NotChosenReason::Expired => v1::NotChosenReason::Expired,
        NotChosenReason::Disabled => v1::NotChosenReason::Disabled,
        NotChosenReason::NotVisible => v1::NotChosenReason::NotVisible,
    };
    v1::NotChosen {
        secret: Some(shown(&other.secret)),
        reason: reason.into(),
        blocked_by: other.blocked_by.as_ref().map(ToString::to_string).unwrap_or_default(),
    }
}
