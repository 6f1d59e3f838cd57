//! How the first person gets a token.

use secrets_proto::v1;

use super::clients::Clients;

impl Clients {
    /// Creates an organization with the administrator `ann`, and returns her token.
    pub async fn create_organization(&self, operator: &str, id: &str) -> String {
        let code = self.invited_admin(operator, id).await;
        self.redeem(&code).await
    }

    /// Creates an organization, and returns the code with which its administrator `ann` comes.
    pub async fn invited_admin(&self, operator: &str, id: &str) -> String {
        let request = v1::CreateOrganizationRequest {
            organization_id: id.into(),
            admin_user_id: "ann".into(),
            ..Default::default()
        };
        let created = self.directory(operator).create_organization(request).await.unwrap().into_inner();
        created.invitation.unwrap().code
    }

    /// Redeems an invitation for a personal token.
    pub async fn redeem(&self, code: &str) -> String {
        let request = v1::RedeemInvitationRequest::default();
        self.access(code).redeem_invitation(request).await.unwrap().into_inner().token
    }
}
