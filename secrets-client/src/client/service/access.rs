use secrets_proto::v1;
use secrets_proto::v1::access_service_client::AccessServiceClient;
use tonic::transport::Channel;

use super::{Created, CreatedSet};
use crate::client::{Client, MAX_RESPONSE_BYTES};
use crate::error::ClientError;
use crate::validation;

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
    /// Revokes an invitation of an administrator that nobody has redeemed.
    change refuse_admin(RefuseAdminRequest) -> RefuseAdminResponse;
    /// Returns a code for another machine of the caller, and what it was redeemed for.
    read get_sign_in_code(GetSignInCodeRequest) -> GetSignInCodeResponse;
    /// Ends a code for another machine that was not redeemed.
    change revoke_sign_in_code(RevokeSignInCodeRequest) -> RevokeSignInCodeResponse;
    /// Returns which of some permissions the caller has on a resource.
    read test_permissions(TestPermissionsRequest) -> TestPermissionsResponse;
}

impl Client {
    /// Returns who the caller is. An answer whose names break a rule is [`ClientError::Malformed`]; one of a kind of principal
    /// that this version does not know has no name.
    pub async fn who_am_i(&self, request: v1::WhoAmIRequest) -> Result<v1::WhoAmIResponse, ClientError> {
        let mut me = self
            .call(request, |channel, request| async move {
                AccessServiceClient::new(channel).max_decoding_message_size(MAX_RESPONSE_BYTES).who_am_i(request).await
            })
            .await?;
        validation::check_caller(&mut me)?;
        Ok(me)
    }
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

    /// Redeems the code that is this client's credential for a personal token, and returns what the invitation has ended. It is
    /// sent once, since a code works once.
    pub async fn redeem_invitation(
        &self,
        request: v1::RedeemInvitationRequest,
    ) -> Result<(v1::RedeemInvitationResponse, Created<v1::Token>), ClientError> {
        let mut answer = self
            .call(request, |channel, request| async move {
                AccessServiceClient::new(channel).redeem_invitation(request).await
            })
            .await?;
        let (token, details) = (std::mem::take(&mut answer.token), answer.token_info.take());
        Ok((answer, Created::token(token, details)?))
    }

    /// Invites somebody as an administrator of an organization; for the operator.
    pub async fn invite_admin(
        &self,
        mut request: v1::InviteAdminRequest,
    ) -> Result<(v1::AdminInvitation, Created<v1::Invitation>), ClientError> {
        super::set_request_id(&mut request.request_id);
        let answer =
            self.call(request, |channel, request| async move {
                AccessServiceClient::new(channel).invite_admin(request).await
            })
            .await?;
        let mut invitation = answer.invitation.unwrap_or_default();
        let code = std::mem::take(&mut invitation.code);
        let created = Created::new(code, invitation, |invitation| invitation.user.clone())?;
        Ok((answer.admin_invitation.unwrap_or_default(), created))
    }

    /// Creates recovery codes for the calling person, in place of those that there were.
    pub async fn create_recovery_codes(
        &self,
        mut request: v1::CreateRecoveryCodesRequest,
    ) -> Result<CreatedSet<v1::CreateRecoveryCodesResponse>, ClientError> {
        super::set_request_id(&mut request.request_id);
        let mut answer = self
            .call(request, |channel, request| async move {
                AccessServiceClient::new(channel).create_recovery_codes(request).await
            })
            .await?;
        CreatedSet::new(std::mem::take(&mut answer.codes), answer, "the recovery codes")
    }

    /// Redeems the recovery code that is this client's credential for a personal token, and returns what that has ended. It is sent
    /// once, since a code works once.
    pub async fn redeem_recovery_code(
        &self,
        request: v1::RedeemRecoveryCodeRequest,
    ) -> Result<(v1::RedeemRecoveryCodeResponse, Created<v1::Token>), ClientError> {
        let mut answer = self
            .call(request, |channel, request| async move {
                AccessServiceClient::new(channel).redeem_recovery_code(request).await
            })
            .await?;
        let (token, details) = (std::mem::take(&mut answer.token), answer.token_info.take());
        Ok((answer, Created::token(token, details)?))
    }

    /// Creates a code with which the calling person signs in on another machine.
    pub async fn create_sign_in_code(
        &self,
        mut request: v1::CreateSignInCodeRequest,
    ) -> Result<Created<v1::SignInCode>, ClientError> {
        super::set_request_id(&mut request.request_id);
        let answer = self
            .call(request, |channel, request| async move {
                AccessServiceClient::new(channel).create_sign_in_code(request).await
            })
            .await?;
        Created::new(answer.code, answer.sign_in_code.unwrap_or_default(), |code| code.name.clone())
    }

    /// Redeems the code for another machine that is this client's credential for a personal token. It is sent once, since a code
    /// works once.
    pub async fn redeem_sign_in_code(
        &self,
        request: v1::RedeemSignInCodeRequest,
    ) -> Result<Created<v1::Token>, ClientError> {
        let answer = self
            .call(request, |channel, request| async move {
                AccessServiceClient::new(channel).redeem_sign_in_code(request).await
            })
            .await?;
        Created::token(answer.token, answer.token_info)
    }

    /// Creates a token for the caller, or for a service account that the caller manages.
    pub async fn create_token(&self, mut request: v1::CreateTokenRequest) -> Result<Created<v1::Token>, ClientError> {
        super::set_request_id(&mut request.request_id);
        let answer =
            self.call(request, |channel, request| async move {
                AccessServiceClient::new(channel).create_token(request).await
            })
            .await?;
        Created::token(answer.token, answer.token_info)
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
