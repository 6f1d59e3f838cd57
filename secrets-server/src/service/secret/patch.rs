//! What of a secret's metadata and target is to be set.

use std::collections::BTreeSet;

use secrets_core::limits::{Limit, Limits};
use secrets_core::{
    Description, Group, Labels, OverridePolicy, ProjectId, Redaction, ScopeKind, Target, Timestamp, Visibility,
    WorkspaceId,
};

use super::quota::exceeded;
use crate::error::Error;
use crate::store::secret::Secret;

/// The attributes to set; none leaves an attribute as it is, or of a new secret at its default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SecretPatch {
    /// Where the value lands.
    pub target: Option<Target>,
    pub description: Option<Description>,
    pub labels: Option<Labels>,
    /// The group, or that there is none.
    pub group: Option<Option<Group>>,
    /// Which contexts an organization secret reaches.
    pub visibility: Option<VisibilityNames>,
    /// Whether narrower scopes may override it.
    pub override_policy: Option<OverridePolicy>,
    /// Whether it is switched off.
    pub disabled: Option<bool>,
    /// Whether clients mask the value.
    pub redaction: Option<Redaction>,
    /// The end of its life, or that there is none.
    pub expire_time: Option<Option<Timestamp>>,
}

/// Which contexts an organization secret reaches, by identifiers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum VisibilityNames {
    /// Every context.
    #[default]
    All,
    /// Those with one of these; nobody if there are none.
    Selected {
        /// Projects.
        projects: BTreeSet<ProjectId>,
        /// Workspaces.
        workspaces: BTreeSet<WorkspaceId>,
    },
}

impl SecretPatch {
    /// Refuses what secrets of this kind of scope can't have, and what is beyond the limits.
    pub fn check(&self, scope: ScopeKind, limits: &Limits) -> Result<(), Error> {
        if matches!(self.visibility, Some(VisibilityNames::Selected { .. })) && scope != ScopeKind::Organization {
            let rule = format!("must be ALL for a secret of a {scope}; only an organization's secrets can be SELECTED");
            return Err(Error::invalid("secret.visibility.mode", rule));
        }
        let lockable = matches!(scope, ScopeKind::Organization | ScopeKind::Project);
        if self.override_policy == Some(OverridePolicy::Locked) && !lockable {
            let rule = format!(
                "must be ALLOWED for a secret of a {scope}; only secrets of organizations and projects can be LOCKED"
            );
            return Err(Error::invalid("secret.override_policy", rule));
        }
        let description = self.description.as_ref().map_or(0, |description| description.as_str().len());
        limits
            .check(Limit::DescriptionBytes, description as u64)
            .map_err(|error| exceeded("the description", error))?;
        let labels = self.labels.as_ref().map_or(0, Labels::len);
        limits.check(Limit::Labels, labels as u64).map_err(|error| exceeded("the number of labels", error))
    }

    /// Sets all but the target and the version; `visibility` is the located one of this edit.
    pub fn apply(&self, secret: &mut Secret, visibility: Option<Visibility>) {
        fn set<T: Clone>(field: &mut T, value: Option<&T>) {
            if let Some(value) = value {
                *field = value.clone();
            }
        }
        set(&mut secret.description, self.description.as_ref());
        set(&mut secret.labels, self.labels.as_ref());
        set(&mut secret.group, self.group.as_ref());
        set(&mut secret.visibility, visibility.as_ref());
        set(&mut secret.override_policy, self.override_policy.as_ref());
        set(&mut secret.disabled, self.disabled.as_ref());
        set(&mut secret.redaction, self.redaction.as_ref());
        set(&mut secret.expire_time, self.expire_time.as_ref());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_some_scopes_have_selections_and_locks() {
        let selected = VisibilityNames::Selected { projects: BTreeSet::new(), workspaces: BTreeSet::new() };
        let selected = SecretPatch { visibility: Some(selected), ..SecretPatch::default() };
        let locked = SecretPatch { override_policy: Some(OverridePolicy::Locked), ..SecretPatch::default() };
        let allowed = |edit: &SecretPatch| -> Vec<ScopeKind> {
            ScopeKind::ALL.iter().copied().filter(|kind| edit.check(*kind, &Limits::default()).is_ok()).collect()
        };
        assert_eq!(allowed(&selected), [ScopeKind::Organization]);
        assert_eq!(allowed(&locked), [ScopeKind::Organization, ScopeKind::Project]);
        assert_eq!(allowed(&SecretPatch::default()).len(), 4);
    }

    #[test]
    fn lowered_limits_of_metadata_hold() {
        let limits = Limits { description_bytes: 3, labels: 1, ..Limits::default() };
        let edit = SecretPatch { description: Some("four".parse().unwrap()), ..SecretPatch::default() };
        assert!(edit.check(ScopeKind::User, &limits).unwrap_err().message().contains("description_bytes"));
        let edit =
            SecretPatch { labels: Some(Labels::new([("a", "1"), ("b", "2")]).unwrap()), ..SecretPatch::default() };
        assert!(edit.check(ScopeKind::User, &limits).unwrap_err().message().contains("labels"));
    }
}
