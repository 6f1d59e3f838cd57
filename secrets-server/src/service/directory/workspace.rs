//! Workspaces: made, found and deleted. How one changes hands is in [`super::transfer`].

use std::collections::HashMap;

use secrets_core::authorize::{self, Action};
use secrets_core::{
    OrganizationId, Principal, ProjectId, Resource, Scope, ScopeKind, ScopeName, Uid, UserId, WorkspaceId, right,
};

use crate::audit::Subject;
use crate::call::Call;
use crate::error::Error;
use crate::service::Service;
use crate::service::mutation::{Begun, Deleted, IdempotencyKey, MutationOutcome};
use crate::service::open_call::OpenCall;
use crate::service::page::Page;
use crate::service::page::list::Listed;
use crate::store::organization::Organization;
use crate::store::workspace::Workspace;
use crate::store::{KeyedConnection, binding, credential, project, secret, user, workspace};

/// What CreateWorkspace is asked for.
pub struct NewWorkspace {
    pub organization: OrganizationId,
    pub id: WorkspaceId,
    /// The project it belongs to, for good.
    pub project: Option<ProjectId>,
    /// Who owns it; none: the caller.
    pub owner: Option<UserId>,
    /// For people.
    pub display_name: String,
}

/// A workspace by name and by row.
#[derive(Clone, Debug)]
pub struct WorkspaceView {
    pub organization: OrganizationId,
    pub row: Workspace,
    pub project: Option<ProjectId>,
    /// Who owns it; none when the owner has left.
    pub owner: Option<UserId>,
}

impl Service {
    /// Creates a workspace with its owner.
    pub async fn create_workspace(
        &self,
        call: &mut OpenCall,
        input: &NewWorkspace,
        key: &IdempotencyKey<WorkspaceView>,
    ) -> Result<MutationOutcome<WorkspaceView>, Error> {
        let organization = self.locate_organization(self.store.reader(), call, &input.organization).await?;
        let within = organization.uid;
        let name = ScopeName::Workspace(input.organization.clone(), input.id.clone());
        let subject = Subject::new(within, &name, None);
        let parent = ScopeName::Organization(input.organization.clone());
        call.identify(subject.clone());
        let (project, owner) = locate_parts(self.store.reader(), call, within, input).await?;
        let first = call.authorize::<right::CreateWorkspace>(&(
            subject.clone(),
            new_resource(within, project, owner),
            &parent,
        ))?;
        let locked = self.lock(call, within, first).await?;
        let organization = self.locate_organization(locked.db(), call, &input.organization).await?;
        let (project, owner) = locate_parts(locked.db(), call, within, input).await?;
        let located = (subject, new_resource(within, project, owner), parent);
        let mut mutation = match locked.mutate::<right::CreateWorkspace, _>(call, &located, key).await? {
            Begun::Replayed(outcome) => return Ok(outcome),
            Begun::New(mutation) => mutation,
        };
        if let Some(id) = input.project.as_ref().filter(|_| project == Some(Uid::nil())) {
            return Err(Error::not_found(format_args!("project `organizations/{}/projects/{id}`", input.organization)));
        }
        if let Some(id) = input.owner.as_ref().filter(|_| owner.is_nil()) {
            return Err(Error::not_found(format_args!("user `organizations/{}/users/{id}`", input.organization)));
        }
        let row = Workspace {
            uid: self.uid()?,
            organization: within,
            workspace_id: input.id.clone(),
            project,
            owner: Some(owner),
            display_name: input.display_name.clone(),
            create_time: call.now,
        };
        workspace::insert(mutation.db(), &row).await?;
        mutation.bump(Scope::new(ScopeKind::Workspace, row.uid)).await?;
        call.identify(Subject::new(within, &name, row.uid));
        let named = name_workspace(mutation.db(), &organization, row).await?;
        mutation.finish(call, key, named).await
    }

    /// Returns a workspace.
    pub async fn get_workspace(&self, call: &mut OpenCall, name: ScopeName) -> Result<WorkspaceView, Error> {
        let db = &self.read(call).await?;
        let located = self.locate_scope(db, call, &name).await?;
        call.require::<right::GetWorkspace>(&located)?;
        located.must_exist()?;
        let row = workspace::by_uids(db, located.organization.uid, [located.scope.uid]).await?.pop();
        let row = row.ok_or_else(|| Error::not_found(format_args!("workspace `{name}`")))?;
        name_workspace(db, &located.organization, row).await
    }

