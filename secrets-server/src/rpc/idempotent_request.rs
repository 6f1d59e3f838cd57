//! Requests that carry a `request_id`.

use secrets_proto::v1;

/// A request that changes something.
pub trait IdempotentRequest {
    /// The UUID under which a repeat returns the first result; empty: none.
    fn request_id(&self) -> &str;
}

macro_rules! idempotent_request {
    ($($request:ident)*) => {
        $(impl IdempotentRequest for v1::$request {
            fn request_id(&self) -> &str {
                &self.request_id
            }
        })*
    };
}

idempotent_request! {
    CreateSecretRequest UpdateSecretRequest DeleteSecretRequest UndeleteSecretRequest RollbackSecretRequest
    DestroySecretVersionRequest ImportSecretsRequest
    CreateOrganizationRequest UpdateOrganizationRequest DeleteOrganizationRequest
    CreateProjectRequest DeleteProjectRequest CreateWorkspaceRequest DeleteWorkspaceRequest TransferWorkspaceRequest
    CreateUserRequest DeleteUserRequest CreateServiceAccountRequest DeleteServiceAccountRequest
    CreateBindingRequest DeleteBindingRequest CreateInvitationRequest
    CreateTokenRequest RevokeTokenRequest CreateSessionRequest RevokeSessionRequest
}

/// Redeeming is once by nature, and renewing only moves an end further away: neither has a request id.
macro_rules! anonymous {
    ($($request:ident)*) => {
        $(impl IdempotentRequest for v1::$request {
            fn request_id(&self) -> &str {
                ""
            }
        })*
    };
}

anonymous! { RedeemInvitationRequest RenewSessionRequest }
