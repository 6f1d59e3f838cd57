use std::collections::BTreeSet;

use secrets_core::{ContextName, SecretId, TargetKind};
use secrets_proto::v1;

use super::BrokenRule;
use super::wire;

/// What was asked for: an answer to it has nothing else.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Question {
    context: Option<v1::Context>,
    /// The names that narrow the answer; empty: none do.
    secret_ids: BTreeSet<String>,
    /// Names that must be there.
    required: BTreeSet<String>,
    /// Kinds of target that narrow the answer; empty: none do.
    kinds: BTreeSet<i32>,
    /// Whether the caller has an answer already.
    pub(super) has_etag: bool,
}

impl Question {
    /// Whether a secret of this name may be in an answer.
    pub(super) fn permits(&self, name: &SecretId) -> bool {
        self.secret_ids.is_empty() || self.names(name)
    }

    /// Whether the caller asked for this name.
    pub(super) fn names(&self, name: &SecretId) -> bool {
        self.secret_ids.contains(name.as_str()) || self.required.contains(name.as_str())
    }

    /// Whether a secret of this kind may be in an answer: an API-only one only where it was named.
    pub(super) fn permits_kind(&self, name: &SecretId, kind: TargetKind) -> bool {
        let is_kind = self.kinds.is_empty() || self.kinds.contains(&wire::target_kind(kind).into());
        is_kind && (kind != TargetKind::ApiOnly || self.names(name))
    }

    /// Whether kinds narrow the answer.
    pub(super) fn has_kinds(&self) -> bool {
        !self.kinds.is_empty()
    }

    /// The names that must be there.
    pub(super) fn required(&self) -> impl Iterator<Item = &str> {
        self.required.iter().map(String::as_str)
    }

    /// Checks the context that was answered for: the one that was asked for, with the user and the workspace's project
    /// filled in where none was named.
    pub(super) fn context(&self, answered: Option<&v1::Context>) -> Result<ContextName, BrokenRule> {
        let answered = answered.ok_or(BrokenRule::NoContext)?;
        let name = ContextName {
            organization: answered.organization.parse()?,
            project: optional(&answered.project)?,
            workspace: optional(&answered.workspace)?,
            user: optional(&answered.user)?,
        };
        let Some(asked) = &self.context else { return Ok(name) };
        let is_filled_in = |asked: &str, may_be_filled_in: bool| asked.is_empty() && may_be_filled_in;
        let is_asked = answered.organization == asked.organization
            && answered.workspace == asked.workspace
            && (answered.project == asked.project || is_filled_in(&asked.project, !asked.workspace.is_empty()))
            && (answered.user == asked.user || is_filled_in(&asked.user, true));
        if is_asked { Ok(name) } else { Err(BrokenRule::OtherContext) }
    }
}

impl From<&v1::ResolveRequest> for Question {
    fn from(request: &v1::ResolveRequest) -> Self {
        Self {
            context: request.context.clone(),
            secret_ids: request.secret_ids.iter().cloned().collect(),
            required: request.required_secret_ids.iter().cloned().collect(),
            kinds: request.kinds.iter().copied().collect(),
            has_etag: !request.if_none_match.is_empty(),
        }
    }
}

/// Names that are asked for may be nowhere.
impl From<&v1::ExplainRequest> for Question {
    fn from(request: &v1::ExplainRequest) -> Self {
        Self {
            context: request.context.clone(),
            secret_ids: request.secret_ids.iter().cloned().collect(),
            ..Self::default()
        }
    }
}

/// A watch that begins without a required name goes on without it.
impl From<&v1::WatchRequest> for Question {
    fn from(request: &v1::WatchRequest) -> Self {
        Self {
            context: request.context.clone(),
            secret_ids: request.secret_ids.iter().cloned().collect(),
            required: request.required_secret_ids.iter().cloned().collect(),
            kinds: request.kinds.iter().copied().collect(),
            has_etag: !request.if_none_match.is_empty(),
        }
    }
}

/// An identifier; none for an empty text.
pub(super) fn optional<T: std::str::FromStr>(text: &str) -> Result<Option<T>, T::Err> {
    if text.is_empty() { Ok(None) } else { text.parse().map(Some) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn context(text: &str) -> v1::Context {
        let mut ids = text.split('/').map(str::to_owned);
        let mut next = || ids.next().unwrap_or_default();
        v1::Context { organization: next(), project: next(), workspace: next(), user: next() }
    }

    #[test]
    fn takes_the_context_that_it_asked_for_with_what_is_implied() {
        for (asked, answered, accepted) in [
            ("acme", "acme", true),
            ("acme", "acme///bob", true),
            ("acme//ws1", "acme/api/ws1/bob", true),
            ("acme/api", "acme/api", true),
            ("acme", "other", false),
            ("acme", "acme/api", false),
            ("acme", "acme//ws1", false),
            ("acme//ws1", "acme/api", false),
            ("acme/api/ws1", "acme/web/ws1", false),
            ("acme///bob", "acme///ann", false),
        ] {
            let question = Question { context: Some(context(asked)), ..Default::default() };
            assert_eq!(question.context(Some(&context(answered))).is_ok(), accepted, "{asked} {answered}");
        }
        assert!(Question::default().context(Some(&context("acme/api/ws1/bob"))).is_ok());
        assert_eq!(Question::default().context(None), Err(BrokenRule::NoContext));
        for malformed in ["", "Acme", "acme/../api", "acme/\u{1b}[2J", "acme///a b"] {
            assert!(Question::default().context(Some(&context(malformed))).is_err(), "{malformed:?}");
        }
    }

    #[test]
    fn returns_what_is_api_only_only_by_name() {
        let name = SecretId::parse("A", Default::default()).unwrap();
        let named = Question { required: ["A".to_owned()].into(), ..Default::default() };
        assert!(named.permits_kind(&name, TargetKind::ApiOnly));
        assert!(!Question::default().permits_kind(&name, TargetKind::ApiOnly));
        assert!(Question::default().permits_kind(&name, TargetKind::File));
    }
}
