//! Responses of `DirectoryService`.

use secrets_core::limits::Limits;
use secrets_core::{NamePolicy, ScopeName};
use secrets_proto::v1;

use super::{time, total};
use crate::service::access::admin_invitation::AdminInvitationView;
use crate::service::access::effects::Effects;
use crate::service::access::issued_invitation::IssuedInvitation;
use crate::service::directory::organization::{CreatedOrganization, LimitedOrganization};
use crate::service::directory::project::ProjectView;
use crate::service::directory::service_account::ServiceAccountView;
use crate::service::directory::transfer::Transferred;
use crate::service::directory::user::UserView;
use crate::service::directory::workspace::WorkspaceView;
use crate::service::mutation::Deleted;
use crate::service::page::list::Listed;
use crate::store::organization::Organization;
use crate::store::user::UserState;

pub fn created_organization(created: &CreatedOrganization) -> v1::CreateOrganizationResponse {
    v1::CreateOrganizationResponse {
        organization: Some(organization(&created.organization, &created.limits)),
        invitation: Some(invitation(&created.invitation)),
    }
}

/// Without the code, which is returned only once.
pub fn replayed_organization(created: &CreatedOrganization) -> v1::CreateOrganizationResponse {
    let mut response = created_organization(created);
    if let Some(invitation) = &mut response.invitation {
        invitation.code.clear();
    }
    response
}

pub fn got_organization(found: LimitedOrganization) -> v1::GetOrganizationResponse {
    let admin_invitations = found.admin_invitations.iter().map(admin_invitation).collect();
    let organization = v1::Organization { admin_invitations, ..organization(&found.row, &found.limits) };
    v1::GetOrganizationResponse { organization: Some(organization) }
}

pub fn listed_organizations(listed: Listed<LimitedOrganization>) -> v1::ListOrganizationsResponse {
    v1::ListOrganizationsResponse {
        organizations: listed.rows.iter().map(|found| organization(&found.row, &found.limits)).collect(),
        next_page_token: listed.next_page_token,
        total_size: total(listed.total_size),
    }
}

pub fn updated_organization(found: &LimitedOrganization) -> v1::UpdateOrganizationResponse {
    v1::UpdateOrganizationResponse { organization: Some(organization(&found.row, &found.limits)) }
}

pub fn deleted_organization(_: &Deleted) -> v1::DeleteOrganizationResponse {
    v1::DeleteOrganizationResponse {}
}

pub fn created_project(named: &ProjectView) -> v1::CreateProjectResponse {
    v1::CreateProjectResponse { project: Some(project(named)) }
}

pub fn got_project(named: ProjectView) -> v1::GetProjectResponse {
    v1::GetProjectResponse { project: Some(project(&named)) }
}

pub fn listed_projects(listed: Listed<ProjectView>) -> v1::ListProjectsResponse {
    v1::ListProjectsResponse {
        projects: listed.rows.iter().map(project).collect(),
        next_page_token: listed.next_page_token,
        total_size: total(listed.total_size),
    }
}

pub fn deleted_project(_: &Deleted) -> v1::DeleteProjectResponse {
    v1::DeleteProjectResponse {}
}

pub fn created_workspace(named: &WorkspaceView) -> v1::CreateWorkspaceResponse {
    v1::CreateWorkspaceResponse { workspace: Some(workspace(named)) }
}

pub fn got_workspace(named: WorkspaceView) -> v1::GetWorkspaceResponse {
    v1::GetWorkspaceResponse { workspace: Some(workspace(&named)) }
}

pub fn listed_workspaces(listed: Listed<WorkspaceView>) -> v1::ListWorkspacesResponse {
    v1::ListWorkspacesResponse {
        workspaces: listed.rows.iter().map(workspace).collect(),
        next_page_token: listed.next_page_token,
        total_size: total(listed.total_size),
    }
}

pub fn deleted_workspace(_: &Deleted) -> v1::DeleteWorkspaceResponse {
    v1::DeleteWorkspaceResponse {}
}

pub fn created_user(named: &UserView) -> v1::CreateUserResponse {
    v1::CreateUserResponse { user: Some(user(named)) }
}

pub fn got_user(named: UserView) -> v1::GetUserResponse {
    v1::GetUserResponse { user: Some(user(&named)) }
}

pub fn listed_users(listed: Listed<UserView>) -> v1::ListUsersResponse {
    v1::ListUsersResponse {
        users: listed.rows.iter().map(user).collect(),
        next_page_token: listed.next_page_token,
        total_size: total(listed.total_size),
    }
}

pub fn deleted_user(_: &Deleted) -> v1::DeleteUserResponse {
    v1::DeleteUserResponse {}
}

pub fn created_service_account(named: &ServiceAccountView) -> v1::CreateServiceAccountResponse {
    v1::CreateServiceAccountResponse { service_account: Some(service_account(named)) }
}

pub fn got_service_account(named: ServiceAccountView) -> v1::GetServiceAccountResponse {
    v1::GetServiceAccountResponse { service_account: Some(service_account(&named)) }
}

