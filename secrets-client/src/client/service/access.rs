use secrets_proto::v1;
use secrets_proto::v1::access_service_client::AccessServiceClient;
use tonic::transport::Channel;

use super::Created;
use crate::client::Client;
use crate::error::ClientError;

super::methods! {
    AccessServiceClient<Channel>;
    /// Gives a principal a role on a resource.
    change create_binding(CreateBindingRequest) -> CreateBindingResponse;
    /// Lists the bindings on a resource; service accounts of the platform that reach the organization are among them.
    read list_bindings(ListBindingsRequest) -> ListBindingsResponse;
    /// Takes a role away. The last administrator can't be removed.
    change delete_binding(DeleteBindingRequest) -> DeleteBindingResponse;
    /// Lists tokens, without the tokens themselves.
    read list_tokens(ListTokensRequest) -> ListTokensResponse;
    /// Ends a token at once, with the sessions and the tokens of its principal that were created with it.
    change revoke_token(RevokeTokenRequest) -> RevokeTokenResponse;
    /// Extends a session while its creator still may create it. With another token of its creator, it ends with that one.
    once renew_session(RenewSessionRequest) -> RenewSessionResponse;
    /// Lists sessions.
    read list_sessions(ListSessionsRequest) -> ListSessionsResponse;
    /// Ends a session, and every session it created, at once.
    change revoke_session(RevokeSessionRequest) -> RevokeSessionResponse;
    /// Returns who the caller is.
    read who_am_i(WhoAmIRequest) -> WhoAmIResponse;
    /// Returns which of some permissions the caller has on a resource.
    read test_permissions(TestPermissionsRequest) -> TestPermissionsResponse;
}

/// Methods that create a credential or a code, which is shown once.
impl Client {
    /// Invites a person: creates the user if there is none, and a code for their first login.
    pub async fn create_invitation(
        &self,
        mut request: v1::CreateInvitationRequest,
    ) -> Result<Created<v1::Invitation>, ClientError> {
        super::set_request_id(&mut request.request_id);
        let answer = self
            .call(request, |channel, request| async move {
                AccessServiceClient::new(channel).create_invitation(request).await
            })
            .await?;
        let mut invitation = answer.invitation.unwrap_or_default();
        let code = std::mem::take(&mut invitation.code);
        Created::new(code, invitation, |invitation| invitation.user.clone())
    }

    /// Redeems the code that is this client's credential for a personal token. It is sent once, since a code works once.
    pub async fn redeem_invitation(
        &self,
        request: v1::RedeemInvitationRequest,
    ) -> Result<Created<v1::Token>, ClientError> {
        let answer = self
            .call(request, |channel, request| async move {
                AccessServiceClient::new(channel).redeem_invitation(request).await
            })
            .await?;
        Created::new(answer.token, answer.token_info.unwrap_or_default(), |token| token.name.clone())
    }

    /// Creates a token for the caller, or for a service account that the caller manages.
    pub async fn create_token(&self, mut request: v1::CreateTokenRequest) -> Result<Created<v1::Token>, ClientError> {
        super::set_request_id(&mut request.request_id);
        let answer =
            self.call(request, |channel, request| async move {
                AccessServiceClient::new(channel).create_token(request).await
            })
            .await?;
        Created::new(answer.token, answer.token_info.unwrap_or_default(), |token| token.name.clone())
    }

    /// Creates a token for exactly one context.
    pub async fn create_session(
        &self,
        mut request: v1::CreateSessionRequest,
    ) -> Result<Created<v1::Session>, ClientError> {
        super::set_request_id(&mut request.request_id);
        let answer =
            self.call(request, |channel, request| async move {
                AccessServiceClient::new(channel).create_session(request).await
            })
            .await?;
        Created::new(answer.token, answer.session.unwrap_or_default(), |session| session.name.clone())
    }
}
