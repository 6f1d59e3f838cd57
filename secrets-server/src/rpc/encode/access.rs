//! Responses of `AccessService`.

use std::num::NonZeroU32;

use secrets_core::authorize::Action;
use secrets_core::{PrincipalKind, Role, SessionRestrictions};
use secrets_proto::v1;

use super::target::{scope_kind, target_kind};
use super::{context, directory, time, total};
use crate::service::access::admin_invitation::{AdminInvitationView, CreatedAdminInvitation};
use crate::service::access::binding::BindingView;
use crate::service::access::issued_invitation::IssuedInvitation;
use crate::service::access::recovery::{CreatedRecoveryCodes, RecoveryCodesView};
use crate::service::access::redemption::{Recovered, Redeemed};
use crate::service::access::session::{CreatedSession, SessionView};
use crate::service::access::sign_in_code::{CreatedSignInCode, SignInCodeView};
use crate::service::access::token::{CreatedToken, RevokedToken, TokenView};
use crate::service::access::whoami::{CallerLimits, Whoami};
use crate::service::mutation::Deleted;
use crate::service::page::list::Listed;
use crate::store::credential::Origin;

pub fn created_binding(named: &BindingView) -> v1::CreateBindingResponse {
    v1::CreateBindingResponse { binding: Some(binding(named)) }
}

pub fn listed_bindings(listed: Listed<BindingView>) -> v1::ListBindingsResponse {
    v1::ListBindingsResponse {
        bindings: listed.rows.iter().map(binding).collect(),
        next_page_token: listed.next_page_token,
        total_size: total(listed.total_size),
    }
}

pub fn deleted_binding(_: &Deleted) -> v1::DeleteBindingResponse {
    v1::DeleteBindingResponse {}
}

pub fn created_invitation(issued: &IssuedInvitation) -> v1::CreateInvitationResponse {
    v1::CreateInvitationResponse { invitation: Some(directory::invitation(issued)) }
}

/// Without the code, which is returned only once.
pub fn replayed_invitation(issued: &IssuedInvitation) -> v1::CreateInvitationResponse {
    let mut response = created_invitation(issued);
    if let Some(invitation) = &mut response.invitation {
        invitation.code.clear();
    }
    response
}

pub fn redeemed_invitation(redeemed: &Redeemed) -> v1::RedeemInvitationResponse {
    v1::RedeemInvitationResponse { token: redeemed.token.to_string(), ..replayed_redemption(redeemed) }
}

/// Without the token, which is returned only once.
pub fn replayed_redemption(redeemed: &Redeemed) -> v1::RedeemInvitationResponse {
    v1::RedeemInvitationResponse {
        token: String::new(),
        token_info: Some(token(&redeemed.metadata)),
        user: redeemed.user.clone(),
        ended: directory::effects(&redeemed.effects),
    }
}

pub fn redeemed_recovery_code(recovered: &Recovered) -> v1::RedeemRecoveryCodeResponse {
    v1::RedeemRecoveryCodeResponse {
        token: recovered.redeemed.token.to_string(),
        ..replayed_recovery_redemption(recovered)
    }
}

/// Without the token, which is returned only once.
pub fn replayed_recovery_redemption(recovered: &Recovered) -> v1::RedeemRecoveryCodeResponse {
    v1::RedeemRecoveryCodeResponse {
        token: String::new(),
        token_info: Some(token(&recovered.redeemed.metadata)),
        user: recovered.redeemed.user.clone(),
        revoked_sessions: total(recovered.revoked.sessions),
        // Tokens and codes alike.
        revoked_tokens: total(recovered.revoked.tokens + recovered.revoked.invitations),
        total_service_tokens: total(recovered.revoked.issued.len() as u64),
        remaining_recovery_codes: total(recovered.remaining),
    }
}

pub fn redeemed_sign_in_code(redeemed: &Redeemed) -> v1::RedeemSignInCodeResponse {
    v1::RedeemSignInCodeResponse { token: redeemed.token.to_string(), ..replayed_sign_in_redemption(redeemed) }
}

/// Without the token, which is returned only once.
pub fn replayed_sign_in_redemption(redeemed: &Redeemed) -> v1::RedeemSignInCodeResponse {
    v1::RedeemSignInCodeResponse {
        token: String::new(),
        token_info: Some(token(&redeemed.metadata)),
        user: redeemed.user.clone(),
    }
}

pub fn created_recovery_codes(created: &CreatedRecoveryCodes) -> v1::CreateRecoveryCodesResponse {
    v1::CreateRecoveryCodesResponse {
        codes: created.codes.iter().map(|code| code.to_string()).collect(),
        ..replayed_recovery_codes(created)
    }
}

/// Without the codes, which are returned only once.
pub fn replayed_recovery_codes(created: &CreatedRecoveryCodes) -> v1::CreateRecoveryCodesResponse {
    v1::CreateRecoveryCodesResponse {
        codes: Vec::new(),
        recovery_codes: created.set.as_ref().map(recovery_codes),
        revoked_recovery_codes: total(created.revoked),
    }
}

