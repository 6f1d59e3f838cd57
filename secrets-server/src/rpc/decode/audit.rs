//! Requests of `AuditService`.

use secrets_core::{OrganizationId, PrincipalName, ScopeName, SecretName};
use secrets_proto::{Method, v1};

use super::name::{organization, organization_or_platform};
use super::{resource, time};
use crate::audit::Outcome;
use crate::call::purpose::Purpose;
use crate::error::{Error, Reason};
use crate::service::audit::list_events::EventQuestion;
use crate::service::audit::list_exposure::ExposureQuestion;
use crate::service::page::Page;

/// Events of a page, unless the request says otherwise.
const DEFAULT_PAGE_SIZE: u64 = 100;
/// Secrets of a page of exposure, unless the request says otherwise.
const DEFAULT_EXPOSURE_PAGE_SIZE: u64 = 1_000;
/// The longest word for what no method did; longer than any that there is.
const MAX_OWN_ACTION_BYTES: usize = 64;

pub fn list_audit_events(request: v1::ListAuditEventsRequest) -> Result<EventQuestion, Error> {
    let organization = organization_or_platform("parent", &request.parent)?;
    let secret: Option<SecretName> = given(&request.secret).map(|secret| resource("secret", secret)).transpose()?;
    let belongs = secret.as_ref().is_none_or(|secret| Some(secret.scope.organization()) == organization.as_ref());
    if !belongs {
        return Err(invalid_name("secret", "must be a secret of the organization in `parent`"));
    }
    let (from, until) = (time("start_time", request.start_time)?, time("end_time", request.end_time)?);
    if from.zip(until).is_some_and(|(from, until)| from > until) {
        return Err(Error::invalid("end_time", "must not be before `start_time`"));
    }
    let outcome = outcome(request.outcome)?;
    let scope = given(&request.scope).map(|text| scope(text, organization.as_ref())).transpose()?;
    Ok(EventQuestion {
        organization,
        secret,
        action: given(&request.action).map(action).transpose()?,
        outcome,
        scope,
        without: request.exclude_completion.then_some(Purpose::Completion),
        principal: given(&request.principal).map(principal).transpose()?,
        from,
        until,
        page: Page::new(request.page_size, request.page_token, DEFAULT_PAGE_SIZE)?,
    })
}

pub fn list_exposure(request: v1::ListExposureRequest) -> Result<ExposureQuestion, Error> {
    let organization = organization("parent", &request.parent)?;
    let principal: PrincipalName = resource("principal", &request.principal)?;
    if principal.organization().is_some_and(|own| *own != organization) {
        return Err(invalid_name("principal", "must be of the organization in `parent`, or of the platform"));
    }
    let page = Page::new(request.page_size, request.page_token, DEFAULT_EXPOSURE_PAGE_SIZE)?;
    Ok(ExposureQuestion { organization, principal, page })
}

/// A principal by its resource name, as events carry it. Whether it still exists does not matter.
fn principal(text: &str) -> Result<String, Error> {
    Ok(resource::<PrincipalName>("principal", text)?.to_string())
}

/// What events were done by. A method that there is not is refused: an empty list would look as if nobody had called it.
fn action(text: &str) -> Result<String, Error> {
    let is_method = Method::ALL.iter().any(|method| method.as_str() == text);
    let is_own =
        text.len() <= MAX_OWN_ACTION_BYTES && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    if is_method || is_own {
        return Ok(text.to_owned());
    }
    let rule = "must be the full name of a method, for instance `secretsapi.v1.ResolveService/Resolve`";
    Err(Error::invalid("action", rule))
}

fn outcome(number: i32) -> Result<Option<Outcome>, Error> {
    match v1::AuditOutcome::try_from(number) {
        Ok(v1::AuditOutcome::Unspecified) => Ok(None),
        Ok(v1::AuditOutcome::Allowed) => Ok(Some(Outcome::Allowed)),
        Ok(v1::AuditOutcome::Denied) => Ok(Some(Outcome::Denied)),
        Ok(v1::AuditOutcome::Failed) => Ok(Some(Outcome::Failed)),
        Err(_) => Err(Error::invalid("outcome", "must be ALLOWED, DENIED or FAILED")),
    }
}

/// A project or a workspace of the organization. Whether it still exists does not matter.
fn scope(text: &str, organization: Option<&OrganizationId>) -> Result<ScopeName, Error> {
    let scope: ScopeName = resource("scope", text)?;
    if !matches!(scope, ScopeName::Project(..) | ScopeName::Workspace(..)) {
        return Err(invalid_name("scope", "must be a project or a workspace"));
    }
    if Some(scope.organization()) != organization {
        return Err(invalid_name("scope", "must be of the organization in `parent`"));
    }
    Ok(scope)
}

