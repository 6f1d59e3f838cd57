//! Resource paths of one kind, where only that kind passes.

use std::fmt::Display;

use secrets_core::{OrganizationId, ScopeName, Uid};

use crate::error::{Error, Reason};
use crate::service::access::binding::BindingName;
use crate::service::access::credential::{Collection, CredentialName};
use crate::service::locate::account::AccountName;
use crate::service::locate::role_resource::RoleResourceName;

/// `organizations/{organization}`
pub fn organization(field: &'static str, text: &str) -> Result<OrganizationId, Error> {
    Ok(organization_scope(field, text)?.organization().clone())
}

/// The same as a scope.
pub fn organization_scope(field: &'static str, text: &str) -> Result<ScopeName, Error> {
    scope(field, text, "`organizations/{organization}`", |scope| matches!(scope, ScopeName::Organization(_)))
}

/// `organizations/{organization}/projects/{project}`
pub fn project(field: &'static str, text: &str) -> Result<ScopeName, Error> {
    let shape = "`organizations/{organization}/projects/{project}`";
    scope(field, text, shape, |scope| matches!(scope, ScopeName::Project(..)))
}

/// `organizations/{organization}/workspaces/{workspace}`
pub fn workspace(field: &'static str, text: &str) -> Result<ScopeName, Error> {
    let shape = "`organizations/{organization}/workspaces/{workspace}`";
    scope(field, text, shape, |scope| matches!(scope, ScopeName::Workspace(..)))
}

/// `organizations/{organization}/users/{user}`
pub fn user(field: &'static str, text: &str) -> Result<ScopeName, Error> {
    let shape = "`organizations/{organization}/users/{user}`";
    scope(field, text, shape, |scope| matches!(scope, ScopeName::User(..)))
}

/// `organizations/{organization}`, or none for `platform`.
pub fn organization_or_platform(field: &'static str, text: &str) -> Result<Option<OrganizationId>, Error> {
    match text {
        "platform" => Ok(None),
        _ => organization(field, text).map(Some),
    }
}

/// What roles are held on.
pub fn role_resource(field: &'static str, text: &str) -> Result<RoleResourceName, Error> {
    text.parse().map_err(|error| invalid(field, error))
}

/// A user or a service account.
pub fn account(field: &'static str, text: &str) -> Result<AccountName, Error> {
    text.parse().map_err(|error| invalid(field, error))
}

/// The same, or none for the caller.
pub fn account_or_caller(field: &'static str, text: &str) -> Result<Option<AccountName>, Error> {
    (!text.is_empty()).then(|| account(field, text)).transpose()
}

/// A resource, then `/bindings/{uid}`.
pub fn binding(field: &'static str, text: &str) -> Result<BindingName, Error> {
    let shape = || invalid(field, "the path of a resource, or `platform`, followed by `/bindings/{uid}` passes");
    let (on, uid) = text.rsplit_once("/bindings/").ok_or_else(shape)?;
    Ok(BindingName { resource: role_resource(field, on)?, uid: canonical(uid).ok_or_else(shape)? })
}

/// `organizations/{organization}/tokens/{uid}`, or `tokens/{uid}` for the platform's; the same with `sessions`.
pub fn credential(field: &'static str, text: &str, collection: Collection) -> Result<CredentialName, Error> {
    let segment = collection.as_str();
    let shape = || match collection {
        Collection::Tokens => {
            invalid(field, "`organizations/{organization}/tokens/{uid}` or, of the platform, `tokens/{uid}` passes")
        }
        Collection::Sessions => invalid(field, "`organizations/{organization}/sessions/{uid}` passes"),
    };
    let (path, uid) = text.rsplit_once('/').ok_or_else(shape)?;
    let uid = canonical(uid).ok_or_else(shape)?;
    if path == segment && collection == Collection::Tokens {
        return Ok(CredentialName { organization: None, collection, uid });
    }
    let parent = path.strip_suffix(segment).and_then(|path| path.strip_suffix('/')).ok_or_else(shape)?;
    Ok(CredentialName { organization: Some(organization(field, parent)?), collection, uid })
}

fn scope(
    field: &'static str,
    text: &str,
    shape: &'static str,
    is_one: impl Fn(&ScopeName) -> bool,
) -> Result<ScopeName, Error> {
    let scope = super::resource::<ScopeName>(field, text)?;
    if is_one(&scope) { Ok(scope) } else { Err(invalid(field, format!("{shape} passes"))) }
}

fn invalid(field: &'static str, rule: impl Display) -> Error {
    Error::field(Reason::InvalidResourceName, field, rule)
}

/// A uid in the one spelling in which we write them.
fn canonical(text: &str) -> Option<Uid> {
    Uid::try_parse(text).ok().filter(|uid| uid.to_string() == text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const UID: &str = "7c2a51d2-0a5c-4d9d-9f3b-1d1f6b7c2e11";

    #[test]
    fn takes_the_kind_that_is_asked_for_and_no_other() {
        assert_eq!(organization("parent", "organizations/acme").unwrap().as_str(), "acme");
        let failure = organization("parent", "organizations/acme/projects/api").unwrap_err();
        assert_eq!(failure.reason(), Reason::InvalidResourceName);
        assert!(failure.message().contains("`organizations/{organization}` passes"), "{failure}");
        assert!(project("name", "organizations/acme/users/bob").is_err());
        assert!(workspace("name", "organizations/acme").is_err());
        assert!(user("name", "organizations/acme/workspaces/ws1").is_err());
    }

    #[test]
    fn takes_the_platform_where_it_may_stand_for_an_organization() {
        assert_eq!(organization_or_platform("parent", "platform").unwrap(), None);
        assert!(organization("parent", "platform").is_err());
    }

    #[test]
    fn reads_the_names_of_credentials_back() {
        for (text, collection) in [
            (format!("organizations/acme/tokens/{UID}"), Collection::Tokens),
            (format!("tokens/{UID}"), Collection::Tokens),
            (format!("organizations/acme/sessions/{UID}"), Collection::Sessions),
        ] {
            assert_eq!(credential("name", &text, collection).unwrap().to_string(), text);
        }
    }

    #[test]
    fn refuses_other_spellings_of_a_credential() {
        for text in [
            "".to_owned(),
            UID.to_owned(),
            format!("sessions/{UID}"),
            format!("organizations/acme/tokens/{UID}"),
            format!("organizations/acme/xsessions/{UID}"),
            format!("organizations/acme/sessions/{}", UID.to_uppercase()),
            format!("organizations/acme/sessions/{}", UID.replace('-', "")),
            format!("organizations/acme/projects/api/sessions/{UID}"),
        ] {
            assert!(credential("name", &text, Collection::Sessions).is_err(), "{text}");
        }
    }

    #[test]
    fn reads_a_binding_on_each_kind_of_resource() {
        for on in
            ["platform", "organizations/acme", "organizations/acme/projects/api", "organizations/acme/workspaces/w"]
        {
            let name = binding("name", &format!("{on}/bindings/{UID}")).unwrap();
            assert_eq!((name.resource.to_string(), name.uid.to_string()), (on.to_owned(), UID.to_owned()));
        }
        for text in ["platform/bindings/", "bindings/x", "organizations/acme/bindings/1"] {
            assert!(binding("name", text).is_err(), "{text}");
        }
    }
}
