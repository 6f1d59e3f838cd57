//! Between the identifiers and the uids of what an organization secret reaches.

use std::collections::{BTreeSet, HashMap};

use secrets_core::{ProjectId, Uid, Visibility, WorkspaceId};

use super::patch::VisibilityNames;
use crate::error::Error;
use crate::store::{KeyedConnection, project, workspace};

/// The uids of what is named. What does not exist is refused by name.
pub(super) async fn locate(
    db: &impl KeyedConnection,
    organization: Uid,
    names: &VisibilityNames,
) -> Result<Visibility, Error> {
    let VisibilityNames::Selected { projects, workspaces } = names else { return Ok(Visibility::All) };
    let found = project::by_ids(db, organization, projects).await?;
    let known: BTreeSet<_> = found.iter().map(|row| &row.project_id).collect();
    if let Some(unknown) = projects.iter().find(|id| !known.contains(id)) {
        return Err(Error::invalid("secret.visibility.projects", format!("there is no project `{unknown}`")));
    }
    let project_uids = found.iter().map(|row| row.uid).collect();
    let found = workspace::by_ids(db, organization, workspaces).await?;
    let known: BTreeSet<_> = found.iter().map(|row| &row.workspace_id).collect();
    if let Some(unknown) = workspaces.iter().find(|id| !known.contains(id)) {
        return Err(Error::invalid("secret.visibility.workspaces", format!("there is no workspace `{unknown}`")));
    }
    let workspace_uids = found.iter().map(|row| row.uid).collect();
    Ok(Visibility::Selected { projects: project_uids, workspaces: workspace_uids })
}

/// The identifiers of what some visibilities reach.
#[derive(Default)]
pub(super) struct Reached {
    projects: HashMap<Uid, ProjectId>,
    workspaces: HashMap<Uid, WorkspaceId>,
}

impl Reached {
    /// Looks up all that is selected: two queries, or none.
    pub(super) async fn by<'a>(
        db: &impl KeyedConnection,
        organization: Uid,
        visibilities: impl Iterator<Item = &'a Visibility>,
    ) -> Result<Self, Error> {
        let (mut projects, mut workspaces) = (BTreeSet::new(), BTreeSet::new());
        for visibility in visibilities {
            if let Visibility::Selected { projects: ps, workspaces: ws } = visibility {
                projects.extend(ps);
                workspaces.extend(ws);
            }
        }
        let mut reached = Self::default();
        if !projects.is_empty() {
            let rows = project::by_uids(db, organization, projects).await?;
            reached.projects = rows.into_iter().map(|row| (row.uid, row.project_id)).collect();
        }
        if !workspaces.is_empty() {
            let rows = workspace::by_uids(db, organization, workspaces).await?;
            reached.workspaces = rows.into_iter().map(|row| (row.uid, row.workspace_id)).collect();
        }
        Ok(reached)
    }

    /// A visibility by identifiers; what was deleted since is left out.
    pub(super) fn names(&self, visibility: &Visibility) -> VisibilityNames {
        match visibility {
            Visibility::All => VisibilityNames::All,
            Visibility::Selected { projects, workspaces } => VisibilityNames::Selected {
                projects: projects.iter().filter_map(|uid| self.projects.get(uid).cloned()).collect(),
                workspaces: workspaces.iter().filter_map(|uid| self.workspaces.get(uid).cloned()).collect(),
            },
        }
    }
}
