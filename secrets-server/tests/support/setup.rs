//! People and projects, made by calls.

use secrets_proto::v1;

use super::clients::Clients;

impl Clients {
    /// Invites a person to an organization, and returns their token.
    pub async fn person(&self, admin: &str, organization: &str, id: &str) -> String {
        let request = v1::CreateInvitationRequest {
            parent: format!("organizations/{organization}"),
            user_id: id.into(),
            ..Default::default()
        };
        let invited = self.access(admin).create_invitation(request).await.unwrap().into_inner();
        self.redeem(&invited.invitation.unwrap().code).await
    }

    /// Creates a project of acme; its creator administers it.
    pub async fn project(&self, token: &str, id: &str) {
        let request = v1::CreateProjectRequest {
            parent: "organizations/acme".into(),
            project_id: id.into(),
            ..Default::default()
        };
        self.directory(token).create_project(request).await.unwrap();
    }
}
