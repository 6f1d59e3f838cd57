//! Short forms of calls.

use secrets_proto::v1;
use tonic::Status;

use super::clients::Clients;

impl Clients {
    /// Creates a workspace of acme, in a project unless that is empty.
    pub async fn workspace(&self, token: &str, id: &str, project: &str, owner: &str) -> Result<v1::Workspace, Status> {
        let request = v1::CreateWorkspaceRequest {
            parent: "organizations/acme".into(),
            workspace_id: id.into(),
            workspace: Some(v1::Workspace { project: project.into(), owner: owner.into(), ..Default::default() }),
            ..Default::default()
        };
        Ok(self.directory(token).create_workspace(request).await?.into_inner().workspace.unwrap())
    }

    /// Grants a role.
    pub async fn bind(
        &self,
        token: &str,
        parent: &str,
        principal: &str,
        role: v1::Role,
    ) -> Result<v1::Binding, Status> {
        let binding = v1::Binding { principal: principal.into(), role: role.into(), ..Default::default() };
        let request = v1::CreateBindingRequest { parent: parent.into(), binding: Some(binding), ..Default::default() };
        Ok(self.access(token).create_binding(request).await?.into_inner().binding.unwrap())
    }

    /// Revokes a role.
    pub async fn unbind(&self, token: &str, name: &str) -> Result<(), Status> {
        let request = v1::DeleteBindingRequest { name: name.into(), ..Default::default() };
        self.access(token).delete_binding(request).await.map(drop)
    }

    /// Creates a service account of an organization or of the `platform`, and returns a token of it.
    pub async fn program(&self, token: &str, parent: &str, id: &str) -> String {
        let request = v1::CreateServiceAccountRequest {
            parent: parent.into(),
            service_account_id: id.into(),
            ..Default::default()
        };
        let created = self.directory(token).create_service_account(request).await.unwrap().into_inner();
        let principal = created.service_account.unwrap().name;
        let request = v1::CreateTokenRequest { principal, ..Default::default() };
        self.access(token).create_token(request).await.unwrap().into_inner().token
    }

    /// Creates a session for a context of acme.
    pub async fn session(&self, token: &str, workspace: &str, user: &str) -> Result<v1::CreateSessionResponse, Status> {
        let request = v1::CreateSessionRequest { context: Some(context(workspace, user)), ..Default::default() };
        Ok(self.access(token).create_session(request).await?.into_inner())
    }

    /// Who presents a token.
    pub async fn whoami(&self, token: &str) -> Result<v1::WhoAmIResponse, Status> {
        Ok(self.access(token).who_am_i(v1::WhoAmIRequest {}).await?.into_inner())
    }

    /// Deletes a user of acme.
    pub async fn remove(&self, token: &str, user: &str) -> Result<(), Status> {
        let name = format!("organizations/acme/users/{user}");
        let request = v1::DeleteUserRequest { name, ..Default::default() };
        self.directory(token).delete_user(request).await.map(drop)
    }
}

/// A context of acme; what is empty is not named.
pub fn context(workspace: &str, user: &str) -> v1::Context {
    v1::Context { organization: "acme".into(), workspace: workspace.into(), user: user.into(), ..Default::default() }
}
