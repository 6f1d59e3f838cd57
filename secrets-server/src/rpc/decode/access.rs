//! Requests of `AccessService`.

use std::collections::BTreeSet;

use secrets_core::authorize::Action;
use secrets_core::{
    AccountName, AdminInvitationName, BindingName, NamePolicy, OrganizationId, Role, RoleResourceName, SecretId,
    SessionName, SessionRestrictions, SignInCodeName,
};
use secrets_proto::v1;

use super::context::{context, scope_kind, target_kind};
use super::{at_most, duration, identifier, label, name, parse, resource};
use crate::error::{Error, Reason};
use crate::service::access::admin_invitation::NewAdminInvitation;
use crate::service::access::binding::NewBinding;
use crate::service::access::invitation::NewInvitation;
use crate::service::access::permission::PermissionQuery;
use crate::service::access::redemption::{RecoveryRedemption, Redemption};
use crate::service::access::session::{NewSession, Renewal, SessionQuery};
use crate::service::access::token::{NewToken, TokenRevocation};
use crate::service::page::Page;

/// Rows of a page, unless the request says otherwise.
const DEFAULT_PAGE_SIZE: u64 = 1_000;
/// Permissions tested in one call.
const MAX_PERMISSIONS: usize = 64;
/// Names that a session is restricted to: as many as a scope can have secrets.
const MAX_SECRET_IDS: usize = 1_000;

pub fn create_binding(request: v1::CreateBindingRequest) -> Result<NewBinding, Error> {
    let binding = request.binding.unwrap_or_default();
    Ok(NewBinding {
        resource: resource("parent", &request.parent)?,
        principal: resource("binding.principal", &binding.principal)?,
        role: role("binding.role", binding.role)?,
    })
}

pub fn list_bindings(request: v1::ListBindingsRequest) -> Result<(RoleResourceName, Page), Error> {
    let page = Page::new(request.page_size, request.page_token, DEFAULT_PAGE_SIZE)?;
    Ok((resource("parent", &request.parent)?, page))
}

pub fn delete_binding(request: v1::DeleteBindingRequest) -> Result<BindingName, Error> {
    resource("name", &request.name)
}

pub fn create_invitation(request: v1::CreateInvitationRequest) -> Result<NewInvitation, Error> {
    Ok(NewInvitation {
        organization: name::organization("parent", &request.parent)?,
        user: identifier("user_id", &request.user_id)?,
        ttl: duration("ttl", request.ttl)?,
        destroy_secrets: request.destroy_secrets,
    })
}

/// Without the code, which is the caller's credential.
pub fn redeem_invitation(request: v1::RedeemInvitationRequest) -> Result<Redemption, Error> {
    redemption(request.display_name, request.ttl)
}

/// Without the code, which is the caller's credential.
pub fn redeem_recovery_code(request: v1::RedeemRecoveryCodeRequest) -> Result<RecoveryRedemption, Error> {
    let redemption = redemption(request.display_name, request.ttl)?;
    Ok(RecoveryRedemption { redemption, keep_others: request.keep_others })
}

/// Without the code, which is the caller's credential.
pub fn redeem_sign_in_code(request: v1::RedeemSignInCodeRequest) -> Result<Redemption, Error> {
    redemption(request.display_name, request.ttl)
}

fn redemption(display_name: String, ttl: Option<prost_types::Duration>) -> Result<Redemption, Error> {
    Ok(Redemption { display_name: label("display_name", display_name)?, ttl: duration("ttl", ttl)? })
}

pub fn create_recovery_codes(_: v1::CreateRecoveryCodesRequest) -> Result<(), Error> {
    Ok(())
}

pub fn create_sign_in_code(_: v1::CreateSignInCodeRequest) -> Result<(), Error> {
    Ok(())
}

pub fn get_sign_in_code(request: v1::GetSignInCodeRequest) -> Result<SignInCodeName, Error> {
    resource("name", &request.name)
}

pub fn revoke_sign_in_code(request: v1::RevokeSignInCodeRequest) -> Result<SignInCodeName, Error> {
    resource("name", &request.name)
}

pub fn invite_admin(request: v1::InviteAdminRequest) -> Result<NewAdminInvitation, Error> {
    Ok(NewAdminInvitation {
        organization: name::organization("parent", &request.parent)?,
        user: parse("user_id", &request.user_id)?,
        ttl: duration("ttl", request.ttl)?,
        destroy_secrets: request.destroy_secrets,
    })
}

pub fn refuse_admin(request: v1::RefuseAdminRequest) -> Result<AdminInvitationName, Error> {
    resource("name", &request.name)
}

pub fn create_token(request: v1::CreateTokenRequest) -> Result<NewToken, Error> {
    Ok(NewToken {
        principal: name::account_or_caller("principal", &request.principal)?,
        display_name: label("display_name", request.display_name)?,
        ttl: duration("ttl", request.ttl)?,
        successor: request.successor,
    })
}

pub fn list_tokens(request: v1::ListTokensRequest) -> Result<(Option<AccountName>, Page), Error> {
    let page = Page::new(request.page_size, request.page_token, DEFAULT_PAGE_SIZE)?;
    Ok((name::account_or_caller("principal", &request.principal)?, page))
}

pub fn revoke_token(request: v1::RevokeTokenRequest) -> Result<TokenRevocation, Error> {
    if request.alone && request.with_service_tokens {
        return Err(Error::invalid("alone", "must not be set together with `with_service_tokens`"));
    }
    Ok(TokenRevocation {
        name: resource("name", &request.name)?,
        with_service_tokens: request.with_service_tokens,
        alone: request.alone,
        validate_only: request.validate_only,
    })
}