fn given(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}

fn invalid_name(field: &'static str, rule: &str) -> Error {
    Error::field(Reason::InvalidResourceName, field, rule)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn principals_are_resource_paths() {
        for path in [
            "operator",
            "organizations/acme/users/bob@example.com",
            "organizations/acme/serviceAccounts/ci",
            "serviceAccounts/sandboxd",
            "organizations/acme/sessions/7c2a51d2-0a5c-4d9d-9f3b-1d1f6b7c2e11",
        ] {
            assert_eq!(principal(path).unwrap(), path);
        }
        for path in [
            "bob",
            "organizations/acme",
            "organizations/acme/projects/api",
            "organizations/acme/sessions/7",
            "organizations/../sessions/7c2a51d2-0a5c-4d9d-9f3b-1d1f6b7c2e11",
            "organizations/acme/sessions/7C2A51D2-0A5C-4D9D-9F3B-1D1F6B7C2E11",
        ] {
            assert_eq!(principal(path).unwrap_err().violations()[0].field, "principal", "{path}");
        }
    }

    #[test]
    fn a_secret_belongs_to_the_parent() {
        let ask = |parent: &str, secret: &str| {
            let (parent, secret) = (parent.to_owned(), secret.to_owned());
            list_audit_events(v1::ListAuditEventsRequest { parent, secret, ..Default::default() })
        };
        assert!(ask("organizations/acme", "organizations/acme/users/bob/secrets/A").is_ok());
        assert!(ask("platform", "").is_ok());
        for (parent, secret, field) in [
            ("organizations/acme", "organizations/globex/secrets/A", "secret"),
            ("platform", "organizations/acme/secrets/A", "secret"),
            ("organizations/acme", "A", "secret"),
            ("organizations/acme/projects/api", "", "parent"),
            ("", "", "parent"),
        ] {
            assert_eq!(ask(parent, secret).err().unwrap().violations()[0].field, field, "{parent} {secret}");
        }
    }

    #[test]
    fn actions_are_methods_or_the_services_own_words() {
        for known in ["secretsapi.v1.ResolveService/Resolve", "authenticate", "limit_calls"] {
            assert_eq!(action(known).unwrap(), known);
        }
        for unknown in ["Resolve", "secretsapi.v1.ResolveService/Resolved", "a%", &"a".repeat(65)] {
            assert_eq!(action(unknown).unwrap_err().violations()[0].field, "action", "{unknown}");
        }
    }

    #[test]
    fn a_scope_is_a_project_or_a_workspace_of_the_parent() {
        let acme = "acme".parse().unwrap();
        for path in ["organizations/acme/projects/api", "organizations/acme/workspaces/ws1"] {
            assert_eq!(scope(path, Some(&acme)).unwrap().to_string(), path);
            assert!(scope(path, None).is_err());
        }
        for path in ["organizations/globex/projects/api", "organizations/acme", "organizations/acme/users/bob", "ws1"] {
            assert_eq!(scope(path, Some(&acme)).unwrap_err().violations()[0].field, "scope", "{path}");
        }
    }

    #[test]
    fn who_received_is_of_the_parent_or_of_the_platform() {
        let ask = |parent: &str, principal: &str| {
            let (parent, principal) = (parent.to_owned(), principal.to_owned());
            list_exposure(v1::ListExposureRequest { parent, principal, ..Default::default() })
        };
        for principal in ["operator", "serviceAccounts/sandboxd", "organizations/acme/users/bob"] {
            assert!(ask("organizations/acme", principal).is_ok(), "{principal}");
        }
        for (parent, principal, field) in [
            ("organizations/acme", "organizations/globex/users/bob", "principal"),
            ("organizations/acme", "", "principal"),
            ("organizations/acme", "bob", "principal"),
            ("platform", "operator", "parent"),
        ] {
            assert_eq!(ask(parent, principal).err().unwrap().violations()[0].field, field, "{parent} {principal}");
        }
    }

    #[test]
    fn a_time_range_does_not_run_backwards() {
        let at = |seconds| Some(prost_types::Timestamp { seconds, nanos: 0 });
        let ask = |start_time, end_time| {
            list_audit_events(v1::ListAuditEventsRequest {
                parent: "platform".into(),
                start_time,
                end_time,
                ..Default::default()
            })
        };
        assert!(ask(at(5), at(5)).is_ok());
        assert_eq!(ask(at(6), at(5)).err().unwrap().violations()[0].field, "end_time");
    }
}
