//! What a question is about, looked at before it is asked: nobody is to confirm the end of what is not there, or not theirs to end.

use secrets_client::v1;
use secrets_core::{Action, Entitlement, ScopeName};

use super::App;
use crate::ui::error::refusal::{Refusal, Resource};
use crate::ui::error::{CliError, ExitCode};

impl App {
    /// Fails as the deletion would, if the scope is not there or the caller may not delete it.
    pub(crate) async fn check_deletable(&self, scope: &ScopeName) -> Result<(), CliError> {
        use Entitlement::{Admin, Operator, Owner, Provisioner};
        self.asks(scope);
        self.check_is_there(scope).await?;
        let (permission, needs) = match scope {
            ScopeName::Organization(_) => (Action::DeleteOrganization, vec![Operator]),
            ScopeName::Project(..) => (Action::DeleteProject, vec![Admin, Provisioner]),
            ScopeName::Workspace(..) => (Action::DeleteWorkspace, vec![Owner, Admin, Provisioner]),
            ScopeName::User(..) => (Action::ManageUsers, vec![Admin, Provisioner]),
        };
        let permissions = vec![permission.as_str().to_owned()];
        let request = v1::TestPermissionsRequest { resource: scope.to_string(), permissions: permissions.clone() };
        if self.client()?.test_permissions(request).await?.permissions == permissions {
            return Ok(());
        }
        let refusal = Refusal { permission, resource: Resource::Scope(scope.clone()), needs, non_member: None };
        Err(self.known(CliError::new(ExitCode::NotAllowed, "permission denied"), &refusal).await)
    }

    /// Fails if the scope is not there, or the caller may not know it.
    pub(crate) async fn check_is_there(&self, scope: &ScopeName) -> Result<(), CliError> {
        let (client, name) = (self.client()?, scope.to_string());
        match scope {
            ScopeName::Organization(_) => {
                client.get_organization(v1::GetOrganizationRequest { name }).await.map(|_| ())
            }
            ScopeName::Project(..) => client.get_project(v1::GetProjectRequest { name }).await.map(|_| ()),
            ScopeName::Workspace(..) => client.get_workspace(v1::GetWorkspaceRequest { name }).await.map(|_| ()),
            ScopeName::User(..) => client.get_user(v1::GetUserRequest { name }).await.map(|_| ()),
        }
        .map_err(CliError::from)
    }
}
