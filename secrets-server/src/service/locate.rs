//! From identifiers to uids. What does not exist is located too, with the nil uid, so that authorization comes first and
//! whoever may not see a thing learns nothing of its existence.

pub mod account;
pub mod context;
pub mod limits;
pub mod role_resource;

use secrets_core::limits::Limits;
use secrets_core::{OrganizationId, Principal, Resource, RoleResource, Scope, ScopeKind, ScopeName, Uid};

use crate::audit::Subject;
use crate::call::Call;
use crate::error::Error;
use crate::service::Service;
use crate::service::open_call::Located;
use crate::store::organization::Organization;
use crate::store::{KeyedConnection, organization, project, user, workspace};

/// A scope by name and by uid.
#[derive(Clone, Debug)]
pub struct LocatedScope {
    pub name: ScopeName,
    pub organization: Organization,
    /// Its uid; nil when there is no such scope.
    pub scope: Scope,
    pub resource: Resource,
}

impl Located for LocatedScope {
    fn subject(&self) -> Subject {
        Subject::located(self.organization.uid, &self.name, self.scope.uid)
    }

    fn resource(&self) -> Resource {
        self.resource
    }

    fn path(&self) -> Option<String> {
        Some(self.name.to_string())
    }
}

impl LocatedScope {
    /// Refuses a scope that does not exist. Call it after authorizing.
    pub fn must_exist(&self) -> Result<(), Error> {
        if self.scope.uid.is_nil() {
            return Err(Error::not_found(format_args!("{} `{}`", noun(self.name.kind()), self.name)));
        }
        Ok(())
    }
}

impl Service {
    /// The organization of this id, if the caller may know whether there is one: the operator and the platform's service
    /// accounts any, others their own.
    pub async fn locate_organization(
        &self,
        db: &impl KeyedConnection,
        call: &Call,
        id: &OrganizationId,
    ) -> Result<Organization, Error> {
        match &call.caller.organization {
            Some(own) if own.id != *id => Err(Error::denied()),
            Some(own) => organization::by_uid(db, own.uid).await?.ok_or_else(Error::denied),
            None => organization::by_id(db, id).await?.ok_or_else(|| {
                if reaches_every_organization(call) {
                    Error::not_found(format_args!("organization `organizations/{id}`"))
                } else {
                    Error::denied()
                }
            }),
        }
    }

    /// The scope of this name, and what is to be authorized for it.
    pub async fn locate_scope(
        &self,
        db: &impl KeyedConnection,
        call: &Call,
        name: &ScopeName,
    ) -> Result<LocatedScope, Error> {
        let organization = self.locate_organization(db, call, name.organization()).await?;
        let within = organization.uid;
        let (uid, resource) = match name {
            ScopeName::Organization(_) => (within, Resource::Organization(within)),
            ScopeName::Project(_, id) => {
                let uid = project::by_id(db, within, id).await?.map_or(Uid::nil(), |row| row.uid);
                (uid, Resource::Project { organization: within, project: uid })
            }
            ScopeName::Workspace(_, id) => {
                let row = workspace::by_id(db, within, id).await?;
                let uid = row.as_ref().map_or(Uid::nil(), |row| row.uid);
                let project = row.as_ref().and_then(|row| row.project);
                let owner = row.as_ref().and_then(|row| row.owner);
                (uid, Resource::Workspace { organization: within, workspace: uid, project, owner })
            }
            ScopeName::User(_, id) => {
                let uid = user::by_id(db, within, id).await?.map_or(Uid::nil(), |row| row.uid);
                (uid, Resource::User { organization: within, user: uid })
            }
        };
        Ok(LocatedScope { name: name.clone(), organization, scope: Scope::new(name.kind(), uid), resource })
    }

    /// The limits in force in an organization: its own, never above the service's.
    pub(super) fn limits_in(&self, organization: &Organization) -> Result<Limits, Error> {
        limits::parse(&self.limits, &organization.limits)
    }
}

fn reaches_every_organization(call: &Call) -> bool {
    matches!(call.caller.principal, Principal::Operator)
        || call.caller.bindings.iter().any(|binding| matches!(binding.resource, RoleResource::Platform))
}

/// The noun for a kind of scope, in sentences.
pub fn noun(kind: ScopeKind) -> &'static str {
    match kind {
        ScopeKind::Organization => "organization",
        ScopeKind::Project => "project",
        ScopeKind::Workspace => "workspace",
        ScopeKind::User => "user",
    }
}
