//! Answers of `DirectoryService`.

use secrets_core::NamePolicy;
use secrets_core::limits::Limits;
use secrets_proto::v1;

use super::time;
use crate::service::organization::{CreatedOrganization, IssuedInvitation};
use crate::store::organization::OrganizationRow;

/// CreateOrganization.
pub fn created_organization(created: &CreatedOrganization) -> v1::CreateOrganizationResponse {
    v1::CreateOrganizationResponse {
        organization: Some(organization(&created.organization, &created.limits)),
        invitation: Some(invitation(&created.invitation)),
    }
}

/// The same without the code, which is shown once.
pub fn kept_organization(created: &CreatedOrganization) -> v1::CreateOrganizationResponse {
    let mut response = created_organization(created);
    if let Some(invitation) = &mut response.invitation {
        invitation.code.clear();
    }
    response
}

/// An organization with the limits in force.
pub fn organization(row: &OrganizationRow, limits: &Limits) -> v1::Organization {
    let bounded = |limit: u64| u32::try_from(limit).unwrap_or(u32::MAX);
    v1::Organization {
        name: format!("organizations/{}", row.organization_id),
        uid: row.uid.to_string(),
        organization_id: row.organization_id.to_string(),
        display_name: row.display_name.clone(),
        name_policy: match row.name_policy {
            NamePolicy::Strict => v1::NamePolicy::Strict,
            NamePolicy::Relaxed => v1::NamePolicy::Relaxed,
        }
        .into(),
        limits: Some(v1::OrganizationLimits {
            value_bytes: bounded(limits.value_bytes),
            secrets_per_scope: bounded(limits.secrets_per_scope),
            bytes_per_scope: bounded(limits.bytes_per_scope),
            versions_per_secret: bounded(limits.versions_per_secret),
        }),
        create_time: Some(time(row.create_time)),
    }
}

/// An invitation with its code.
pub fn invitation(issued: &IssuedInvitation) -> v1::Invitation {
    v1::Invitation {
        user: issued.user.clone(),
        code: issued.code.to_string(),
        expire_time: issued.expire_time.map(time),
    }
}