pub fn created_sign_in_code(created: &CreatedSignInCode) -> v1::CreateSignInCodeResponse {
    v1::CreateSignInCodeResponse { code: created.code.to_string(), ..replayed_sign_in_code(created) }
}

/// Without the code, which is returned only once.
pub fn replayed_sign_in_code(created: &CreatedSignInCode) -> v1::CreateSignInCodeResponse {
    v1::CreateSignInCodeResponse { code: String::new(), sign_in_code: Some(sign_in_code(&created.view)) }
}

pub fn found_sign_in_code(view: SignInCodeView) -> v1::GetSignInCodeResponse {
    v1::GetSignInCodeResponse { sign_in_code: Some(sign_in_code(&view)) }
}

pub fn revoked_sign_in_code(view: &SignInCodeView) -> v1::RevokeSignInCodeResponse {
    v1::RevokeSignInCodeResponse { sign_in_code: Some(sign_in_code(view)) }
}

pub fn invited_admin(created: &CreatedAdminInvitation) -> v1::InviteAdminResponse {
    v1::InviteAdminResponse {
        invitation: Some(directory::invitation(&created.invitation)),
        admin_invitation: Some(directory::admin_invitation(&created.view)),
    }
}

/// Without the code, which is returned only once.
pub fn replayed_admin_invitation(created: &CreatedAdminInvitation) -> v1::InviteAdminResponse {
    let mut response = invited_admin(created);
    if let Some(invitation) = &mut response.invitation {
        invitation.code.clear();
    }
    response
}

pub fn refused_admin(view: &AdminInvitationView) -> v1::RefuseAdminResponse {
    v1::RefuseAdminResponse { admin_invitation: Some(directory::admin_invitation(view)) }
}

pub fn created_token(created: &CreatedToken) -> v1::CreateTokenResponse {
    v1::CreateTokenResponse { token: created.token.to_string(), ..replayed_token(created) }
}

/// Without the token, which is returned only once.
pub fn replayed_token(created: &CreatedToken) -> v1::CreateTokenResponse {
    v1::CreateTokenResponse { token: String::new(), token_info: Some(token(&created.metadata)) }
}

pub fn listed_tokens(listed: Listed<TokenView>) -> v1::ListTokensResponse {
    v1::ListTokensResponse {
        tokens: listed.rows.iter().map(token).collect(),
        next_page_token: listed.next_page_token,
        total_size: total(listed.total_size),
    }
}

pub fn revoked_token(revoked: &RevokedToken) -> v1::RevokeTokenResponse {
    v1::RevokeTokenResponse {
        revoked_sessions: total(revoked.sessions),
        revoked_tokens: total(revoked.tokens),
        service_tokens: revoked.service_tokens.iter().map(token).collect(),
        total_service_tokens: total(revoked.total_service_tokens),
        moved_sessions: total(revoked.moved_sessions),
        moved_to: revoked.moved_to.as_ref().map(ToString::to_string).unwrap_or_default(),
        revoked_invitations: total(revoked.invitations),
    }
}

pub fn created_session(created: &CreatedSession) -> v1::CreateSessionResponse {
    v1::CreateSessionResponse { token: created.token.to_string(), ..replayed_session(created) }
}

/// Without the token, which is returned only once.
pub fn replayed_session(created: &CreatedSession) -> v1::CreateSessionResponse {
    v1::CreateSessionResponse { token: String::new(), session: Some(session(&created.session)) }
}

pub fn renewed_session(renewed: &SessionView) -> v1::RenewSessionResponse {
    v1::RenewSessionResponse { session: Some(session(renewed)) }
}

pub fn listed_sessions(listed: Listed<SessionView>) -> v1::ListSessionsResponse {
    v1::ListSessionsResponse {
        sessions: listed.rows.iter().map(session).collect(),
        next_page_token: listed.next_page_token,
        total_size: total(listed.total_size),
    }
}

pub fn revoked_session(sessions: &u64) -> v1::RevokeSessionResponse {
    v1::RevokeSessionResponse { revoked_sessions: total(*sessions) }
}

pub fn whoami(whoami: Whoami) -> v1::WhoAmIResponse {
    v1::WhoAmIResponse {
        principal: whoami.principal,
        kind: match whoami.kind {
            PrincipalKind::Operator => v1::PrincipalKind::Operator,
            PrincipalKind::User => v1::PrincipalKind::User,
            PrincipalKind::ServiceAccount => v1::PrincipalKind::ServiceAccount,
            PrincipalKind::Session => v1::PrincipalKind::Session,
        }
        .into(),
        organization: whoami.organization.as_ref().map(ToString::to_string).unwrap_or_default(),
        bindings: whoami.bindings.iter().map(binding).collect(),
        expire_time: whoami.expire_time.map(time),
        renewal_end_time: whoami.renewal_end_time.map(time),
        sign_in_end_time: whoami.sign_in_end_time.map(time),
        recovery_codes: whoami.recovery_codes.as_ref().map(recovery_codes),
        recovery_time: whoami.recovery_time.map(time),
        resolvers: whoami.resolvers.iter().map(binding).collect(),
        admin_invitations: whoami.admin_invitations.iter().map(directory::admin_invitation).collect(),
        context: whoami.context.as_ref().map(context),
        credential: whoami.credential,
        server_version: env!("CARGO_PKG_VERSION").to_owned(),
        server_time: Some(time(whoami.now)),
        limits: Some(caller_limits(&whoami.limits)),
    }
}

