//! How the first person gets a token.

use secrets_proto::v1;

use super::clients::Clients;

impl Clients {
    /// Creates an organization with the administrator `ann`, and returns her token.
    pub async fn create_organization(&self, operator: &str, id: &str) -> String {
        let request = v1::CreateOrganizationRequest {
            organization_id: id.into(),
            admin_user_id: "ann".into(),
            ..Default::default()
        };
        let created = self.directory(operator).create_organization(request).await.unwrap().into_inner();
        self.redeem(&created.invitation.unwrap().code).await
    }

    /// Redeems an invitation for a personal token.
    pub async fn redeem(&self, code: &str) -> String {
        let request = v1::RedeemInvitationRequest { code: code.into(), ..Default::default() };
        self.access("").redeem_invitation(request).await.unwrap().into_inner().token
    }
}
