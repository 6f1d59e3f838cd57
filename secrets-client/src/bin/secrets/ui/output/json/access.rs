//! Who calls, and what lets them.

use secrets_client::v1;
use serde_json::{Value, json};

use super::field::{text, time, word};

pub(crate) fn context(context: Option<&v1::Context>) -> Value {
    context.map_or(Value::Null, |context| {
        json!({
            "organization": context.organization,
            "project": text(&context.project),
            "workspace": text(&context.workspace),
            "user": text(&context.user),
        })
    })
}

pub(crate) fn binding(binding: &v1::Binding) -> Value {
    json!({
        "name": binding.name,
        "resource": binding.resource,
        "principal": binding.principal,
        "role": word(binding.role().as_str_name(), "ROLE_"),
        "create_time": time(binding.create_time.as_ref()),
        "creator": binding.creator,
    })
}

/// An invitation with its code.
pub(crate) fn invitation(invitation: &v1::Invitation, code: &str) -> Value {
    json!({
        "user": invitation.user,
        "code": code,
        "expire_time": time(invitation.expire_time.as_ref()),
        "ended": invitation.ended.as_ref().map(invitation_effects),
    })
}

pub(crate) fn token(token: &v1::Token) -> Value {
    json!({
        "name": token.name,
        "principal": token.principal,
        "display_name": token.display_name,
        "create_time": time(token.create_time.as_ref()),
        "expire_time": time(token.expire_time.as_ref()),
        "revoke_time": time(token.revoke_time.as_ref()),
        "last_used_time": time(token.last_used_time.as_ref()),
        "origin": word(token.origin().as_str_name(), "TOKEN_ORIGIN_"),
        "creator": text(&token.creator),
        "sign_in_end_time": time(token.sign_in_end_time.as_ref()),
        "address": text(&token.address),
    })
}

pub(crate) fn session(session: &v1::Session) -> Value {
    json!({
        "name": session.name,
        "context": context(session.context.as_ref()),
        "restrictions": session.restrictions.as_ref().map(|restrictions| json!({
            "secret_ids": restrictions.secret_ids.as_ref().map(|list| &list.values),
            "kinds": restrictions.kinds.as_ref().map(|list| {
                list.values().map(|kind| word(kind.as_str_name(), "TARGET_KIND_")).collect::<Vec<_>>()
            }),
            "scopes": restrictions.scopes.as_ref().map(|list| {
                list.values().map(|scope| word(scope.as_str_name(), "SCOPE_KIND_")).collect::<Vec<_>>()
            }),
        })),
        "display_name": session.display_name,
        "external_id": text(&session.external_id),
        "creator": session.creator,
        "create_time": time(session.create_time.as_ref()),
        "expire_time": time(session.expire_time.as_ref()),
        "renewal_end_time": time(session.renewal_end_time.as_ref()),
        "revoke_time": time(session.revoke_time.as_ref()),
    })
}

pub(crate) fn who_am_i(me: &v1::WhoAmIResponse) -> Value {
    json!({
        "principal": me.principal,
        "kind": word(me.kind().as_str_name(), "PRINCIPAL_KIND_"),
        "organization": text(&me.organization),
        "bindings": me.bindings.iter().map(binding).collect::<Vec<_>>(),
        "expire_time": time(me.expire_time.as_ref()),
        "sign_in_end_time": time(me.sign_in_end_time.as_ref()),
        "recovery_codes": me.recovery_codes.as_ref().map(recovery_codes),
        "recovery_time": time(me.recovery_time.as_ref()),
        "resolvers": me.resolvers.iter().map(binding).collect::<Vec<_>>(),
        "admin_invitations": me.admin_invitations.iter().map(admin_invitation).collect::<Vec<_>>(),
        "renewal_end_time": time(me.renewal_end_time.as_ref()),
        "context": context(me.context.as_ref()),
        "credential": me.credential,
        "server_version": me.server_version,
        "server_time": time(me.server_time.as_ref()),
        "limits": me.limits.as_ref().map(|limits| json!({
            "calls": limits.calls,
            "calls_per_second": limits.calls_per_second,
            "burst": limits.burst,
            "watches": limits.watches,
            "sessions": limits.sessions,
        })),
    })
}

pub(crate) fn admin_invitation(invitation: &v1::AdminInvitation) -> Value {
    json!({
        "name": invitation.name,
        "user": invitation.user,
        "create_time": time(invitation.create_time.as_ref()),
        "start_time": time(invitation.start_time.as_ref()),
        "expire_time": time(invitation.expire_time.as_ref()),
        "redeem_time": time(invitation.redeem_time.as_ref()),
        "revoke_time": time(invitation.revoke_time.as_ref()),
    })
}

fn invitation_effects(ended: &v1::InvitationEffects) -> Value {
    json!({
        "tokens": ended.tokens,
        "sessions": ended.sessions,
        "recovery_codes": ended.recovery_codes,
        "codes": ended.codes,
        "destroyed_secrets": ended.destroyed_secrets,
        "left_workspaces": ended.left_workspaces,
    })
}

pub(crate) fn recovery_codes(codes: &v1::RecoveryCodes) -> Value {
    json!({
        "remaining": codes.remaining,
        "create_time": time(codes.create_time.as_ref()),
        "creator": text(&codes.creator),
    })
}

pub(crate) fn sign_in_code(code: &v1::SignInCode) -> Value {
    json!({
        "name": code.name,
        "create_time": time(code.create_time.as_ref()),
        "expire_time": time(code.expire_time.as_ref()),
        "revoke_time": time(code.revoke_time.as_ref()),
        "token": code.token.as_ref().map(token),
    })
}
