use secrets_proto::v1;
use secrets_proto::v1::directory_service_client::DirectoryServiceClient;
use tonic::transport::Channel;

use super::Created;
use crate::client::Client;
use crate::error::ClientError;

super::methods! {
    DirectoryServiceClient<Channel>;
    /// Returns an organization.
    read get_organization(GetOrganizationRequest) -> GetOrganizationResponse;
    /// Lists the organizations the caller may see: the operator all, others their own.
    read list_organizations(ListOrganizationsRequest) -> ListOrganizationsResponse;
    /// Changes an organization's display name, name policy or limits.
    change update_organization(UpdateOrganizationRequest) -> UpdateOrganizationResponse;
    /// Deletes an organization and destroys its data keys: nothing of it can be opened again. Operator only.
    change delete_organization(DeleteOrganizationRequest) -> DeleteOrganizationResponse;
    /// Creates a project.
    change create_project(CreateProjectRequest) -> CreateProjectResponse;
    /// Returns a project.
    read get_project(GetProjectRequest) -> GetProjectResponse;
    /// Lists projects that the caller may see, ordered by identifier.
    read list_projects(ListProjectsRequest) -> ListProjectsResponse;
    /// Deletes a project with its secrets; refused while workspaces belong to it.
    change delete_project(DeleteProjectRequest) -> DeleteProjectResponse;
    /// Creates a workspace. Any member may create one that they own.
    change create_workspace(CreateWorkspaceRequest) -> CreateWorkspaceResponse;
    /// Returns a workspace.
    read get_workspace(GetWorkspaceRequest) -> GetWorkspaceResponse;
    /// Lists workspaces that the caller may see, ordered by identifier.
    read list_workspaces(ListWorkspacesRequest) -> ListWorkspacesResponse;
    /// Deletes a workspace and destroys its secrets.
    change delete_workspace(DeleteWorkspaceRequest) -> DeleteWorkspaceResponse;
    /// Creates a user without a credential; an invitation gives the first one.
    change create_user(CreateUserRequest) -> CreateUserResponse;
    /// Returns a user.
    read get_user(GetUserRequest) -> GetUserResponse;
    /// Lists users that the caller may see, ordered by identifier.
    read list_users(ListUsersRequest) -> ListUsersResponse;
    /// Deletes a user: credentials and sessions end at once, own secrets are destroyed in seven days.
    change delete_user(DeleteUserRequest) -> DeleteUserResponse;
    /// Creates a service account, in an organization or for the platform.
    change create_service_account(CreateServiceAccountRequest) -> CreateServiceAccountResponse;
    /// Returns a service account.
    read get_service_account(GetServiceAccountRequest) -> GetServiceAccountResponse;
    /// Lists service accounts that the caller may see, ordered by identifier.
    read list_service_accounts(ListServiceAccountsRequest) -> ListServiceAccountsResponse;
    /// Deletes a service account: its credentials, and the sessions they created, end at once.
    change delete_service_account(DeleteServiceAccountRequest) -> DeleteServiceAccountResponse;
    /// Gives a workspace to a new owner: by its owner, or by an administrator when the owner has left. The latter destroys its values unless the new owner was a member.
    change transfer_workspace(TransferWorkspaceRequest) -> TransferWorkspaceResponse;
}

impl Client {
    /// Creates an organization, and an invitation for its first administrator.
    pub async fn create_organization(
        &self,
        mut request: v1::CreateOrganizationRequest,
    ) -> Result<(v1::Organization, Created<v1::Invitation>), ClientError> {
        super::set_request_id(&mut request.request_id);
        let answer = self
            .call(request, |channel, request| async move {
                DirectoryServiceClient::new(channel).create_organization(request).await
            })
            .await?;
        let mut invitation = answer.invitation.unwrap_or_default();
        let code = std::mem::take(&mut invitation.code);
        let created = Created::new(code, invitation, |invitation| invitation.user.clone())?;
        Ok((answer.organization.unwrap_or_default(), created))
    }
}
