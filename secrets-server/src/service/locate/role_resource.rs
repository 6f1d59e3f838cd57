//! The resources on which roles are held, by name: `platform`, an organization, a project or a workspace.

use secrets_core::{Resource, RoleResource, RoleResourceName, Scope, Uid};

use super::LocatedScope;
use crate::audit::Subject;
use crate::call::Call;
use crate::error::Error;
use crate::service::Service;
use crate::service::open_call::Located;
use crate::store::KeyedConnection;
use crate::store::PLATFORM;
use crate::store::organization::Organization;

/// A role resource by name and by uid.
#[derive(Clone, Debug)]
pub struct LocatedRoleResource {
    pub name: RoleResourceName,
    /// Its uid; nil when there is no such resource.
    pub role_resource: RoleResource,
    /// Who owns the workspace.
    pub owner: Option<Uid>,
    pub resource: Resource,
    scope: Option<LocatedScope>,
}

impl Located for LocatedRoleResource {
    fn subject(&self) -> Subject {
        self.scope.as_ref().map_or_else(|| Subject::new(None, "platform", None), Located::subject)
    }

    fn resource(&self) -> Resource {
        self.resource
    }

    fn path(&self) -> Option<String> {
        Some(self.name.to_string())
    }
}

impl LocatedRoleResource {
    /// The organization it is or belongs to; none for the platform.
    pub fn organization(&self) -> Option<&Organization> {
        self.scope.as_ref().map(|located| &located.organization)
    }

    /// The scope it is; the platform is none.
    pub fn scope(&self) -> Option<Scope> {
        self.scope.as_ref().map(|located| located.scope)
    }

    /// What a mutation of it locks: its organization, or the platform.
    pub fn lock(&self) -> Uid {
        self.role_resource.organization().unwrap_or(PLATFORM)
    }

    /// Refuses a resource that does not exist. Call it after authorizing.
    pub fn must_exist(&self) -> Result<(), Error> {
        self.scope.as_ref().map_or(Ok(()), LocatedScope::must_exist)
    }
}

impl Service {
    /// The role resource of this name, and what is to be authorized for it.
    pub async fn locate_role_resource(
        &self,
        db: &impl KeyedConnection,
        call: &Call,
        name: &RoleResourceName,
    ) -> Result<LocatedRoleResource, Error> {
        let RoleResourceName::Scope(scope) = name else {
            let (role_resource, resource) = (RoleResource::Platform, Resource::Platform);
            return Ok(LocatedRoleResource { name: name.clone(), role_resource, owner: None, resource, scope: None });
        };
        let located = self.locate_scope(db, call, scope).await?;
        let (role_resource, owner) = match located.resource {
            Resource::Organization(organization) => (RoleResource::Organization(organization), None),
            Resource::Project { organization, project } => (RoleResource::Project { organization, project }, None),
            Resource::Workspace { organization, workspace, owner, .. } => {
                (RoleResource::Workspace { organization, workspace }, owner)
            }
            _ => return Err(Error::internal("no role is held on such a resource")),
        };
        Ok(LocatedRoleResource {
            name: name.clone(),
            role_resource,
            owner,
            resource: located.resource,
            scope: Some(located),
        })
    }
}
