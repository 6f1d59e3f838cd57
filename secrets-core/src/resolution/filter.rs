//! What a caller asked for, applied to an answer and never before it.

use std::collections::BTreeSet;

use super::{Candidate, Resolution};
use crate::name::SecretId;
use crate::session_restrictions::SessionRestrictions;
use crate::target::TargetKind;

/// Narrows an answer. The default permits everything.
///
/// Filtering the candidates instead would let a broader secret win where a narrower one was filtered out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only these names and the required ones; empty: every name.
    pub secret_ids: BTreeSet<SecretId>,
    /// Names that the caller can't do without; they narrow nothing by themselves.
    pub required: BTreeSet<SecretId>,
    /// Only these kinds of target; empty: every kind.
    pub kinds: BTreeSet<TargetKind>,
    /// What the caller's session may have.
    pub restrictions: SessionRestrictions,
}

impl Filter {
    /// Whether the caller asked for this secret, and may have it.
    pub fn permits(&self, candidate: &Candidate) -> bool {
        (self.secret_ids.is_empty() || self.names(&candidate.secret_id))
            && (self.kinds.is_empty() || self.kinds.contains(&candidate.target.kind()))
            && self.restrictions.permits(&candidate.secret_id, candidate.target.kind(), candidate.scope.kind)
    }

    /// Whether this secret's value is delivered: an API-only one is only when the caller named it.
    pub fn delivers(&self, candidate: &Candidate) -> bool {
        self.permits(candidate) && (candidate.target.kind() != TargetKind::ApiOnly || self.names(&candidate.secret_id))
    }

    fn names(&self, secret_id: &SecretId) -> bool {
        self.secret_ids.contains(secret_id) || self.required.contains(secret_id)
    }
}

impl Resolution {
    /// Removes, from the winners and from the others, what the filter does not permit: the view of somebody who asks
    /// for metadata.
    #[must_use]
    pub fn narrowed(mut self, filter: &Filter) -> Self {
        self.winners.retain(|winner| filter.permits(winner));
        self.not_chosen.retain(|other| filter.permits(&other.candidate));
        self
    }

    /// The winners whose values are delivered, ordered by name.
    pub fn delivered(&self, filter: &Filter) -> impl Iterator<Item = &Candidate> {
        self.winners.iter().filter(|winner| filter.delivers(winner))
    }

    /// The required names that are not delivered, ordered by name.
    pub fn missing<'a>(&self, filter: &'a Filter) -> Vec<&'a SecretId> {
        let delivered: BTreeSet<_> = self.delivered(filter).map(|winner| &winner.secret_id).collect();
        filter.required.iter().filter(|name| !delivered.contains(name)).collect()
    }
}
