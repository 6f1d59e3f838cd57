//! A secret that could serve a context.

use std::cmp::Reverse;

use crate::Uid;
use crate::context::Context;
use crate::name::SecretId;
use crate::scope::{Scope, ScopeKind};
use crate::secret::{Group, OverridePolicy, Visibility};
use crate::target::Target;
use crate::time::Timestamp;

/// What resolution needs to know of a secret; its value is not part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The secret.
    pub secret: Uid,
    /// Where it lives.
    pub scope: Scope,
    /// Its name.
    pub secret_id: SecretId,
    /// Its current version.
    pub version: u32,
    /// Where its value lands.
    pub target: Target,
    /// The group that is never mixed between scopes.
    pub group: Option<Group>,
    /// Which contexts an organization's secret reaches.
    pub visibility: Visibility,
    /// Whether narrower scopes may override it.
    pub override_policy: OverridePolicy,
    /// Whether it is switched off.
    pub disabled: bool,
    /// The first time at which it no longer serves.
    pub expire_time: Option<Timestamp>,
}

impl Candidate {
    /// Whether narrower scopes may not override it. Only an organization's and a project's secrets can be locked.
    pub fn is_locked(&self) -> bool {
        self.override_policy == OverridePolicy::Locked
            && matches!(self.scope.kind, ScopeKind::Organization | ScopeKind::Project)
    }

    /// Whether it belongs to one of the context's scopes and reaches the context.
    pub fn is_visible_to(&self, context: &Context) -> bool {
        context.scopes().any(|scope| scope == self.scope) && self.visibility.reaches(context)
    }

    /// Sorts candidates by when it is their turn: locked ones first and the broadest of these first, then the narrowest
    /// first. Name and uid fix the order within a scope, where no two secrets should compete.
    pub(super) fn turn(&self) -> impl Ord {
        let phase = if self.is_locked() { Phase::Locked(self.scope) } else { Phase::Open(Reverse(self.scope)) };
        (phase, &self.secret_id, self.secret)
    }
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    Locked(Scope),
    Open(Reverse<Scope>),
}
