//! Projects.

use secrets_core::authorize::{self, Action};
use secrets_core::{
    Binding, OrganizationId, Principal, PrincipalKind, PrincipalRef, ProjectId, Resource, Role, RoleResource, Scope,
    ScopeKind, ScopeName, Uid, right,
};

use crate::call::Call;
use crate::error::{Error, Reason};
use crate::service::Service;
use crate::service::mutation::{Deleted, Done, Keep};
use crate::service::page::Page;
use crate::service::page::list::Listed;
use crate::store::binding::BindingRecord;
use crate::store::project::Project;
use crate::store::{binding, credential, project, secret, workspace};

/// What CreateProject is asked for.
pub struct NewProject {
    /// The organization.
    pub organization: OrganizationId,
    /// Its identifier.
    pub id: ProjectId,
    /// For people.
    pub display_name: String,
}

/// A project by name and by row.
#[derive(Clone, Debug)]
pub struct ProjectView {
    /// The organization.
    pub organization: OrganizationId,
    /// The project.
    pub row: Project,
}

impl Service {
    /// Creates a project. A person who creates it becomes its administrator, and so takes part in its contexts.
    pub async fn create_project(
        &self,
        call: &Call,
        input: &NewProject,
        keep: &Keep<ProjectView>,
    ) -> Result<Done<ProjectView>, Error> {
        let organization = self.locate_organization(self.store.reader(), call, &input.organization).await?;
        let name = ScopeName::Project(input.organization.clone(), input.id.clone());
        call.about(Some(organization.uid), name.to_string(), None);
        let mut change = self.begin(call, organization.uid).await?;
        let parent = ScopeName::Organization(input.organization.clone());
        let parent = self.locate_scope(change.db(), call, &parent).await?;
        let permit = call.authorize::<right::CreateProject>(&parent.resource)?;
        if let Some(done) = change.repeated(keep).await? {
            return Ok(done);
        }
        let row = Project {
            uid: self.uid()?,
            organization: organization.uid,
            project_id: input.id.clone(),
            display_name: input.display_name.clone(),
            create_time: call.now,
        };
        project::insert(change.db(), &row).await?;
        if let Principal::User { user, .. } = call.caller.principal {
            let principal = PrincipalRef { kind: PrincipalKind::User, uid: user };
            let on = RoleResource::Project { organization: organization.uid, project: row.uid };
            let binding = Binding { principal, role: Role::Admin, resource: on };
            let creator = call.caller.name.clone();
            binding::insert(change.db(), &BindingRecord { uid: self.uid()?, binding, create_time: call.now, creator })
                .await?;
        }
        change.bump(Scope::new(ScopeKind::Project, row.uid)).await?;
        call.about_precisely(Some(organization.uid), name.to_string(), Some(row.uid));
        change.finish(&permit, keep, ProjectView { organization: input.organization.clone(), row }).await
    }

    /// Returns a project.
    pub async fn get_project(&self, call: &Call, name: ScopeName) -> Result<ProjectView, Error> {
        let db = self.store.reader();
        let located = self.locate_scope(db, call, &name).await?;
        let _permit = call.authorize::<right::GetProject>(&located.resource)?;
        located.must_exist()?;
        let row = project::by_uids(db, located.organization.uid, [located.scope.uid]).await?.pop();
        let row = row.ok_or_else(|| Error::not_found(format_args!("project `{name}`")))?;
        Ok(ProjectView { organization: located.organization.organization_id, row })
    }

    /// Lists the projects that the caller may see.
    pub async fn list_projects(
        &self,
        call: &Call,
        (organization, page): (OrganizationId, Page),
    ) -> Result<Listed<ProjectView>, Error> {
        let db = self.store.reader();
        let parent = self.locate_scope(db, call, &ScopeName::Organization(organization.clone())).await?;
        let _permit = call.authorize::<right::ListProjects>(&parent.resource)?;
        let within = parent.organization.uid;
        let shows = |uid: Uid| {
            let resource = Resource::Project { organization: within, project: uid };
            authorize::decide(&call.caller.principal, &call.caller.bindings, Action::GetProject, &resource).is_ok()
        };
        // Whoever sees a project that nobody has a role on sees all.
        let total = if shows(Uid::nil()) { Some(project::count(db, within).await?) } else { None };
        let fetch =
            |after: Option<ProjectId>, limit| async move { project::list(db, within, after.as_ref(), limit).await };
        let query = ["projects", organization.as_str()];
        let cursor = |row: &Project| row.project_id.clone();
        let listed = self.list_page(&page, &query, total, |row| shows(row.uid), cursor, fetch).await?;
        Ok(listed.map(|row| ProjectView { organization: organization.clone(), row }))
    }

    /// Deletes a project with its secrets, unless workspaces belong to it.
    pub async fn delete_project(
        &self,
        call: &Call,
        name: &ScopeName,
        keep: &Keep<Deleted>,
    ) -> Result<Done<Deleted>, Error> {
        let organization = self.locate_organization(self.store.reader(), call, name.organization()).await?;
        let mut change = self.begin(call, organization.uid).await?;
        let located = self.locate_scope(change.db(), call, name).await?;
        let permit = call.authorize::<right::DeleteProject>(&located.resource)?;
        if let Some(done) = change.repeated(keep).await? {
            return Ok(done);
        }
        located.must_exist()?;
        let (within, uid) = (organization.uid, located.scope.uid);
        let workspaces = workspace::count(change.db(), within, Some(uid)).await?;
        if workspaces > 0 {
            let text = format!("{workspaces} workspaces belong to the project; delete them first");
            return Err(Error::new(Reason::NotEmpty, text));
        }
        secret::purge_scope(change.db(), within, located.scope).await?;
        secret::forget_resource(change.db(), within, uid).await?;
        binding::delete_on(change.db(), within, uid).await?;
        credential::revoke_sessions_in(change.db(), within, uid, call.now).await?;
        project::delete(change.db(), within, uid).await?;
        change.bump(located.scope).await?;
        // What was visible to it only is visible to nobody.
        change.bump(Scope::new(ScopeKind::Organization, within)).await?;
        change.finish(&permit, keep, Deleted).await
    }
}
