//! `DirectoryService`: decode, call, encode.

use secrets_proto::v1;
use secrets_proto::v1::directory_service_server::DirectoryService;
use tonic::{Request, Response, Status};

use super::decode::directory as decode;
use super::encode::directory as encode;
use super::handler::Handler;

pub struct Directory {
    handler: Handler,
}

impl Directory {
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
            .mutation_with_secret(
                request,
                decode::create_organization,
                |service, call, input, key| Box::pin(service.create_organization(call, input, key)),
                encode::created_organization,
                encode::replayed_organization,
            )
            .await
    }
    async fn get_organization(
        &self,
        request: Request<v1::GetOrganizationRequest>,
    ) -> Result<Response<v1::GetOrganizationResponse>, Status> {
        self.handler
            .unary(
                request,
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
            .unary(
                request,
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
            .mutation(
                request,
                decode::update_organization,
                |service, call, input, key| Box::pin(service.update_organization(call, input, key)),
                encode::updated_organization,
            )
            .await
    }

    async fn delete_organization(
        &self,
        request: Request<v1::DeleteOrganizationRequest>,
    ) -> Result<Response<v1::DeleteOrganizationResponse>, Status> {
        self.handler
            .mutation(
                request,
                decode::delete_organization,
                |service, call, input, key| Box::pin(service.delete_organization(call, input, key)),
                encode::deleted_organization,
            )
            .await
    }

    async fn create_project(
        &self,
        request: Request<v1::CreateProjectRequest>,
    ) -> Result<Response<v1::CreateProjectResponse>, Status> {
        self.handler
            .mutation(
                request,
                decode::create_project,
                |service, call, input, key| Box::pin(service.create_project(call, input, key)),
                encode::created_project,
            )
            .await
    }

    async fn get_project(
        &self,
        request: Request<v1::GetProjectRequest>,
    ) -> Result<Response<v1::GetProjectResponse>, Status> {
        self.handler
            .unary(
                request,
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
            .unary(
                request,
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
            .mutation(
                request,
                decode::delete_project,
                |service, call, input, key| Box::pin(service.delete_project(call, input, key)),
                encode::deleted_project,
            )
            .await
    }

    async fn create_workspace(
        &self,
        request: Request<v1::CreateWorkspaceRequest>,
    ) -> Result<Response<v1::CreateWorkspaceResponse>, Status> {
        self.handler
            .mutation(
                request,
                decode::create_workspace,
                |service, call, input, key| Box::pin(service.create_workspace(call, input, key)),
                encode::created_workspace,
            )
            .await
    }

    async fn get_workspace(
        &self,
        request: Request<v1::GetWorkspaceRequest>,
    ) -> Result<Response<v1::GetWorkspaceResponse>, Status> {
        self.handler
            .unary(
                request,
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
            .unary(
                request,
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
            .mutation(
                request,
                decode::delete_workspace,
                |service, call, input, key| Box::pin(service.delete_workspace(call, input, key)),
                encode::deleted_workspace,
            )
            .await
    }

    async fn create_user(
        &self,
        request: Request<v1::CreateUserRequest>,
    ) -> Result<Response<v1::CreateUserResponse>, Status> {
        self.handler
            .mutation(
                request,
                decode::create_user,
                |service, call, input, key| Box::pin(service.create_user(call, input, key)),
                encode::created_user,
            )
            .await
    }

    async fn get_user(&self, request: Request<v1::GetUserRequest>) -> Result<Response<v1::GetUserResponse>, Status> {
        self.handler
            .unary(
                request,
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
            .unary(
                request,
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
            .mutation(
                request,
                decode::delete_user,
                |service, call, input, key| Box::pin(service.delete_user(call, input, key)),
                encode::deleted_user,
            )
            .await
    }

    async fn create_service_account(
        &self,
        request: Request<v1::CreateServiceAccountRequest>,
    ) -> Result<Response<v1::CreateServiceAccountResponse>, Status> {
        self.handler
            .mutation(
                request,
                decode::create_service_account,
                |service, call, input, key| Box::pin(service.create_service_account(call, input, key)),
                encode::created_service_account,
            )
            .await
    }

    async fn get_service_account(
        &self,
        request: Request<v1::GetServiceAccountRequest>,
    ) -> Result<Response<v1::GetServiceAccountResponse>, Status> {
        self.handler
            .unary(
                request,
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
            .unary(
                request,
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
            .mutation(
                request,
                decode::delete_service_account,
                |service, call, input, key| Box::pin(service.delete_service_account(call, input, key)),
                encode::deleted_service_account,
            )
            .await
    }

    async fn transfer_workspace(
        &self,
        request: Request<v1::TransferWorkspaceRequest>,
    ) -> Result<Response<v1::TransferWorkspaceResponse>, Status> {
        self.handler
            .mutation(
                request,
                decode::transfer_workspace,
                |service, call, input, key| Box::pin(service.transfer_workspace(call, input, key)),
                encode::transferred_workspace,
            )
            .await
    }
}
