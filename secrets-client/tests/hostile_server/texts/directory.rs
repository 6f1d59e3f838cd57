//! Organizations, and what and who is in them.

use secrets_client::v1;

use super::access::{admin_invitation, invitation};
use super::{never, text};
use crate::support::Reply;

/// What a method of the directory is answered with. A list also has an item whose identifier breaks no rule, as a completion
/// takes it.
pub(super) fn reply(method: &str) -> Option<Reply> {
    Some(match method {
        "CreateOrganization" => Reply::message(&v1::CreateOrganizationResponse {
            organization: Some(organization()),
            invitation: Some(invitation()),
        }),
        "GetOrganization" => Reply::message(&v1::GetOrganizationResponse { organization: Some(organization()) }),
        "UpdateOrganization" => Reply::message(&v1::UpdateOrganizationResponse { organization: Some(organization()) }),
        "DeleteOrganization" => Reply::message(&v1::DeleteOrganizationResponse {}),
        "ListOrganizations" => {
            Reply::message(&v1::ListOrganizationsResponse { organizations: vec![organization()], ..Default::default() })
        }
        "CreateProject" => Reply::message(&v1::CreateProjectResponse { project: Some(project()) }),
        "GetProject" => Reply::message(&v1::GetProjectResponse { project: Some(project()) }),
        "DeleteProject" => Reply::message(&v1::DeleteProjectResponse {}),
        "ListProjects" => {
            let projects = vec![project(), v1::Project { project_id: "api".into(), ..project() }];
            Reply::message(&v1::ListProjectsResponse { projects, ..Default::default() })
        }
        "CreateWorkspace" => Reply::message(&v1::CreateWorkspaceResponse { workspace: Some(workspace()) }),
        "GetWorkspace" => Reply::message(&v1::GetWorkspaceResponse { workspace: Some(workspace()) }),
        "DeleteWorkspace" => Reply::message(&v1::DeleteWorkspaceResponse {}),
        "TransferWorkspace" => {
            Reply::message(&v1::TransferWorkspaceResponse { workspace: Some(workspace()), destroyed_secrets: i32::MAX })
        }
        "ListWorkspaces" => {
            let workspaces = vec![workspace(), v1::Workspace { workspace_id: "ws1".into(), ..workspace() }];
            Reply::message(&v1::ListWorkspacesResponse { workspaces, ..Default::default() })
        }
        "CreateUser" => Reply::message(&v1::CreateUserResponse { user: Some(user()) }),
        "GetUser" => Reply::message(&v1::GetUserResponse { user: Some(user()) }),
        "DeleteUser" => Reply::message(&v1::DeleteUserResponse {}),
        "ListUsers" => Reply::message(&v1::ListUsersResponse { users: vec![user()], ..Default::default() }),
        "CreateServiceAccount" => {
            Reply::message(&v1::CreateServiceAccountResponse { service_account: Some(service_account()) })
        }
        "GetServiceAccount" => {
            Reply::message(&v1::GetServiceAccountResponse { service_account: Some(service_account()) })
        }
        "DeleteServiceAccount" => Reply::message(&v1::DeleteServiceAccountResponse {}),
        "ListServiceAccounts" => Reply::message(&v1::ListServiceAccountsResponse {
            service_accounts: vec![service_account()],
            ..Default::default()
        }),
        _ => return None,
    })
}

fn organization() -> v1::Organization {
    v1::Organization {
        name: text(),
        uid: text(),
        organization_id: text(),
        display_name: text(),
        create_time: never(),
        allowed_reserved: vec![text(), "PAGER".into()],
        admin_invitations: vec![admin_invitation()],
        ..Default::default()
    }
}

fn project() -> v1::Project {
    v1::Project { name: text(), project_id: text(), display_name: text(), create_time: never(), ..Default::default() }
}

fn workspace() -> v1::Workspace {
    v1::Workspace {
        name: text(),
        workspace_id: text(),
        project: text(),
        owner: text(),
        display_name: text(),
        create_time: never(),
        ..Default::default()
    }
}

fn user() -> v1::User {
    v1::User { name: text(), user_id: text(), display_name: text(), create_time: never(), ..Default::default() }
}

fn service_account() -> v1::ServiceAccount {
    v1::ServiceAccount {
        name: text(),
        service_account_id: text(),
        display_name: text(),
        create_time: never(),
        ..Default::default()
    }
}