fn caller_limits(limits: &CallerLimits) -> v1::CallerLimits {
    let number = |limit: NonZeroU32| i32::try_from(limit.get()).unwrap_or(i32::MAX);
    v1::CallerLimits {
        calls: number(limits.consumer.calls),
        calls_per_second: number(limits.consumer.rate),
        burst: number(limits.consumer.burst()),
        watches: number(limits.consumer.watches),
        sessions: number(limits.sessions),
    }
}

pub fn tested_permissions(permissions: Vec<Action>) -> v1::TestPermissionsResponse {
    v1::TestPermissionsResponse {
        permissions: permissions.into_iter().map(|action| action.as_str().to_owned()).collect(),
    }
}

pub(super) fn binding(named: &BindingView) -> v1::Binding {
    v1::Binding {
        name: format!("{}/bindings/{}", named.resource, named.uid),
        resource: named.resource.clone(),
        principal: named.principal.clone(),
        role: role(named.role).into(),
        create_time: Some(time(named.create_time)),
        creator: named.creator.clone(),
    }
}

fn role(role: Role) -> v1::Role {
    match role {
        Role::Admin => v1::Role::Admin,
        Role::Member => v1::Role::Member,
        Role::Auditor => v1::Role::Auditor,
        Role::Owner => v1::Role::Owner,
        Role::Resolver => v1::Role::Resolver,
        Role::Delegate => v1::Role::Delegate,
        Role::Provisioner => v1::Role::Provisioner,
    }
}

fn token(named: &TokenView) -> v1::Token {
    v1::Token {
        name: named.name().to_string(),
        principal: named.principal.clone(),
        display_name: named.row.display_name.clone(),
        create_time: Some(time(named.row.create_time)),
        expire_time: named.row.expire_time.map(time),
        revoke_time: named.row.revoke_time.map(time),
        last_used_time: named.row.last_used_time.map(time),
        origin: token_origin(named.row.origin).into(),
        creator: named.creator().map(|creator| creator.to_string()).unwrap_or_default(),
        sign_in_end_time: named.row.sign_in_end_time.map(time),
        address: named.row.address.clone().unwrap_or_default(),
    }
}

fn recovery_codes(set: &RecoveryCodesView) -> v1::RecoveryCodes {
    v1::RecoveryCodes {
        remaining: total(set.remaining),
        create_time: Some(time(set.create_time)),
        creator: set.creator.as_ref().map(ToString::to_string).unwrap_or_default(),
    }
}

fn sign_in_code(view: &SignInCodeView) -> v1::SignInCode {
    v1::SignInCode {
        name: view.name.to_string(),
        create_time: Some(time(view.row.create_time)),
        // Of one that was redeemed, the row has when.
        expire_time: view.row.expire_time.map(time),
        revoke_time: view.row.revoke_time.filter(|_| view.token.is_none()).map(time),
        token: view.token.as_ref().map(token),
    }
}

fn token_origin(origin: Origin) -> v1::TokenOrigin {
    match origin {
        Origin::FirstStart => v1::TokenOrigin::FirstStart,
        Origin::SignIn => v1::TokenOrigin::SignIn,
        Origin::Recovery => v1::TokenOrigin::Recovery,
        Origin::AnotherMachine => v1::TokenOrigin::AnotherMachine,
        Origin::Own => v1::TokenOrigin::Own,
        Origin::Issued => v1::TokenOrigin::Issued,
        Origin::Session | Origin::Unknown => v1::TokenOrigin::Unspecified,
    }
}

fn session(named: &SessionView) -> v1::Session {
    v1::Session {
        name: named.name().to_string(),
        context: Some(context(&named.context)),
        restrictions: (named.restrictions != SessionRestrictions::default()).then(|| allow(&named.restrictions)),
        display_name: named.row.display_name.clone(),
        external_id: named.row.external_id.clone().unwrap_or_default(),
        creator: named.creator.clone(),
        create_time: Some(time(named.row.create_time)),
        expire_time: named.row.expire_time.map(time),
        revoke_time: named.row.revoke_time.map(time),
        renewal_end_time: Some(time(named.renewal_end_time)),
    }
}

fn allow(restrictions: &SessionRestrictions) -> v1::SessionRestrictions {
    let SessionRestrictions { secret_ids, kinds, scopes } = restrictions;
    v1::SessionRestrictions {
        secret_ids: secret_ids
            .as_ref()
            .map(|names| v1::SecretIdList { values: names.iter().map(|name| name.as_str().to_owned()).collect() }),
        kinds: kinds
            .as_ref()
            .map(|kinds| v1::TargetKindList { values: kinds.iter().map(|kind| target_kind(*kind).into()).collect() }),
        scopes: scopes
            .as_ref()
            .map(|scopes| v1::ScopeKindList { values: scopes.iter().map(|scope| scope_kind(*scope).into()).collect() }),
    }
}
