//! Requests of `DirectoryService`.

use secrets_core::limits::Limit;
use secrets_core::{AllowedReserved, NamePolicy, OrganizationId, ScopeName, ServiceAccountName};
use secrets_proto::v1;

use super::name;
use super::{duration, identifier, label, resource};
use crate::error::{Error, Reason};
use crate::service::directory::organization::{NewOrganization, OrganizationUpdate};
use crate::service::directory::project::NewProject;
use crate::service::directory::service_account::NewServiceAccount;
use crate::service::directory::transfer::Transfer;
use crate::service::directory::user::NewUser;
use crate::service::directory::workspace::NewWorkspace;
use crate::service::locate::limits::OwnLimits;
use crate::service::page::Page;

/// Rows of a page, unless the request says otherwise.
const DEFAULT_PAGE_SIZE: u64 = 1_000;

pub fn create_organization(request: v1::CreateOrganizationRequest) -> Result<NewOrganization, Error> {
    let organization = request.organization.unwrap_or_default();
    Ok(NewOrganization {
        id: identifier("organization_id", &request.organization_id)?,
        name_policy: name_policy("organization.name_policy", organization.name_policy)?.unwrap_or_default(),
        limits: limits(organization.limits.unwrap_or_default()),
        allowed_reserved: allowed_reserved(&organization.allowed_reserved)?,
        display_name: label("organization.display_name", organization.display_name)?,
        admin: identifier("admin_user_id", &request.admin_user_id)?,
        invitation_ttl: duration("invitation_ttl", request.invitation_ttl)?,
    })
}

pub fn get_organization(request: v1::GetOrganizationRequest) -> Result<ScopeName, Error> {
    name::organization_scope("name", &request.name)
}

pub fn list_organizations(request: v1::ListOrganizationsRequest) -> Result<Page, Error> {
    Page::new(request.page_size, request.page_token, DEFAULT_PAGE_SIZE)
}

/// Without a mask every field that is set is changed.
pub fn update_organization(request: v1::UpdateOrganizationRequest) -> Result<OrganizationUpdate, Error> {
    let organization = request.organization.unwrap_or_default();
    let mut update = OrganizationUpdate {
        name: name::organization_scope("organization.name", &organization.name)?,
        display_name: Some(label("organization.display_name", organization.display_name)?),
        name_policy: name_policy("organization.name_policy", organization.name_policy)?,
        limits: limits(organization.limits.unwrap_or_default()),
        allowed_reserved: Some(allowed_reserved(&organization.allowed_reserved)?),
    };
    match request.update_mask {
        None => {
            update.display_name = update.display_name.filter(|text| !text.is_empty());
            update.allowed_reserved = update.allowed_reserved.filter(|allowed| !allowed.is_empty());
        }
        Some(mask) => {
            const PATHS: [&str; 4] = ["display_name", "name_policy", "limits", "allowed_reserved"];
            if let Some(unknown) = mask.paths.iter().find(|path| !PATHS.contains(&path.as_str())) {
                let text =
                    format!("`{}` can't be changed; expected any of `{}`", unknown.escape_debug(), PATHS.join("`, `"));
                return Err(Error::field(Reason::InvalidUpdateMask, "update_mask", text));
            }
            let is_named = |path: &str| mask.paths.iter().any(|named| named == path);
            if !is_named("display_name") {
                update.display_name = None;
            }
            if !is_named("allowed_reserved") {
                update.allowed_reserved = None;
            }
            if !is_named("limits") {
                update.limits = OwnLimits::new();
            }
            if !is_named("name_policy") {
                update.name_policy = None;
            } else if update.name_policy.is_none() {
                let text =
                    "must be set because `update_mask` names it; expected NAME_POLICY_STRICT or NAME_POLICY_RELAXED";
                return Err(Error::invalid("organization.name_policy", text));
            }
        }
    }
    Ok(update)
}

pub fn delete_organization(request: v1::DeleteOrganizationRequest) -> Result<ScopeName, Error> {
    name::organization_scope("name", &request.name)
}

pub fn create_project(request: v1::CreateProjectRequest) -> Result<NewProject, Error> {
    Ok(NewProject {
        organization: name::organization("parent", &request.parent)?,
        id: identifier("project_id", &request.project_id)?,
        display_name: label("project.display_name", request.project.unwrap_or_default().display_name)?,
    })
}

pub fn get_project(request: v1::GetProjectRequest) -> Result<ScopeName, Error> {
    name::project("name", &request.name)
}

pub fn list_projects(request: v1::ListProjectsRequest) -> Result<(OrganizationId, Page), Error> {
    let page = Page::new(request.page_size, request.page_token, DEFAULT_PAGE_SIZE)?;
    Ok((name::organization("parent", &request.parent)?, page))
}

pub fn delete_project(request: v1::DeleteProjectRequest) -> Result<ScopeName, Error> {
    name::project("name", &request.name)
}

