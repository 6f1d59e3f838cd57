//! Requests of `DirectoryService`.

use secrets_core::NamePolicy;
use secrets_core::limits::Limit;
use secrets_proto::v1;

use super::{duration, label, parse};
use crate::failure::Failure;
use crate::service::organization::NewOrganization;
use crate::service::organization_limits::OwnLimits;

/// CreateOrganization.
pub fn create_organization(request: v1::CreateOrganizationRequest) -> Result<NewOrganization, Failure> {
    let organization = request.organization.unwrap_or_default();
    Ok(NewOrganization {
        id: parse("organization_id", &request.organization_id)?,
        name_policy: name_policy("organization.name_policy", organization.name_policy)?.unwrap_or_default(),
        limits: limits(organization.limits.unwrap_or_default()),
        display_name: label("organization.display_name", organization.display_name)?,
        admin: parse("admin_user_id", &request.admin_user_id)?,
        invitation_ttl: duration("invitation_ttl", request.invitation_ttl)?,
    })
}

/// A name policy; unset is none.
pub fn name_policy(field: &'static str, policy: i32) -> Result<Option<NamePolicy>, Failure> {
    match v1::NamePolicy::try_from(policy) {
        Ok(v1::NamePolicy::Unspecified) => Ok(None),
        Ok(v1::NamePolicy::Strict) => Ok(Some(NamePolicy::Strict)),
        Ok(v1::NamePolicy::Relaxed) => Ok(Some(NamePolicy::Relaxed)),
        Err(_) => Err(Failure::invalid(field, "NAME_POLICY_STRICT or NAME_POLICY_RELAXED passes")),
    }
}

/// The limits that are set.
pub fn limits(limits: v1::OrganizationLimits) -> OwnLimits {
    [
        (Limit::ValueBytes, limits.value_bytes),
        (Limit::SecretsPerScope, limits.secrets_per_scope),
        (Limit::BytesPerScope, limits.bytes_per_scope),
        (Limit::VersionsPerSecret, limits.versions_per_secret),
    ]
    .into_iter()
    .filter(|(_, most)| *most != 0)
    .map(|(limit, most)| (limit, u64::from(most)))
    .collect()
}
