//! How much of an organization's secrets somebody sees who may list them.

use std::collections::BTreeSet;

use super::{Permit, Resource, Standing, right};
use crate::Uid;
use crate::role::{Binding, Level, Role};
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
    /// What the holder of the permit sees, from their bindings and the workspaces they `own`.
    pub fn of(permit: &Permit<right::ListSecrets>, bindings: &[Binding], own: impl IntoIterator<Item = Uid>) -> Self {
        let (projects, workspaces) = (BTreeSet::new(), own.into_iter().collect());
        match *permit.resource() {
            Resource::Organization(_) if permit.standing() == Standing::Member => {
                let mut listing = Self::Reaching { projects, workspaces };
                let reference = permit.principal().reference();
                for binding in bindings.iter().filter(|binding| binding.principal == reference) {
                    listing.add(permit, binding);
                }
                listing
            }
            _ => Self::All,
        }
    }

    fn add(&mut self, permit: &Permit<right::ListSecrets>, binding: &Binding) {
        let Self::Reaching { projects, workspaces } = self else { return };
        if binding.on.organization() != permit.resource().organization() {
            return;
        }
        match (binding.on, binding.role) {
            (Level::Project { project, .. }, Role::Admin | Role::Member) => {
                projects.insert(project);
            }
            (Level::Workspace { workspace, .. }, Role::Member) => {
                workspaces.insert(workspace);
            }
            _ => {}
        }
    }

    /// What is shown of a secret with this visibility: `None` if the secret itself is not.
    pub fn shows(&self, visibility: &Visibility) -> Option<Visibility> {
        match (self, visibility) {
            (Self::All, _) | (_, Visibility::All) => Some(visibility.clone()),
            (Self::Reaching { projects, workspaces }, Visibility::Selected { projects: ps, workspaces: ws }) => {
                let (projects, workspaces) = (projects & ps, workspaces & ws);
                let reaches_them = !projects.is_empty() || !workspaces.is_empty();
                reaches_them.then_some(Visibility::Selected { projects, workspaces })
            }
        }
    }
}
