//! `DirectoryService`: decode, call, encode.

use secrets_proto::v1;
use secrets_proto::v1::directory_service_server::DirectoryService;
use tonic::{Request, Response, Status};

use super::decode::directory as decode;
use super::encode::directory as encode;
use super::handler::Handler;

/// The handlers.
pub struct Directory {
    handler: Handler,
}

impl Directory {
    /// Handlers behind `handler`.
    pub fn new(handler: Handler) -> Self {
        Self { handler }
    }
}

#[tonic::async_trait]
impl DirectoryService for Directory {
    async fn create_organization(
        &self,
        request: Request<v1::CreateOrganizationRequest>,
    ) -> Result<Response<v1::CreateOrganizationResponse>, Status> {
        self.handler
            .mutate(
                request,
                "secretsapi.v1.DirectoryService/CreateOrganization",
                decode::create_organization,
                |service, call, input, keep| Box::pin(service.create_organization(call, input, keep)),
                encode::created_organization,
                encode::kept_organization,
            )
            .await
    }
    async fn get_organization(
        &self,
        request: Request<v1::GetOrganizationRequest>,
    ) -> Result<Response<v1::GetOrganizationResponse>, Status> {
        self.handler
            .read(
                request,
                "secretsapi.v1.DirectoryService/GetOrganization",
                decode::get_organization,
                |service, call, input| Box::pin(service.get_organization(call, input)),
                encode::got_organization,
            )
            .await
    }

    async fn list_organizations(
        &self,
        request: Request<v1::ListOrganizationsRequest>,
    ) -> Result<Response<v1::ListOrganizationsResponse>, Status> {
        self.handler
            .read(
                request,
                "secretsapi.v1.DirectoryService/ListOrganizations",
                decode::list_organizations,
                |service, call, input| Box::pin(service.list_organizations(call, input)),
                encode::listed_organizations,
            )
            .await
    }

    async fn update_organization(
        &self,
        request: Request<v1::UpdateOrganizationRequest>,
    ) -> Result<Response<v1::UpdateOrganizationResponse>, Status> {
        self.handler
            .mutate(
                request,
                "secretsapi.v1.DirectoryService/UpdateOrganization",
                decode::update_organization,
                |service, call, input, keep| Box::pin(service.update_organization(call, input, keep)),
                encode::updated_organization,
                encode::updated_organization,
            )
            .await
    }

    async fn delete_organization(
        &self,
        request: Request<v1::DeleteOrganizationRequest>,
    ) -> Result<Response<v1::DeleteOrganizationResponse>, Status> {
        self.handler
            .mutate(
                request,
                "secretsapi.v1.DirectoryService/DeleteOrganization",
                decode::delete_organization,
                |service, call, input, keep| Box::pin(service.delete_organization(call, input, keep)),
                encode::deleted_organization,
                encode::deleted_organization,
            )
            .await
    }

    async fn create_project(
        &self,
        request: Request<v1::CreateProjectRequest>,
    ) -> Result<Response<v1::CreateProjectResponse>, Status> {
        self.handler
            .mutate(
                request,
                "secretsapi.v1.DirectoryService/CreateProject",
                decode::create_project,
                |service, call, input, keep| Box::pin(service.create_project(call, input, keep)),
                encode::created_project,
                encode::created_project,
            )
            .await
    }

    async fn get_project(
        &self,
        request: Request<v1::GetProjectRequest>,
    ) -> Result<Response<v1::GetProjectResponse>, Status> {
        self.handler
            .read(
                request,
                "secretsapi.v1.DirectoryService/GetProject",
                decode::get_project,
                |service, call, input| Box::pin(service.get_project(call, input)),
                encode::got_project,
            )
            .await
    }

    async fn list_projects(
        &self,
        request: Request<v1::ListProjectsRequest>,
    ) -> Result<Response<v1::ListProjectsResponse>, Status> {
        self.handler
            .read(
                request,
                "secretsapi.v1.DirectoryService/ListProjects",
                decode::list_projects,
                |service, call, input| Box::pin(service.list_projects(call, input)),
                encode::listed_projects,
            )
            .await
    }

    async fn delete_project(
        &self,
        request: Request<v1::DeleteProjectRequest>,
    ) -> Result<Response<v1::DeleteProjectResponse>, Status> {
        self.handler
            .mutate(
                request,
                "secretsapi.v1.DirectoryService/DeleteProject",
                decode::delete_project,
                |service, call, input, keep| Box::pin(service.delete_project(call, input, keep)),
                encode::deleted_project,
                encode::deleted_project,
            )
            .await
    }

    async fn create_workspace(
        &self,
        request: Request<v1::CreateWorkspaceRequest>,
    ) -> Result<Response<v1::CreateWorkspaceResponse>, Status> {
        self.handler
            .mutate(
                request,
                "secretsapi.v1.DirectoryService/CreateWorkspace",
                decode::create_workspace,
                |service, call, input, keep| Box::pin(service.create_workspace(call, input, keep)),
                encode::created_workspace,
                encode::created_workspace,
            )
            .await
    }

    async fn get_workspace(
        &self,
        request: Request<v1::GetWorkspaceRequest>,
    ) -> Result<Response<v1::GetWorkspaceResponse>, Status> {
        self.handler
            .read(
                request,
                "secretsapi.v1.DirectoryService/GetWorkspace",
                decode::get_workspace,
                |service, call, input| Box::pin(service.get_workspace(call, input)),
                encode::got_workspace,
            )
            .await
    }

