//! `AccessService`: decode, call, encode.

use secrets_proto::v1;
use secrets_proto::v1::access_service_server::AccessService;
use tonic::{Request, Response, Status};

use super::decode::access as decode;
use super::encode::access as encode;
use super::handler::Handler;

pub struct Access {
    handler: Handler,
}

impl Access {
    pub fn new(handler: Handler) -> Self {
        Self { handler }
    }
}

#[tonic::async_trait]
impl AccessService for Access {
    async fn create_binding(
        &self,
        request: Request<v1::CreateBindingRequest>,
    ) -> Result<Response<v1::CreateBindingResponse>, Status> {
        self.handler
            .mutation(
                request,
                decode::create_binding,
                |service, call, input, key| Box::pin(service.create_binding(call, input, key)),
                encode::created_binding,
            )
            .await
    }

    async fn list_bindings(
        &self,
        request: Request<v1::ListBindingsRequest>,
    ) -> Result<Response<v1::ListBindingsResponse>, Status> {
        self.handler
            .unary(
                request,
                decode::list_bindings,
                |service, call, input| Box::pin(service.list_bindings(call, input)),
                encode::listed_bindings,
            )
            .await
    }

    async fn delete_binding(
        &self,
        request: Request<v1::DeleteBindingRequest>,
    ) -> Result<Response<v1::DeleteBindingResponse>, Status> {
        self.handler
            .mutation(
                request,
                decode::delete_binding,
                |service, call, input, key| Box::pin(service.delete_binding(call, input, key)),
                encode::deleted_binding,
            )
            .await
    }

    async fn create_invitation(
        &self,
        request: Request<v1::CreateInvitationRequest>,
    ) -> Result<Response<v1::CreateInvitationResponse>, Status> {
        self.handler
            .mutation_with_secret(
                request,
                decode::create_invitation,
                |service, call, input, key| Box::pin(service.create_invitation(call, input, key)),
                encode::created_invitation,
                encode::replayed_invitation,
            )
            .await
    }

    async fn redeem_invitation(
        &self,
        request: Request<v1::RedeemInvitationRequest>,
    ) -> Result<Response<v1::RedeemInvitationResponse>, Status> {
        self.handler
            .mutation_with_secret(
                request,
                decode::redeem_invitation,
                |service, call, input, key| Box::pin(service.redeem_invitation(call, input, key)),
                encode::redeemed_invitation,
                encode::replayed_redemption,
            )
            .await
    }

    async fn redeem_recovery_code(
        &self,
        request: Request<v1::RedeemRecoveryCodeRequest>,
    ) -> Result<Response<v1::RedeemRecoveryCodeResponse>, Status> {
        self.handler
            .mutation_with_secret(
                request,
                decode::redeem_recovery_code,
                |service, call, input, key| Box::pin(service.redeem_recovery_code(call, input, key)),
                encode::redeemed_recovery_code,
                encode::replayed_recovery_redemption,
            )
            .await
    }

    async fn create_recovery_codes(
        &self,
        request: Request<v1::CreateRecoveryCodesRequest>,
    ) -> Result<Response<v1::CreateRecoveryCodesResponse>, Status> {
        self.handler
            .mutation_with_secret(
                request,
                decode::create_recovery_codes,
                |service, call, (), key| Box::pin(service.create_recovery_codes(call, key)),
                encode::created_recovery_codes,
                encode::replayed_recovery_codes,
            )
            .await
    }

    async fn create_sign_in_code(
        &self,
        request: Request<v1::CreateSignInCodeRequest>,
    ) -> Result<Response<v1::CreateSignInCodeResponse>, Status> {
        self.handler
            .mutation_with_secret(
                request,
                decode::create_sign_in_code,
                |service, call, (), key| Box::pin(service.create_sign_in_code(call, key)),
                encode::created_sign_in_code,
                encode::replayed_sign_in_code,
            )
            .await
    }

    async fn get_sign_in_code(
        &self,
        request: Request<v1::GetSignInCodeRequest>,
    ) -> Result<Response<v1::GetSignInCodeResponse>, Status> {
        self.handler
            .unary(
                request,
                decode::get_sign_in_code,
                |service, call, input| Box::pin(service.get_sign_in_code(call, input)),
                encode::found_sign_in_code,
            )
            .await
    }

    async fn revoke_sign_in_code(
        &self,
        request: Request<v1::RevokeSignInCodeRequest>,
    ) -> Result<Response<v1::RevokeSignInCodeResponse>, Status> {
        self.handler
            .mutation(
                request,
                decode::revoke_sign_in_code,
                |service, call, input, key| Box::pin(service.revoke_sign_in_code(call, input, key)),
                encode::revoked_sign_in_code,
            )
            .await
    }

