//! How much of an organization's secrets somebody sees who may list them.

use std::collections::BTreeSet;

use super::{Entitlement, Permit, right};
use crate::Uid;
use crate::binding::Binding;
use crate::role::{Role, RoleResource};
use crate::secret::Visibility;

/// What an answer to a listing of an organization's secrets contains.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listing {
    /// Every secret, with everything it reaches.
    All,
    /// Secrets that reach everybody, or one of these; of what they reach, only these are shown.
    Reaching {
        /// Projects in which the caller takes part.
        projects: BTreeSet<Uid>,
        /// Workspaces that the caller owns or takes part in.
        workspaces: BTreeSet<Uid>,
    },
}

impl Listing {
    /// What the holder of the permit sees, from their bindings and the workspaces that they `own`.
    pub fn new(permit: &Permit<right::ListSecrets>, bindings: &[Binding], own: impl IntoIterator<Item = Uid>) -> Self {
        if permit.entitlement() != Entitlement::Member {
            return Self::All;
        }
        let (mut projects, mut workspaces) = (BTreeSet::new(), own.into_iter().collect::<BTreeSet<_>>());
        let (caller, organization) = (permit.principal().reference(), permit.resource().organization());
        for binding in bindings.iter().filter(|it| it.principal == caller && it.resource.organization() == organization)
        {
            match (binding.resource, binding.role) {
                (RoleResource::Project { project, .. }, Role::Admin | Role::Member) => {
                    projects.insert(project);
                }
                (RoleResource::Workspace { workspace, .. }, Role::Member) => {
                    workspaces.insert(workspace);
                }
                _ => {}
            }
        }
        Self::Reaching { projects, workspaces }
    }

    /// What is shown of a secret with this visibility: `None` if the secret itself is not.
    pub fn shows(&self, visibility: &Visibility) -> Option<Visibility> {
        match (self, visibility) {
            (Self::All, _) | (_, Visibility::All) => Some(visibility.clone()),
            (Self::Reaching { projects, workspaces }, Visibility::Selected { projects: ps, workspaces: ws }) => {
                let (projects, workspaces) = (projects & ps, workspaces & ws);
                let reaches_any = !projects.is_empty() || !workspaces.is_empty();
                reaches_any.then_some(Visibility::Selected { projects, workspaces })
            }
        }
    }
}