    async fn list_workspaces(
        &self,
        request: Request<v1::ListWorkspacesRequest>,
    ) -> Result<Response<v1::ListWorkspacesResponse>, Status> {
        self.handler
            .read(
                request,
                "secretsapi.v1.DirectoryService/ListWorkspaces",
                decode::list_workspaces,
                |service, call, input| Box::pin(service.list_workspaces(call, input)),
                encode::listed_workspaces,
            )
            .await
    }

    async fn delete_workspace(
        &self,
        request: Request<v1::DeleteWorkspaceRequest>,
    ) -> Result<Response<v1::DeleteWorkspaceResponse>, Status> {
        self.handler
            .mutate(
                request,
                "secretsapi.v1.DirectoryService/DeleteWorkspace",
                decode::delete_workspace,
                |service, call, input, keep| Box::pin(service.delete_workspace(call, input, keep)),
                encode::deleted_workspace,
                encode::deleted_workspace,
            )
            .await
    }

    async fn create_user(
        &self,
        request: Request<v1::CreateUserRequest>,
    ) -> Result<Response<v1::CreateUserResponse>, Status> {
        self.handler
            .mutate(
                request,
                "secretsapi.v1.DirectoryService/CreateUser",
                decode::create_user,
                |service, call, input, keep| Box::pin(service.create_user(call, input, keep)),
                encode::created_user,
                encode::created_user,
            )
            .await
    }

    async fn get_user(&self, request: Request<v1::GetUserRequest>) -> Result<Response<v1::GetUserResponse>, Status> {
        self.handler
            .read(
                request,
                "secretsapi.v1.DirectoryService/GetUser",
                decode::get_user,
                |service, call, input| Box::pin(service.get_user(call, input)),
                encode::got_user,
            )
            .await
    }

    async fn list_users(
        &self,
        request: Request<v1::ListUsersRequest>,
    ) -> Result<Response<v1::ListUsersResponse>, Status> {
        self.handler
            .read(
                request,
                "secretsapi.v1.DirectoryService/ListUsers",
                decode::list_users,
                |service, call, input| Box::pin(service.list_users(call, input)),
                encode::listed_users,
            )
            .await
    }

    async fn delete_user(
        &self,
        request: Request<v1::DeleteUserRequest>,
    ) -> Result<Response<v1::DeleteUserResponse>, Status> {
        self.handler
            .mutate(
                request,
                "secretsapi.v1.DirectoryService/DeleteUser",
                decode::delete_user,
                |service, call, input, keep| Box::pin(service.delete_user(call, input, keep)),
                encode::deleted_user,
                encode::deleted_user,
            )
            .await
    }

    async fn create_service_account(
        &self,
        request: Request<v1::CreateServiceAccountRequest>,
    ) -> Result<Response<v1::CreateServiceAccountResponse>, Status> {
        self.handler
            .mutate(
                request,
                "secretsapi.v1.DirectoryService/CreateServiceAccount",
                decode::create_service_account,
                |service, call, input, keep| Box::pin(service.create_service_account(call, input, keep)),
                encode::created_service_account,
                encode::created_service_account,
            )
            .await
    }

    async fn get_service_account(
        &self,
        request: Request<v1::GetServiceAccountRequest>,
    ) -> Result<Response<v1::GetServiceAccountResponse>, Status> {
        self.handler
            .read(
                request,
                "secretsapi.v1.DirectoryService/GetServiceAccount",
                decode::get_service_account,
                |service, call, input| Box::pin(service.get_service_account(call, input)),
                encode::got_service_account,
            )
            .await
    }

    async fn list_service_accounts(
        &self,
        request: Request<v1::ListServiceAccountsRequest>,
    ) -> Result<Response<v1::ListServiceAccountsResponse>, Status> {
        self.handler
            .read(
                request,
                "secretsapi.v1.DirectoryService/ListServiceAccounts",
                decode::list_service_accounts,
                |service, call, input| Box::pin(service.list_service_accounts(call, input)),
                encode::listed_service_accounts,
            )
            .await
    }

    async fn delete_service_account(
        &self,
        request: Request<v1::DeleteServiceAccountRequest>,
    ) -> Result<Response<v1::DeleteServiceAccountResponse>, Status> {
        self.handler
            .mutate(
                request,
                "secretsapi.v1.DirectoryService/DeleteServiceAccount",
                decode::delete_service_account,
                |service, call, input, keep| Box::pin(service.delete_service_account(call, input, keep)),
                encode::deleted_service_account,
                encode::deleted_service_account,
            )
            .await
    }

    async fn transfer_workspace(
        &self,
        request: Request<v1::TransferWorkspaceRequest>,
    ) -> Result<Response<v1::TransferWorkspaceResponse>, Status> {
        self.handler
            .mutate(
                request,
                "secretsapi.v1.DirectoryService/TransferWorkspace",
                decode::transfer_workspace,
                |service, call, input, keep| Box::pin(service.transfer_workspace(call, input, keep)),
                encode::transferred_workspace,
                encode::transferred_workspace,
            )
            .await
    }
}