    async fn redeem_sign_in_code(
        &self,
        request: Request<v1::RedeemSignInCodeRequest>,
    ) -> Result<Response<v1::RedeemSignInCodeResponse>, Status> {
        self.handler
            .mutation_with_secret(
                request,
                decode::redeem_sign_in_code,
                |service, call, input, key| Box::pin(service.redeem_sign_in_code(call, input, key)),
                encode::redeemed_sign_in_code,
                encode::replayed_sign_in_redemption,
            )
            .await
    }

    async fn invite_admin(
        &self,
        request: Request<v1::InviteAdminRequest>,
    ) -> Result<Response<v1::InviteAdminResponse>, Status> {
        self.handler
            .mutation_with_secret(
                request,
                decode::invite_admin,
                |service, call, input, key| Box::pin(service.invite_admin(call, input, key)),
                encode::invited_admin,
                encode::replayed_admin_invitation,
            )
            .await
    }

    async fn refuse_admin(
        &self,
        request: Request<v1::RefuseAdminRequest>,
    ) -> Result<Response<v1::RefuseAdminResponse>, Status> {
        self.handler
            .mutation(
                request,
                decode::refuse_admin,
                |service, call, input, key| Box::pin(service.refuse_admin(call, input, key)),
                encode::refused_admin,
            )
            .await
    }

    async fn create_token(
        &self,
        request: Request<v1::CreateTokenRequest>,
    ) -> Result<Response<v1::CreateTokenResponse>, Status> {
        self.handler
            .mutation_with_secret(
                request,
                decode::create_token,
                |service, call, input, key| Box::pin(service.create_token(call, input, key)),
                encode::created_token,
                encode::replayed_token,
            )
            .await
    }

    async fn list_tokens(
        &self,
        request: Request<v1::ListTokensRequest>,
    ) -> Result<Response<v1::ListTokensResponse>, Status> {
        self.handler
            .unary(
                request,
                decode::list_tokens,
                |service, call, input| Box::pin(service.list_tokens(call, input)),
                encode::listed_tokens,
            )
            .await
    }

    async fn revoke_token(
        &self,
        request: Request<v1::RevokeTokenRequest>,
    ) -> Result<Response<v1::RevokeTokenResponse>, Status> {
        self.handler
            .mutation(
                request,
                decode::revoke_token,
                |service, call, input, key| Box::pin(service.revoke_token(call, input, key)),
                encode::revoked_token,
            )
            .await
    }

    async fn create_session(
        &self,
        request: Request<v1::CreateSessionRequest>,
    ) -> Result<Response<v1::CreateSessionResponse>, Status> {
        self.handler
            .mutation_with_secret(
                request,
                decode::create_session,
                |service, call, input, key| Box::pin(service.create_session(call, input, key)),
                encode::created_session,
                encode::replayed_session,
            )
            .await
    }

    async fn renew_session(
        &self,
        request: Request<v1::RenewSessionRequest>,
    ) -> Result<Response<v1::RenewSessionResponse>, Status> {
        self.handler
            .mutation(
                request,
                decode::renew_session,
                |service, call, input, key| Box::pin(service.renew_session(call, input, key)),
                encode::renewed_session,
            )
            .await
    }

    async fn list_sessions(
        &self,
        request: Request<v1::ListSessionsRequest>,
    ) -> Result<Response<v1::ListSessionsResponse>, Status> {
        self.handler
            .unary(
                request,
                decode::list_sessions,
                |service, call, input| Box::pin(service.list_sessions(call, input)),
                encode::listed_sessions,
            )
            .await
    }

    async fn revoke_session(
        &self,
        request: Request<v1::RevokeSessionRequest>,
    ) -> Result<Response<v1::RevokeSessionResponse>, Status> {
        self.handler
            .mutation(
                request,
                decode::revoke_session,
                |service, call, input, key| Box::pin(service.revoke_session(call, input, key)),
                encode::revoked_session,
            )
            .await
    }

    async fn who_am_i(&self, request: Request<v1::WhoAmIRequest>) -> Result<Response<v1::WhoAmIResponse>, Status> {
        self.handler
            .unary(request, decode::whoami, |service, call, ()| Box::pin(service.whoami(call)), encode::whoami)
            .await
    }

    async fn test_permissions(
        &self,
        request: Request<v1::TestPermissionsRequest>,
    ) -> Result<Response<v1::TestPermissionsResponse>, Status> {
        self.handler
            .unary(
                request,
                decode::test_permissions,
                |service, call, input| Box::pin(service.test_permissions(call, input)),
                encode::tested_permissions,
            )
            .await
    }
}