    /// Lists the workspaces that the caller may see.
    pub async fn list_workspaces(
        &self,
        call: &mut OpenCall,
        (organization, page): (OrganizationId, Page),
    ) -> Result<Listed<WorkspaceView>, Error> {
        let db = &self.read(call).await?;
        let parent = self.locate_scope(db, call, &ScopeName::Organization(organization.clone())).await?;
        call.require::<right::ListWorkspaces>(&parent)?;
        let within = parent.organization.uid;
        let shows = |workspace: Uid, project: Option<Uid>, owner: Option<Uid>| {
            let resource = Resource::Workspace { organization: within, workspace, project, owner };
            authorize::decide(&call.caller.principal, &call.caller.bindings, Action::GetWorkspace, &resource).is_ok()
        };
        // Whoever sees a workspace that nobody owns or has a role on sees all.
        let total = if shows(Uid::nil(), None, None) { Some(workspace::count(db, within, None).await?) } else { None };
        let fetch = |after: Option<WorkspaceId>, limit| async move {
            workspace::list(db, within, None, after.as_ref(), limit).await
        };
        let query = ["workspaces", organization.as_str()];
        let cursor = |row: &Workspace| row.workspace_id.clone();
        let shows = |row: &Workspace| shows(row.uid, row.project, row.owner);
        let listed = self.list_page(&page, &query, total, shows, cursor, fetch).await?;
        let names = Names::load(db, within, &listed.rows).await?;
        Ok(listed.map(|row| names.give(&organization, row)))
    }

    /// Deletes a workspace and destroys its secrets.
    pub async fn delete_workspace(
        &self,
        call: &mut OpenCall,
        name: &ScopeName,
        key: &IdempotencyKey<Deleted>,
    ) -> Result<MutationOutcome<Deleted>, Error> {
        let organization = self.locate_organization(self.store.reader(), call, name.organization()).await?;
        let first = self.locate_scope(self.store.reader(), call, name).await?;
        let first = call.authorize::<right::DeleteWorkspace>(&first)?;
        let locked = self.lock(call, organization.uid, first).await?;
        let located = self.locate_scope(locked.db(), call, name).await?;
        let mut mutation = match locked.mutate::<right::DeleteWorkspace, _>(call, &located, key).await? {
            Begun::Replayed(outcome) => return Ok(outcome),
            Begun::New(mutation) => mutation,
        };
        located.must_exist()?;
        let (within, uid) = (organization.uid, located.scope.uid);
        secret::purge_scope(mutation.db(), within, located.scope).await?;
        secret::forget_resource(mutation.db(), within, uid).await?;
        binding::delete_on(mutation.db(), within, uid).await?;
        credential::revoke_sessions_in(mutation.db(), within, uid, call.now).await?;
        workspace::delete(mutation.db(), within, uid).await?;
        mutation.bump(located.scope).await?;
        // What was visible to it only is visible to nobody.
        mutation.bump(Scope::new(ScopeKind::Organization, within)).await?;
        mutation.finish(call, key, Deleted).await
    }
}

/// The uids of a new workspace's project and owner. What is missing has the nil uid, which nobody has a role on.
async fn locate_parts(
    db: &impl KeyedConnection,
    call: &Call,
    organization: Uid,
    input: &NewWorkspace,
) -> Result<(Option<Uid>, Uid), Error> {
    let project = match &input.project {
        Some(id) => Some(project::by_id(db, organization, id).await?.map_or(Uid::nil(), |row| row.uid)),
        None => None,
    };
    let owner = match (&input.owner, &call.caller.principal) {
        (Some(id), _) => user::by_id(db, organization, id).await?.map_or(Uid::nil(), |row| row.uid),
        (None, Principal::User { user, .. }) => *user,
        (None, _) => {
            return Err(Error::invalid(
                "workspace.owner",
                "must be the identifier of a user; only a user owns a workspace",
            ));
        }
    };
    Ok((project, owner))
}

/// A workspace that is not there yet, as it is authorized.
fn new_resource(organization: Uid, project: Option<Uid>, owner: Uid) -> Resource {
    Resource::Workspace { organization, workspace: Uid::nil(), project, owner: Some(owner) }
}

/// The workspace with the identifiers of its project and owner.
pub(super) async fn name_workspace(
    db: &impl KeyedConnection,
    organization: &Organization,
    row: Workspace,
) -> Result<WorkspaceView, Error> {
    let names = Names::load(db, organization.uid, std::slice::from_ref(&row)).await?;
    Ok(names.give(&organization.organization_id, row))
}

/// The identifiers of the projects and owners of some workspaces.
struct Names {
    projects: HashMap<Uid, ProjectId>,
    owners: HashMap<Uid, UserId>,
}

impl Names {
    async fn load(db: &impl KeyedConnection, organization: Uid, rows: &[Workspace]) -> Result<Self, Error> {
        let projects = project::by_uids(db, organization, rows.iter().filter_map(|row| row.project)).await?;
        let owners = user::by_uids(db, organization, rows.iter().filter_map(|row| row.owner)).await?;
        Ok(Self {
            projects: projects.into_iter().map(|row| (row.uid, row.project_id)).collect(),
            owners: owners.into_iter().map(|row| (row.uid, row.user_id)).collect(),
        })
    }

    fn give(&self, organization: &OrganizationId, row: Workspace) -> WorkspaceView {
        WorkspaceView {
            organization: organization.clone(),
            project: row.project.and_then(|uid| self.projects.get(&uid).cloned()),
            owner: row.owner.and_then(|uid| self.owners.get(&uid).cloned()),
            row,
        }
    }
}
