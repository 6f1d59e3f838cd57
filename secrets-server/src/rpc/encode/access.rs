//! Answers of `AccessService`.

use secrets_core::authorize::Action;
use secrets_core::{Allow, PrincipalKind, Role};
use secrets_proto::v1;

use super::target::{scope_kind, target_kind};
use super::{context, directory, time, total};
use crate::service::binding::NamedBinding;
use crate::service::change::Deleted;
use crate::service::invitation::Redeemed;
use crate::service::listing::Listed;
use crate::service::organization::IssuedInvitation;
use crate::service::session::{CreatedSession, NamedSession};
use crate::service::token::{CreatedToken, NamedToken};
use crate::service::whoami::Whoami;

/// CreateBinding.
pub fn created_binding(named: &NamedBinding) -> v1::CreateBindingResponse {
    v1::CreateBindingResponse { binding: Some(binding(named)) }
}

/// ListBindings.
pub fn listed_bindings(listed: Listed<NamedBinding>) -> v1::ListBindingsResponse {
    v1::ListBindingsResponse {
        bindings: listed.rows.iter().map(binding).collect(),
        next_page_token: listed.next_page_token,
        total_size: total(listed.total_size),
    }
}

/// DeleteBinding.
pub fn deleted_binding(_: &Deleted) -> v1::DeleteBindingResponse {
    v1::DeleteBindingResponse {}
}

/// CreateInvitation.
pub fn created_invitation(issued: &IssuedInvitation) -> v1::CreateInvitationResponse {
    v1::CreateInvitationResponse { invitation: Some(directory::invitation(issued)) }
}

/// The same without the code, which is shown once.
pub fn kept_invitation(issued: &IssuedInvitation) -> v1::CreateInvitationResponse {
    let mut response = created_invitation(issued);
    if let Some(invitation) = &mut response.invitation {
        invitation.code.clear();
    }
    response
}

/// RedeemInvitation.
pub fn redeemed_invitation(redeemed: &Redeemed) -> v1::RedeemInvitationResponse {
    v1::RedeemInvitationResponse { token: redeemed.token.to_string(), ..kept_redemption(redeemed) }
}

/// The same without the token, which is shown once.
pub fn kept_redemption(redeemed: &Redeemed) -> v1::RedeemInvitationResponse {
    v1::RedeemInvitationResponse {
        token: String::new(),
        metadata: Some(token(&redeemed.metadata)),
        user: redeemed.user.clone(),
    }
}

/// CreateToken.
pub fn created_token(created: &CreatedToken) -> v1::CreateTokenResponse {
    v1::CreateTokenResponse { token: created.token.to_string(), ..kept_token(created) }
}

/// The same without the token, which is shown once.
pub fn kept_token(created: &CreatedToken) -> v1::CreateTokenResponse {
    v1::CreateTokenResponse { token: String::new(), metadata: Some(token(&created.metadata)) }
}

/// ListTokens.
pub fn listed_tokens(listed: Listed<NamedToken>) -> v1::ListTokensResponse {
    v1::ListTokensResponse {
        tokens: listed.rows.iter().map(token).collect(),
        next_page_token: listed.next_page_token,
        total_size: total(listed.total_size),
    }
}

/// RevokeToken.
pub fn revoked_token(sessions: &u64) -> v1::RevokeTokenResponse {
    v1::RevokeTokenResponse { revoked_sessions: total(*sessions) }
}

/// CreateSession.
pub fn created_session(created: &CreatedSession) -> v1::CreateSessionResponse {
    v1::CreateSessionResponse { token: created.token.to_string(), ..kept_session(created) }
}

/// The same without the token, which is shown once.
pub fn kept_session(created: &CreatedSession) -> v1::CreateSessionResponse {
    v1::CreateSessionResponse { token: String::new(), session: Some(session(&created.session)) }
}

/// RenewSession.
pub fn renewed_session(renewed: &NamedSession) -> v1::RenewSessionResponse {
    v1::RenewSessionResponse { session: Some(session(renewed)) }
}

/// ListSessions.
pub fn listed_sessions(listed: Listed<NamedSession>) -> v1::ListSessionsResponse {
    v1::ListSessionsResponse {
        sessions: listed.rows.iter().map(session).collect(),
        next_page_token: listed.next_page_token,
        total_size: total(listed.total_size),
    }
}

/// RevokeSession.
pub fn revoked_session(sessions: &u64) -> v1::RevokeSessionResponse {
    v1::RevokeSessionResponse { revoked_sessions: total(*sessions) }
}

/// WhoAmI.
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
        context: whoami.context.as_ref().map(context),
        credential: whoami.credential,
        server_version: env!("CARGO_PKG_VERSION").to_owned(),
        server_time: Some(time(whoami.now)),
    }
}

/// TestPermissions.
pub fn tested_permissions(permissions: Vec<Action>) -> v1::TestPermissionsResponse {
    v1::TestPermissionsResponse {
        permissions: permissions.into_iter().map(|action| action.as_str().to_owned()).collect(),
    }
}

fn binding(named: &NamedBinding) -> v1::Binding {
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

fn token(named: &NamedToken) -> v1::Token {
    v1::Token {
        name: named.name(),
        principal: named.principal.clone(),
        display_name: named.row.display_name.clone(),
        create_time: Some(time(named.row.create_time)),
        expire_time: named.row.expire_time.map(time),
        revoke_time: named.row.revoke_time.map(time),
        last_used_time: named.row.last_used_time.map(time),
    }
}

fn session(named: &NamedSession) -> v1::Session {
    v1::Session {
        name: named.name(),
        context: Some(context(&named.context)),
        allow: (named.allow != Allow::default()).then(|| allow(&named.allow)),
        display_name: named.row.display_name.clone(),
        external_id: named.row.external_id.clone().unwrap_or_default(),
        minter: named.minter.clone(),
        create_time: Some(time(named.row.create_time)),
        expire_time: named.row.expire_time.map(time),
        revoke_time: named.row.revoke_time.map(time),
    }
}

fn allow(allow: &Allow) -> v1::SessionAllow {
    v1::SessionAllow {
        secret_ids: allow.secret_ids.iter().flatten().map(|name| name.as_str().to_owned()).collect(),
        kinds: allow.kinds.iter().flatten().map(|kind| target_kind(*kind).into()).collect(),
        scopes: allow.scopes.iter().flatten().map(|scope| scope_kind(*scope).into()).collect(),
    }
}
