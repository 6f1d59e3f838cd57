//! Requests of `AuditService`.

use secrets_core::{PrincipalName, SecretName};
use secrets_proto::v1;

use super::name::organization_or_platform;
use super::{resource, time};
use crate::error::{Error, Reason};
use crate::service::audit::list_events::EventQuestion;
use crate::service::page::Page;

/// Events of a page, unless the request says otherwise.
const DEFAULT_PAGE_SIZE: u64 = 100;

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
    Ok(EventQuestion {
        organization,
        secret,
        principal: given(&request.principal).map(principal).transpose()?,
        from,
        until,
        page: Page::new(request.page_size, request.page_token, DEFAULT_PAGE_SIZE)?,
    })
}

/// A principal by its resource name, as events carry it. Whether it still exists does not matter.
fn principal(text: &str) -> Result<String, Error> {
    Ok(resource::<PrincipalName>("principal", text)?.to_string())
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