pub fn listed_service_accounts(listed: Listed<ServiceAccountView>) -> v1::ListServiceAccountsResponse {
    v1::ListServiceAccountsResponse {
        service_accounts: listed.rows.iter().map(service_account).collect(),
        next_page_token: listed.next_page_token,
        total_size: total(listed.total_size),
    }
}

pub fn deleted_service_account(_: &Deleted) -> v1::DeleteServiceAccountResponse {
    v1::DeleteServiceAccountResponse {}
}

pub fn transferred_workspace(transferred: &Transferred) -> v1::TransferWorkspaceResponse {
    v1::TransferWorkspaceResponse {
        workspace: Some(workspace(&transferred.workspace)),
        destroyed_secrets: total(transferred.destroyed_secrets),
    }
}

pub fn organization(row: &Organization, limits: &Limits) -> v1::Organization {
    let bounded = |limit: u64| u32::try_from(limit).unwrap_or(u32::MAX);
    v1::Organization {
        name: ScopeName::Organization(row.organization_id.clone()).to_string(),
        uid: row.uid.to_string(),
        organization_id: row.organization_id.to_string(),
        display_name: row.display_name.clone(),
        name_policy: match row.name_policy {
            NamePolicy::Strict => v1::NamePolicy::Strict,
            NamePolicy::Relaxed => v1::NamePolicy::Relaxed,
        }
        .into(),
        limits: Some(v1::OrganizationLimits {
            value_bytes: bounded(limits.value_bytes),
            secrets_per_scope: bounded(limits.secrets_per_scope),
            bytes_per_scope: bounded(limits.bytes_per_scope),
            versions_per_secret: bounded(limits.versions_per_secret),
        }),
        create_time: Some(time(row.create_time)),
        allowed_reserved: row.allowed_reserved.iter().map(str::to_owned).collect(),
        admin_invitations: Vec::new(),
    }
}

pub fn invitation(issued: &IssuedInvitation) -> v1::Invitation {
    v1::Invitation {
        user: issued.user.clone(),
        code: issued.code.to_string(),
        expire_time: issued.expire_time.map(time),
        ended: effects(&issued.effects),
    }
}

/// None where nothing has ended.
pub fn effects(effects: &Effects) -> Option<v1::InvitationEffects> {
    let ended = v1::InvitationEffects {
        tokens: total(effects.tokens),
        sessions: total(effects.sessions),
        recovery_codes: total(effects.recovery_codes),
        codes: total(effects.codes),
        destroyed_secrets: total(effects.destroyed_secrets),
        left_workspaces: total(effects.left_workspaces),
    };
    (*effects != Effects::default()).then_some(ended)
}

pub fn admin_invitation(view: &AdminInvitationView) -> v1::AdminInvitation {
    let row = &view.row;
    let is_redeemed = row.redeemed_for.is_some();
    v1::AdminInvitation {
        name: view.name.to_string(),
        user: view.user.clone(),
        create_time: Some(time(row.create_time)),
        start_time: row.start_time.map(time),
        expire_time: row.expire_time.map(time),
        redeem_time: row.revoke_time.filter(|_| is_redeemed).map(time),
        revoke_time: row.revoke_time.filter(|_| !is_redeemed).map(time),
    }
}

fn project(named: &ProjectView) -> v1::Project {
    let row = &named.row;
    v1::Project {
        name: ScopeName::Project(named.organization.clone(), row.project_id.clone()).to_string(),
        uid: row.uid.to_string(),
        project_id: row.project_id.to_string(),
        display_name: row.display_name.clone(),
        create_time: Some(time(row.create_time)),
    }
}

fn workspace(named: &WorkspaceView) -> v1::Workspace {
    let row = &named.row;
    v1::Workspace {
        name: ScopeName::Workspace(named.organization.clone(), row.workspace_id.clone()).to_string(),
        uid: row.uid.to_string(),
        workspace_id: row.workspace_id.to_string(),
        project: named.project.as_ref().map(ToString::to_string).unwrap_or_default(),
        owner: named.owner.as_ref().map(ToString::to_string).unwrap_or_default(),
        display_name: row.display_name.clone(),
        create_time: Some(time(row.create_time)),
    }
}

fn user(named: &UserView) -> v1::User {
    let row = &named.row;
    v1::User {
        name: ScopeName::User(named.organization.clone(), row.user_id.clone()).to_string(),
        uid: row.uid.to_string(),
        user_id: row.user_id.to_string(),
        display_name: row.display_name.clone(),
        state: match row.state {
            UserState::Invited => v1::UserState::Invited,
            UserState::Active => v1::UserState::Active,
        }
        .into(),
        create_time: Some(time(row.create_time)),
    }
}

fn service_account(named: &ServiceAccountView) -> v1::ServiceAccount {
    let row = &named.row;
    v1::ServiceAccount {
        name: named.name.to_string(),
        uid: row.uid.to_string(),
        service_account_id: row.service_account_id.to_string(),
        display_name: row.display_name.clone(),
        create_time: Some(time(row.create_time)),
    }
}