pub fn create_workspace(request: v1::CreateWorkspaceRequest) -> Result<NewWorkspace, Error> {
    let workspace = request.workspace.unwrap_or_default();
    let project = (!workspace.project.is_empty()).then(|| identifier("workspace.project", &workspace.project));
    let owner = (!workspace.owner.is_empty()).then(|| identifier("workspace.owner", &workspace.owner));
    Ok(NewWorkspace {
        organization: name::organization("parent", &request.parent)?,
        id: identifier("workspace_id", &request.workspace_id)?,
        project: project.transpose()?,
        owner: owner.transpose()?,
        display_name: label("workspace.display_name", workspace.display_name)?,
    })
}

pub fn get_workspace(request: v1::GetWorkspaceRequest) -> Result<ScopeName, Error> {
    name::workspace("name", &request.name)
}

pub fn list_workspaces(request: v1::ListWorkspacesRequest) -> Result<(OrganizationId, Page), Error> {
    let page = Page::new(request.page_size, request.page_token, DEFAULT_PAGE_SIZE)?;
    Ok((name::organization("parent", &request.parent)?, page))
}

pub fn delete_workspace(request: v1::DeleteWorkspaceRequest) -> Result<ScopeName, Error> {
    name::workspace("name", &request.name)
}

pub fn transfer_workspace(request: v1::TransferWorkspaceRequest) -> Result<Transfer, Error> {
    Ok(Transfer {
        name: name::workspace("name", &request.name)?,
        new_owner: identifier("new_owner", &request.new_owner)?,
    })
}

pub fn create_user(request: v1::CreateUserRequest) -> Result<NewUser, Error> {
    Ok(NewUser {
        organization: name::organization("parent", &request.parent)?,
        id: identifier("user_id", &request.user_id)?,
        display_name: label("user.display_name", request.user.unwrap_or_default().display_name)?,
    })
}

pub fn get_user(request: v1::GetUserRequest) -> Result<ScopeName, Error> {
    name::user("name", &request.name)
}

pub fn list_users(request: v1::ListUsersRequest) -> Result<(OrganizationId, Page), Error> {
    let page = Page::new(request.page_size, request.page_token, DEFAULT_PAGE_SIZE)?;
    Ok((name::organization("parent", &request.parent)?, page))
}

pub fn delete_user(request: v1::DeleteUserRequest) -> Result<ScopeName, Error> {
    name::user("name", &request.name)
}

pub fn create_service_account(request: v1::CreateServiceAccountRequest) -> Result<NewServiceAccount, Error> {
    let display_name = request.service_account.unwrap_or_default().display_name;
    Ok(NewServiceAccount {
        name: ServiceAccountName {
            organization: name::organization_or_platform("parent", &request.parent)?,
            id: identifier("service_account_id", &request.service_account_id)?,
        },
        display_name: label("service_account.display_name", display_name)?,
    })
}

pub fn get_service_account(request: v1::GetServiceAccountRequest) -> Result<ServiceAccountName, Error> {
    resource("name", &request.name)
}

pub fn list_service_accounts(request: v1::ListServiceAccountsRequest) -> Result<(Option<OrganizationId>, Page), Error> {
    let page = Page::new(request.page_size, request.page_token, DEFAULT_PAGE_SIZE)?;
    Ok((name::organization_or_platform("parent", &request.parent)?, page))
}

pub fn delete_service_account(request: v1::DeleteServiceAccountRequest) -> Result<ServiceAccountName, Error> {
    resource("name", &request.name)
}

pub fn name_policy(field: &'static str, policy: i32) -> Result<Option<NamePolicy>, Error> {
    match v1::NamePolicy::try_from(policy) {
        Ok(v1::NamePolicy::Unspecified) => Ok(None),
        Ok(v1::NamePolicy::Strict) => Ok(Some(NamePolicy::Strict)),
        Ok(v1::NamePolicy::Relaxed) => Ok(Some(NamePolicy::Relaxed)),
        Err(_) => Err(Error::invalid(field, "expected NAME_POLICY_STRICT or NAME_POLICY_RELAXED")),
    }
}

fn allowed_reserved(entries: &[String]) -> Result<AllowedReserved, Error> {
    AllowedReserved::new(entries).map_err(|error| Error::invalid("organization.allowed_reserved", error))
}

pub fn limits(limits: v1::OrganizationLimits) -> OwnLimits {
    [
        (Limit::ValueBytes, limits.value_bytes),
        (Limit::SecretsPerScope, limits.secrets_per_scope),
        (Limit::BytesPerScope, limits.bytes_per_scope),
        (Limit::VersionsPerSecret, limits.versions_per_secret),
    ]
    .into_iter()
    .filter(|(_, maximum)| *maximum != 0)
    .map(|(limit, maximum)| (limit, u64::from(maximum)))
    .collect()
}
