//! Projects.

use secrets_core::authorize::{self, Action};
use secrets_core::{
    Binding, OrganizationId, Principal, PrincipalKind, PrincipalRef, ProjectId, Resource, Role, RoleResource, Scope,
    ScopeKind, ScopeName, Uid, right,
};

use crate::audit::Subject;
use crate::error::{Error, Reason};
use crate::service::Service;
use crate::service::mutation::{Begun, Deleted, IdempotencyKey, MutationOutcome};
use crate::service::open_call::OpenCall;
use crate::service::page::Page;
use crate::service::page::list::Listed;
use crate::store::binding::BindingRecord;
use crate::store::project::Project;
use crate::store::{binding, credential, project, secret, workspace};

/// What CreateProject is asked for.
pub struct NewProject {
    pub organization: OrganizationId,
    pub id: ProjectId,
    /// For people.
    pub display_name: String,
}

/// A project by name and by row.
#[derive(Clone, Debug)]
pub struct ProjectView {
    pub organization: OrganizationId,
    pub row: Project,
}

impl Service {
    /// Creates a project. A person who creates it becomes its administrator, and so takes part in its contexts.
    pub async fn create_project(
        &self,
        call: &mut OpenCall,
        input: &NewProject,
        key: &IdempotencyKey<ProjectView>,
    ) -> Result<MutationOutcome<ProjectView>, Error> {
        let organization = self.locate_organization(self.store.reader(), call, &input.organization).await?;
        let name = ScopeName::Project(input.organization.clone(), input.id.clone());
        let subject = Subject::new(organization.uid, &name, None);
        let parent = ScopeName::Organization(input.organization.clone());
        let located = (subject, Resource::Organization(organization.uid), parent);
        let first = call.authorize::<right::CreateProject>(&located)?;
        let locked = self.lock(call, organization.uid, first).await?;
        let mut mutation = match locked.mutate::<right::CreateProject, _>(call, &located, key).await? {
            Begun::Replayed(outcome) => return Ok(outcome),
            Begun::New(mutation) => mutation,
        };
        let row = Project {
            uid: self.uid()?,
            organization: organization.uid,
            project_id: input.id.clone(),
            display_name: input.display_name.clone(),
            create_time: call.now,
        };
        project::insert(mutation.db(), &row).await?;
        if let Principal::User { user, .. } = call.caller.principal {
            let principal = PrincipalRef { kind: PrincipalKind::User, uid: user };
            let on = RoleResource::Project { organization: organization.uid, project: row.uid };
            let binding = Binding { principal, role: Role::Admin, resource: on };
            let creator = call.caller.name.to_string();
            binding::insert(
                mutation.db(),
                &BindingRecord { uid: self.uid()?, binding, create_time: call.now, creator },
            )
            .await?;
        }
        mutation.bump(Scope::new(ScopeKind::Project, row.uid)).await?;
        call.identify(Subject::new(organization.uid, &name, row.uid));
        mutation.finish(call, key, ProjectView { organization: input.organization.clone(), row }).await
    }

    /// Returns a project.
    pub async fn get_project(&self, call: &mut OpenCall, name: ScopeName) -> Result<ProjectView, Error> {
        let db = &self.read(call).await?;
        let located = self.locate_scope(db, call, &name).await?;
        call.require::<right::GetProject>(&located)?;
        located.must_exist()?;
        let row = project::by_uids(db, located.organization.uid, [located.scope.uid]).await?.pop();
        let row = row.ok_or_else(|| Error::not_found(format_args!("project `{name}`")))?;
        Ok(ProjectView { organization: located.organization.organization_id, row })
    }

    /// Lists the projects that the caller may see.
    pub async fn list_projects(
        &self,
        call: &mut OpenCall,
        (organization, page): (OrganizationId, Page),
    ) -> Result<Listed<ProjectView>, Error> {
        let db = &self.read(call).await?;
        let parent = self.locate_scope(db, call, &ScopeName::Organization(organization.clone())).await?;
        call.require::<right::ListProjects>(&parent)?;
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
        call: &mut OpenCall,
        name: &ScopeName,
        key: &IdempotencyKey<Deleted>,
    ) -> Result<MutationOutcome<Deleted>, Error> {
        let organization = self.locate_organization(self.store.reader(), call, name.organization()).await?;
        let first = self.locate_scope(self.store.reader(), call, name).await?;
        let first = call.authorize::<right::DeleteProject>(&first)?;
        let locked = self.lock(call, organization.uid, first).await?;
        let located = self.locate_scope(locked.db(), call, name).await?;
        let mut mutation = match locked.mutate::<right::DeleteProject, _>(call, &located, key).await? {
            Begun::Replayed(outcome) => return Ok(outcome),
            Begun::New(mutation) => mutation,
        };
        located.must_exist()?;
        let (within, uid) = (organization.uid, located.scope.uid);
        let workspaces = workspace::count(mutation.db(), within, Some(uid)).await?;
        if workspaces > 0 {
            let text = format!("the project still has workspaces ({workspaces}); delete them first");
            return Err(Error::new(Reason::NotEmpty, text));
        }
        secret::purge_scope(mutation.db(), within, located.scope).await?;
        secret::forget_resource(mutation.db(), within, uid).await?;
        binding::delete_on(mutation.db(), within, uid).await?;
        credential::revoke_sessions_in(mutation.db(), within, uid, call.now).await?;
        project::delete(mutation.db(), within, uid).await?;
        mutation.bump(located.scope).await?;
        // What was visible to it only is visible to nobody.
        mutation.bump(Scope::new(ScopeKind::Organization, within)).await?;
        mutation.finish(call, key, Deleted).await
    }
}