pub fn create_session(request: v1::CreateSessionRequest) -> Result<NewSession, Error> {
    Ok(NewSession {
        context: request.context.map(|given| context("context", given)).transpose()?,
        ttl: duration("ttl", request.ttl)?,
        display_name: label("display_name", request.display_name)?,
        external_id: label("external_id", request.external_id)?,
        restrictions: restrictions(request.restrictions.unwrap_or_default())?,
    })
}

pub fn renew_session(request: v1::RenewSessionRequest) -> Result<Renewal, Error> {
    Ok(Renewal { name: session(&request.name)?, ttl: duration("ttl", request.ttl)? })
}

pub fn list_sessions(request: v1::ListSessionsRequest) -> Result<SessionQuery, Error> {
    let organization: OrganizationId = name::organization("parent", &request.parent)?;
    Ok(SessionQuery {
        organization,
        external_id: label("external_id", request.external_id)?,
        show_ended: request.show_ended,
        page: Page::new(request.page_size, request.page_token, DEFAULT_PAGE_SIZE)?,
    })
}

pub fn revoke_session(request: v1::RevokeSessionRequest) -> Result<Option<SessionName>, Error> {
    session(&request.name)
}

pub fn whoami(_: v1::WhoAmIRequest) -> Result<(), Error> {
    Ok(())
}

pub fn test_permissions(request: v1::TestPermissionsRequest) -> Result<PermissionQuery, Error> {
    at_most("permissions", request.permissions.len(), MAX_PERMISSIONS, "permissions")?;
    let permission = |word: &String| parse::<Action>("permissions", word);
    Ok(PermissionQuery {
        resource: resource("resource", &request.resource)?,
        permissions: request.permissions.iter().map(permission).collect::<Result<_, _>>()?,
    })
}

/// A session, or none for the caller's own.
fn session(text: &str) -> Result<Option<SessionName>, Error> {
    (!text.is_empty()).then(|| resource("name", text)).transpose()
}

fn role(field: &'static str, role: i32) -> Result<Role, Error> {
    match v1::Role::try_from(role) {
        Ok(v1::Role::Admin) => Ok(Role::Admin),
        Ok(v1::Role::Member) => Ok(Role::Member),
        Ok(v1::Role::Auditor) => Ok(Role::Auditor),
        Ok(v1::Role::Owner) => Ok(Role::Owner),
        Ok(v1::Role::Resolver) => Ok(Role::Resolver),
        Ok(v1::Role::Delegate) => Ok(Role::Delegate),
        Ok(v1::Role::Provisioner) => Ok(Role::Provisioner),
        Ok(v1::Role::Unspecified) | Err(_) => {
            let words = Role::ALL.iter().map(|role| format!("ROLE_{}", role.as_str())).collect::<Vec<_>>();
            Err(Error::invalid(field, format!("expected one of {}", words.join(", "))))
        }
    }
}

/// A list that is absent restricts nothing; an empty one leaves nothing.
fn restrictions(restrictions: v1::SessionRestrictions) -> Result<SessionRestrictions, Error> {
    let count = restrictions.secret_ids.as_ref().map_or(0, |list| list.values.len());
    at_most("restrictions.secret_ids", count, MAX_SECRET_IDS, "names")?;
    let secret_id = |text: &String| {
        SecretId::parse(text, NamePolicy::Relaxed)
            .map_err(|error| Error::field(Reason::InvalidSecretId, "restrictions.secret_ids", error))
    };
    Ok(SessionRestrictions {
        secret_ids: restrictions.secret_ids.map(|list| set(&list.values, secret_id)).transpose()?,
        kinds: restrictions
            .kinds
            .map(|list| set(&list.values, |kind| target_kind("restrictions.kinds", *kind)))
            .transpose()?,
        scopes: restrictions
            .scopes
            .map(|list| set(&list.values, |scope| scope_kind("restrictions.scopes", *scope)))
            .transpose()?,
    })
}

fn set<W, T: Ord>(words: &[W], read: impl Fn(&W) -> Result<T, Error>) -> Result<BTreeSet<T>, Error> {
    words.iter().map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_absent_list_restricts_nothing_and_an_empty_one_leaves_nothing() {
        assert_eq!(restrictions(v1::SessionRestrictions::default()).unwrap(), SessionRestrictions::default());
        for values in [vec![], vec!["GITHUB_TOKEN".to_owned()]] {
            let count = values.len();
            let list = Some(v1::SecretIdList { values });
            let read = restrictions(v1::SessionRestrictions { secret_ids: list, ..Default::default() }).unwrap();
            assert_eq!(read.secret_ids.map(|names| names.len()), Some(count));
        }
    }

    #[test]
    fn a_role_must_be_named() {
        let failure = role("binding.role", 0).unwrap_err();
        assert!(failure.message().contains("ROLE_ADMIN, ROLE_MEMBER"), "{failure}");
        assert!(role("binding.role", 99).is_err());
    }

    #[test]
    fn an_unknown_permission_is_refused_with_those_that_there_are() {
        let request = v1::TestPermissionsRequest {
            resource: "organizations/acme".into(),
            permissions: vec!["secrets.list".into(), "secrets.steal".into()],
        };
        let failure = test_permissions(request).map(drop).unwrap_err();
        assert!(failure.message().contains("`secrets.receive`"), "{failure}");
    }
}
