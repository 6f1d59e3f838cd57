//! Credentials, whose secret part breaks no rule: all else that is said of them is hostile.

use secrets_client::v1;

use super::{always, never, text};
use crate::support::Reply;

/// Whose a token is. A login keeps that, so that a hostile one is refused.
const PRINCIPAL: &str = "organizations/acme/users/bob";

/// What a method of the access service is answered with.
pub(super) fn reply(method: &str) -> Option<Reply> {
    Some(match method {
        "WhoAmI" => Reply::message(&who_am_i()),
        "CreateBinding" => Reply::message(&v1::CreateBindingResponse { binding: Some(binding()) }),
        "ListBindings" => {
            // One that a command finds which looks for it.
            let found = v1::Binding {
                resource: "organizations/acme/projects/api".into(),
                principal: PRINCIPAL.into(),
                ..binding()
            };
            Reply::message(&v1::ListBindingsResponse { bindings: vec![binding(), found], ..Default::default() })
        }
        "DeleteBinding" => Reply::message(&v1::DeleteBindingResponse {}),
        "CreateInvitation" => Reply::message(&v1::CreateInvitationResponse { invitation: Some(invitation()) }),
        "InviteAdmin" => Reply::message(&v1::InviteAdminResponse {
            invitation: Some(invitation()),
            admin_invitation: Some(admin_invitation()),
        }),
        "RefuseAdmin" => Reply::message(&v1::RefuseAdminResponse { admin_invitation: Some(admin_invitation()) }),
        "RedeemInvitation" => Reply::message(&v1::RedeemInvitationResponse {
            token: "sper_00000000".into(),
            token_info: Some(token()),
            user: text(),
            ended: Some(effects()),
        }),
        "CreateRecoveryCodes" => Reply::message(&v1::CreateRecoveryCodesResponse {
            codes: vec!["srec_00000000".into(); 8],
            recovery_codes: Some(recovery_codes()),
            revoked_recovery_codes: i32::MAX,
        }),
        "RedeemRecoveryCode" => Reply::message(&v1::RedeemRecoveryCodeResponse {
            token: "sper_00000000".into(),
            token_info: Some(token()),
            user: text(),
            revoked_sessions: i32::MAX,
            revoked_tokens: i32::MAX,
            total_service_tokens: i32::MAX,
            remaining_recovery_codes: i32::MIN,
        }),
        "CreateSignInCode" => Reply::message(&v1::CreateSignInCodeResponse {
            code: "slgn_00000000".into(),
            sign_in_code: Some(v1::SignInCode { token: None, ..sign_in_code() }),
        }),
        "GetSignInCode" => Reply::message(&v1::GetSignInCodeResponse { sign_in_code: Some(sign_in_code()) }),
        "RevokeSignInCode" => Reply::message(&v1::RevokeSignInCodeResponse { sign_in_code: Some(sign_in_code()) }),
        "RedeemSignInCode" => Reply::message(&v1::RedeemSignInCodeResponse {
            token: "sper_00000000".into(),
            token_info: Some(token()),
            user: text(),
        }),
        "CreateToken" => {
            Reply::message(&v1::CreateTokenResponse { token: "sper_00000000".into(), token_info: Some(token()) })
        }
        "ListTokens" => {
            let tokens = vec![v1::Token { principal: text(), ..token() }];
            Reply::message(&v1::ListTokensResponse { tokens, ..Default::default() })
        }
        "RevokeToken" => Reply::message(&v1::RevokeTokenResponse {
            revoked_sessions: i32::MIN,
            revoked_tokens: i32::MAX,
            service_tokens: vec![v1::Token { principal: text(), ..token() }],
            total_service_tokens: i32::MAX,
            moved_sessions: i32::MAX,
            moved_to: text(),
            revoked_invitations: i32::MIN,
        }),
        "CreateSession" => {
            Reply::message(&v1::CreateSessionResponse { token: "sses_00000000".into(), session: Some(session()) })
        }
        "RenewSession" => Reply::message(&v1::RenewSessionResponse { session: Some(session()) }),
        "ListSessions" => {
            let sessions = vec![session(); 2];
            Reply::message(&v1::ListSessionsResponse { sessions, ..Default::default() })
        }
        "RevokeSession" => Reply::message(&v1::RevokeSessionResponse { revoked_sessions: i32::MAX }),
        "TestPermissions" => Reply::message(&v1::TestPermissionsResponse { permissions: vec![text()] }),
        _ => return None,
    })
}

fn who_am_i() -> v1::WhoAmIResponse {
    v1::WhoAmIResponse {
        principal: PRINCIPAL.into(),
        kind: v1::PrincipalKind::User.into(),
        organization: "acme".into(),
        expire_time: never(),
        server_time: always(),
        sign_in_end_time: never(),
        credential: text(),
        server_version: text(),
        bindings: vec![binding()],
        recovery_codes: Some(recovery_codes()),
        resolvers: vec![binding()],
        admin_invitations: vec![admin_invitation()],
        ..Default::default()
    }
}

fn recovery_codes() -> v1::RecoveryCodes {
    v1::RecoveryCodes { remaining: i32::MIN, create_time: never(), creator: text() }
}

pub(super) fn binding() -> v1::Binding {
    v1::Binding { name: text(), resource: text(), principal: text(), creator: text(), ..Default::default() }
}

pub(super) fn admin_invitation() -> v1::AdminInvitation {
    v1::AdminInvitation {
        name: text(),
        user: text(),
        create_time: never(),
        start_time: never(),
        expire_time: always(),
        ..Default::default()
    }
}

pub(super) fn invitation() -> v1::Invitation {
    v1::Invitation { user: text(), code: "sinv_00000000".into(), expire_time: never(), ended: Some(effects()) }
}

fn effects() -> v1::InvitationEffects {
    v1::InvitationEffects {
        tokens: i32::MAX,
        sessions: i32::MAX,
        recovery_codes: i32::MIN,
        codes: i32::MIN,
        destroyed_secrets: i32::MIN,
        left_workspaces: i32::MAX,
    }
}

fn token() -> v1::Token {
    v1::Token {
        name: text(),
        principal: PRINCIPAL.into(),
        display_name: text(),
        create_time: never(),
        expire_time: always(),
        last_used_time: never(),
        origin: 99,
        creator: text(),
        sign_in_end_time: always(),
        address: text(),
        ..Default::default()
    }
}

fn sign_in_code() -> v1::SignInCode {
    v1::SignInCode {
        name: text(),
        create_time: never(),
        expire_time: always(),
        token: Some(token()),
        ..Default::default()
    }
}

fn session() -> v1::Session {
    v1::Session {
        name: text(),
        display_name: text(),
        external_id: text(),
        creator: text(),
        context: Some(v1::Context { organization: text(), project: text(), workspace: text(), user: text() }),
        restrictions: Some(v1::SessionRestrictions {
            secret_ids: Some(v1::SecretIdList { values: vec![text()] }),
            ..Default::default()
        }),
        expire_time: never(),
        renewal_end_time: always(),
        ..Default::default()
    }
}
