//! Resource names, where a name of only some kinds is expected.

use secrets_core::{AccountName, OrganizationId, OrganizationName, ProjectName, ScopeName, UserName, WorkspaceName};

use super::resource;
use crate::error::Error;

/// `organizations/{organization}`
pub fn organization(field: &'static str, text: &str) -> Result<OrganizationId, Error> {
    Ok(resource::<OrganizationName>(field, text)?.organization)
}

/// The same as a scope.
pub fn organization_scope(field: &'static str, text: &str) -> Result<ScopeName, Error> {
    resource::<OrganizationName>(field, text).map(Into::into)
}

/// `organizations/{organization}/projects/{project}`
pub fn project(field: &'static str, text: &str) -> Result<ScopeName, Error> {
    resource::<ProjectName>(field, text).map(Into::into)
}

/// `organizations/{organization}/workspaces/{workspace}`
pub fn workspace(field: &'static str, text: &str) -> Result<ScopeName, Error> {
    resource::<WorkspaceName>(field, text).map(Into::into)
}

/// `organizations/{organization}/users/{user}`
pub fn user(field: &'static str, text: &str) -> Result<ScopeName, Error> {
    resource::<UserName>(field, text).map(Into::into)
}

/// `organizations/{organization}`, or none for `platform`.
pub fn organization_or_platform(field: &'static str, text: &str) -> Result<Option<OrganizationId>, Error> {
    match text {
        "platform" => Ok(None),
        _ => organization(field, text).map(Some),
    }
}

/// A user or a service account; none for the caller.
pub fn account_or_caller(field: &'static str, text: &str) -> Result<Option<AccountName>, Error> {
    (!text.is_empty()).then(|| resource(field, text)).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Reason;

    #[test]
    fn takes_the_kind_that_is_expected_and_no_other() {
        assert_eq!(organization("parent", "organizations/acme").unwrap().as_str(), "acme");
        let error = organization("parent", "organizations/acme/projects/api").unwrap_err();
        assert_eq!(error.reason(), Reason::InvalidResourceName);
        assert_eq!(error.message(), "parent: expected `organizations/{organization}`");
        assert!(project("name", "organizations/acme/users/bob").is_err());
        assert!(workspace("name", "organizations/acme").is_err());
        assert!(user("name", "organizations/acme/workspaces/ws1").is_err());
    }

    #[test]
    fn takes_the_platform_where_it_may_stand_for_an_organization() {
        assert_eq!(organization_or_platform("parent", "platform").unwrap(), None);
        assert!(organization("parent", "platform").is_err());
    }
}
