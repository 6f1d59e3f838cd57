//! What the service says of a refusal to whoever may know what it is about. A service may send anything: what is not a name or a
//! word of the interface is left out, and with it what can't be said without.

use std::collections::BTreeMap;

use secrets_client::Answer;
use secrets_core::{AccountName, Action, Entitlement, RoleResourceName, ScopeName};

/// More words than there are.
const MAX_WORDS: usize = 32;

/// The missing right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) permission: Action,
    pub(crate) resource: Resource,
    /// Who has the right: any one of these.
    pub(crate) needs: Vec<Entitlement>,
    /// The user of the context, and in what they do not take part.
    pub(crate) non_member: Option<(ScopeName, ScopeName)>,
}

/// On what a right is missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Resource {
    Platform,
    Scope(ScopeName),
    ServiceAccount(String),
}

impl Refusal {
    /// Reads the details of an answer; none if they say nothing of this kind.
    pub(crate) fn read(answer: &Answer) -> Option<Self> {
        let text = |key: &str| answer.metadata.get(key).map(String::as_str);
        let words = text("needs").unwrap_or_default().split(',').take(MAX_WORDS);
        Some(Self {
            permission: text("permission")?.parse().ok()?,
            resource: Resource::read(text("resource")?)?,
            needs: words.filter_map(|word| word.parse().ok()).collect(),
            non_member: non_member(&answer.metadata),
        })
    }
}

impl Resource {
    fn read(path: &str) -> Option<Self> {
        if let Ok(name) = path.parse::<RoleResourceName>() {
            return Some(match name {
                RoleResourceName::Platform => Self::Platform,
                RoleResourceName::Scope(scope) => Self::Scope(scope),
            });
        }
        if let Ok(name) = path.parse::<ScopeName>() {
            return Some(Self::Scope(name));
        }
        match path.parse::<AccountName>() {
            Ok(AccountName::ServiceAccount(name)) => Some(Self::ServiceAccount(name.id.to_string())),
            _ => None,
        }
    }
}

fn non_member(metadata: &BTreeMap<String, String>) -> Option<(ScopeName, ScopeName)> {
    let path = |key: &str| metadata.get(key)?.parse::<ScopeName>().ok();
    let (user, of) = (path("principal")?, path("not_member_of")?);
    let is_one_organization = user.organization() == of.organization();
    (is_one_organization && matches!(user, ScopeName::User(..)) && !matches!(of, ScopeName::User(..)))
        .then_some((user, of))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(metadata: &[(&str, &str)]) -> Answer {
        Answer {
            code: tonic::Code::PermissionDenied,
            reason: Some(secrets_client::Reason::PermissionDenied),
            message: "permission denied".into(),
            metadata: metadata.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
            violations: Vec::new(),
            retry_after: None,
            request_id: None,
        }
    }

    const WRITE: [(&str, &str); 2] = [("permission", "secrets.write"), ("resource", "organizations/acme")];

    #[test]
    fn reads_the_missing_right() {
        let refusal = Refusal::read(&answer(&[WRITE[0], WRITE[1], ("needs", "ORGANIZATION_ADMIN,OF_THE_FUTURE")]));
        let refusal = refusal.unwrap();
        assert_eq!((refusal.permission, refusal.needs), (Action::WriteSecrets, vec![Entitlement::Admin]));
        assert_eq!(refusal.resource, Resource::Scope("organizations/acme".parse().unwrap()));
    }

    #[test]
    fn takes_nothing_that_is_no_name_or_word_of_the_interface() {
        for metadata in [
            &[][..],
            &WRITE[..1],
            &WRITE[1..],
            &[WRITE[0], ("resource", "organizations/acme\u{1b}[2J")],
            &[WRITE[0], ("resource", "organizations/acme/secrets/A")],
            &[WRITE[1], ("permission", "be root")],
        ] {
            assert_eq!(Refusal::read(&answer(metadata)), None, "{metadata:?}");
        }
        let words = "ORGANIZATION_ADMIN,".repeat(1_000);
        assert_eq!(Refusal::read(&answer(&[WRITE[0], WRITE[1], ("needs", &words)])).unwrap().needs.len(), MAX_WORDS);
        let user = ("principal", "organizations/acme/users/bob");
        for of in ["organizations/rival/projects/api", "organizations/acme/users/ann", "api", ""] {
            let refusal = Refusal::read(&answer(&[WRITE[0], WRITE[1], user, ("not_member_of", of)])).unwrap();
            assert_eq!(refusal.non_member, None, "{of}");
        }
    }
}
