use std::collections::{BTreeMap, BTreeSet};

use prost_types::Timestamp;
use secrecy::{ExposeSecret as _, SecretSlice};
use secrets_core::{ContextName, Destination, Limits, Redaction, ScopeKind, SecretId, SecretName, Target, check_value};
use secrets_proto::v1;

use super::broken_rule::BrokenRule;
use super::metadata::{self, Checked, LeftOut, Metadata};
use super::question::Question;
use super::{MAX_SECRETS, text, wire};

/// The effective set of a context, checked.
#[derive(Debug)]
pub struct ResolvedSet {
    /// The secrets with their values, in the order of the answer: by name.
    pub secrets: Vec<ResolvedSecret>,
    /// What the answer has and this version does not know.
    pub left_out: Vec<LeftOut>,
    /// Identifies the answer; send it back as `if_none_match`.
    pub etag: String,
    /// The answer equals that of `if_none_match`; `secrets` is empty.
    pub not_modified: bool,
    /// The next time at which the answer changes by itself; none: never.
    pub next_change_time: Option<Timestamp>,
    /// The organization's revision that was read.
    pub revision: String,
    /// Warnings for the caller, as the service wrote them.
    pub warnings: Vec<v1::Warning>,
    /// Bytes that the variables take in an environment.
    pub environment_bytes: i64,
    /// The context that was resolved.
    pub context: ContextName,
}

/// One secret with its value, which no `Debug` prints and which is wiped when it is dropped. Only a checked answer has one.
#[derive(Debug)]
pub struct ResolvedSecret {
    /// Scope and name of the secret.
    pub name: SecretName,
    /// The target of the value.
    pub target: Target,
    /// The delivered version.
    pub version: u32,
    /// Whether a client masks it in output.
    pub redaction: Redaction,
    value: SecretSlice<u8>,
}

impl ResolvedSet {
    /// Checks an answer to `question`.
    pub fn check(mut answer: v1::ResolveResponse, question: &Question) -> Result<Self, BrokenRule> {
        // Taken first, so that they are wiped whatever becomes of the answer.
        let values: Vec<SecretSlice<u8>> =
            answer.secrets.iter_mut().map(|secret| std::mem::take(&mut secret.value).into()).collect();
        if answer.secrets.len() > MAX_SECRETS {
            return Err(BrokenRule::TooMany { number: answer.secrets.len() });
        }
        if answer.not_modified && !(question.has_etag && answer.secrets.is_empty()) {
            return Err(BrokenRule::NotModified);
        }
        if answer.environment_bytes < 0 {
            return Err(BrokenRule::EnvironmentBytes);
        }
        text::token("etag", &answer.etag)?;
        text::token("revision", &answer.revision)?;
        text::time("next_change_time", answer.next_change_time.as_ref())?;
        let context = question.context(answer.context.as_ref())?;
        let mut check = SetCheck { question, context: &context, seen: BTreeSet::new(), destinations: BTreeMap::new() };
        let (mut secrets, mut left_out) = (Vec::with_capacity(values.len()), Vec::new());
        for (secret, value) in answer.secrets.iter().zip(values) {
            match check.secret(secret, value)? {
                Ok(secret) => secrets.push(secret),
                Err(unknown) => left_out.push(unknown),
            }
        }
        if !answer.not_modified {
            check.require_all()?;
        }
        Ok(Self {
            secrets,
            left_out,
            etag: answer.etag,
            not_modified: answer.not_modified,
            next_change_time: answer.next_change_time,
            revision: answer.revision,
            warnings: answer.warnings,
            environment_bytes: answer.environment_bytes,
            context,
        })
    }

    /// Returns the secret of this name, if the set has it.
    pub fn secret(&self, name: &str) -> Option<&ResolvedSecret> {
        self.secrets.iter().find(|secret| secret.secret_id().as_str() == name)
    }

    /// Returns the context as a request names it.
    pub fn context(&self) -> v1::Context {
        wire::context(&self.context)
    }

    /// Returns the answer that the set was checked in, without what was left out. It holds copies of the values.
    pub fn to_response(&self) -> v1::ResolveResponse {
        v1::ResolveResponse {
            secrets: self.secrets.iter().map(ResolvedSecret::to_message).collect(),
            etag: self.etag.clone(),
            not_modified: self.not_modified,
            next_change_time: self.next_change_time,
            revision: self.revision.clone(),
            warnings: self.warnings.clone(),
            environment_bytes: self.environment_bytes,
            context: Some(self.context()),
        }
    }
}

impl ResolvedSecret {
    /// Returns the name within its scope.
    pub const fn secret_id(&self) -> &SecretId {
        &self.name.secret_id
    }

    /// Returns the kind of scope that it comes from.
    pub const fn scope(&self) -> ScopeKind {
        self.name.scope.kind()
    }

    /// Returns the value.
    pub fn expose(&self) -> &[u8] {
        self.value.expose_secret()
    }

    /// Whether this and another secret deliver the same value in the same way.
    pub(crate) fn delivers_the_same(&self, other: &Self) -> bool {
        (&self.name, self.version, self.redaction, &self.target)
            == (&other.name, other.version, other.redaction, &other.target)
            && self.expose() == other.expose()
    }

    fn to_message(&self) -> v1::ResolvedSecret {
        v1::ResolvedSecret {
            secret: self.name.to_string(),
            secret_id: self.secret_id().to_string(),
            target: Some(wire::target(&self.target)),
            value: self.expose().to_vec(),
            scope: wire::scope_kind(self.scope()).into(),
            version: self.version,
            redaction: wire::redaction(self.redaction).into(),
        }
    }
}

/// What is known of a set while its secrets are checked.
struct SetCheck<'a> {
    question: &'a Question,
    context: &'a ContextName,
    seen: BTreeSet<SecretId>,
    destinations: BTreeMap<Destination, SecretId>,
}

impl SetCheck<'_> {
    /// Checks one secret beside those before it.
    fn secret(
        &mut self,
        secret: &v1::ResolvedSecret,
        value: SecretSlice<u8>,
    ) -> Result<Result<ResolvedSecret, LeftOut>, BrokenRule> {
        let metadata = match metadata::check(secret.into(), self.question, Some(self.context))? {
            Checked::Known(metadata) => *metadata,
            Checked::LeftOut(left_out) => {
                self.claim_name(&left_out.secret_id)?;
                return Ok(Err(left_out));
            }
        };
        let Metadata { name, target, version, redaction } = metadata;
        self.claim_name(&name.secret_id)?;
        self.claim_destination(&name.secret_id, &target)?;
        check_value(&target, value.expose_secret(), Limits::default().value_bytes)
            .map_err(|error| BrokenRule::Value { name: name.secret_id.clone(), error })?;
        Ok(Ok(ResolvedSecret { name, target, version, redaction, value }))
    }

    fn claim_name(&mut self, name: &SecretId) -> Result<(), BrokenRule> {
        if self.seen.insert(name.clone()) { Ok(()) } else { Err(BrokenRule::Repeated { name: name.clone() }) }
    }

    fn claim_destination(&mut self, name: &SecretId, target: &Target) -> Result<(), BrokenRule> {
        let Some(destination) = target.destination(name) else { return Ok(()) };
        match self.destinations.insert(destination, name.clone()) {
            None => Ok(()),
            Some(other) => Err(BrokenRule::SameDestination { other, name: name.clone() }),
        }
    }

    fn require_all(&self) -> Result<(), BrokenRule> {
        let is_missing = |name: &&str| !self.seen.iter().any(|seen| seen.as_str() == *name);
        match self.question.required().find(is_missing) {
            Some(name) => Err(BrokenRule::Missing { name: name.to_owned() }),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use secrets_proto::v1::target::Kind;

    use super::*;
    use crate::validation::UnknownValue;

    fn variable(name: &str) -> v1::ResolvedSecret {
        v1::ResolvedSecret {
            secret: format!("organizations/acme/secrets/{name}"),
            secret_id: name.into(),
            target: Some(wire::target(&Target::EnvironmentVariable)),
            value: b"canary-4f1d".to_vec(),
            scope: v1::ScopeKind::Organization.into(),
            version: 1,
            redaction: v1::Redaction::Default.into(),
        }
    }

    fn file(name: &str, path: &str, mode: u32) -> v1::ResolvedSecret {
        let file = v1::FileTarget { path: path.into(), mode };
        v1::ResolvedSecret { target: Some(v1::Target { kind: Some(Kind::File(file)) }), ..variable(name) }
    }

    fn registry(name: &str, host: &str, username: &str) -> v1::ResolvedSecret {
        let registry = v1::RegistryTarget { host: host.into(), username: username.into() };
        v1::ResolvedSecret { target: Some(v1::Target { kind: Some(Kind::Registry(registry)) }), ..variable(name) }
    }

    fn api_only(name: &str) -> v1::ResolvedSecret {
        v1::ResolvedSecret { target: Some(wire::target(&Target::ApiOnly)), ..variable(name) }
    }

    fn answer(secrets: Vec<v1::ResolvedSecret>) -> v1::ResolveResponse {
        v1::ResolveResponse {
            secrets,
            etag: "e".into(),
            revision: "1.a".into(),
            context: Some(v1::Context { organization: "acme".into(), ..Default::default() }),
            ..Default::default()
        }
    }

    fn asked(secret_ids: &[&str], required: &[&str], kinds: &[v1::TargetKind]) -> Question {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let request = v1::ResolveRequest {
            secret_ids: owned(secret_ids),
            required_secret_ids: owned(required),
            kinds: kinds.iter().map(|kind| (*kind).into()).collect(),
            ..Default::default()
        };
        Question::from(&request)
    }

    fn refused(answer: v1::ResolveResponse, question: &Question) -> String {
        let error = ResolvedSet::check(answer, question).expect_err("it was accepted").to_string();
        assert!(!error.contains("canary") && !error.contains('\u{1b}'), "{error}");
        error
    }

    #[test]
    fn accepts_what_the_service_sends_and_gives_it_back() {
        let mut sent = answer(vec![
            variable("A"),
            file("B", "~/.ssh/key", 0o400),
            file("C", "/run/c", 0),
            registry("D", "ghcr.io", "bob"),
            api_only("E"),
        ]);
        let set = ResolvedSet::check(sent.clone(), &asked(&[], &["E", "A"], &[])).unwrap();
        assert_eq!(set.secrets[2].target, Target::File { path: "/run/c".parse().unwrap(), mode: Default::default() });
        assert_eq!(set.secret("A").unwrap().expose(), b"canary-4f1d");
        let Some(v1::Target { kind: Some(Kind::File(file)) }) = &mut sent.secrets[2].target else { panic!("a file") };
        file.mode = 0o600;
        assert_eq!(set.to_response(), sent);
        assert!(ResolvedSet::check(set.to_response(), &asked(&[], &["E"], &[])).is_ok());
    }

    #[test]
    fn prints_no_value() {
        let set = ResolvedSet::check(answer(vec![variable("A")]), &Question::default()).unwrap();
        let printed = format!("{set:?}");
        assert!(!printed.contains("canary") && !printed.contains("99, 97, 110"), "{printed}");
    }

    #[test]
    fn refuses_a_secret_that_breaks_a_rule_and_names_it() {
        let changed = |change: fn(&mut v1::ResolvedSecret)| {
            let mut secret = variable("A");
            change(&mut secret);
            secret
        };
        let cases = [
            (changed(|secret| secret.secret_id = "A\nB".into()), "secret name: invalid character U+000A"),
            (changed(|secret| secret.secret_id = "$(touch x)".into()), "secret name: invalid character `$`"),
            (changed(|secret| secret.secret_id = String::new()), "secret name: names must not be empty"),
            (changed(|secret| secret.version = 0), "`A`: version must be at least 1"),
            (changed(|secret| secret.target = None), "`A`: target must be set"),
            (changed(|secret| secret.scope = 0), "`A`: kind of scope must be"),
            (changed(|secret| secret.scope = 2), "`A`: kind of scope must be"),
            (changed(|secret| secret.secret = "organizations/acme/secrets/B".into()), "`A`: resource path must end in"),
            (changed(|secret| secret.secret = "\u{1b}[2J".into()), "`A`: resource path: expected"),
            (changed(|secret| secret.secret = "organizations/x/secrets/A".into()), "`A`: scope must be one of"),
            (changed(|secret| secret.value.clear()), "`A`: value must not be empty"),
            (changed(|secret| secret.value = vec![b'x'; 65_537]), "`A`: value must be at most 65536 bytes"),
            (changed(|secret| secret.value = b"canary\0".to_vec()), "`A`: value of an environment variable"),
            (variable("LD_PRELOAD"), "`LD_PRELOAD` is reserved"),
            (variable("Path"), "`Path` is reserved"),
            (file("A", "/etc/../x", 0o600), "`A`: path must not contain `..`"),
            (file("A", "relative", 0o600), "`A`: path must start with"),
            (file("A", "~/.bashrc", 0o600), "`A`: path is reserved by `~/.bashrc`"),
            (file("A", "/run/a\n", 0o600), "`A`: invalid character U+000A"),
            (file("A", "/run/a", 0o602), "`A`: mode `0602` lets everybody write"),
            (file("A", "/run/a", 0o4755), "`A`: mode `4755` must have no bits outside"),
            (registry("A", "https://ghcr.io/x", "bob"), "`A`: registry must be a host alone"),
            (registry("A", "ghcr.io", "bob:x"), "`A`: invalid character `:` in registry user name"),
            (api_only("A"), "`A`: api only was not asked for"),
        ];
        for (secret, rule) in cases {
            let error = refused(answer(vec![variable("FIRST"), secret]), &Question::default());
            assert!(error.contains(rule), "{rule}: {error}");
        }
    }

    #[test]
    fn refuses_an_answer_that_breaks_a_rule_and_names_it() {
        let changed = |change: fn(&mut v1::ResolveResponse)| {
            let mut answer = answer(vec![variable("A")]);
            change(&mut answer);
            answer
        };
        let cases = [
            (changed(|answer| answer.etag.clear()), "etag must be 1 to 256 visible"),
            (changed(|answer| answer.revision = "\u{1b}[2J".into()), "revision must be"),
            (changed(|answer| answer.context = None), "context must be set"),
            (changed(|answer| answer.not_modified = true), "not_modified must answer"),
            (changed(|answer| answer.environment_bytes = -1), "environment_bytes must not"),
            (changed(|answer| answer.secrets = vec![variable("A"), variable("A")]), "`A` must be there once"),
            (
                changed(|answer| answer.secrets = vec![file("A", "/k", 0), file("B", "/k", 0o400)]),
                "`A` and `B` must not have the same target",
            ),
            (
                changed(|answer| answer.secrets = (0..=MAX_SECRETS).map(|at| variable(&format!("A{at}"))).collect()),
                "at most 4000 secrets (got 4001)",
            ),
            (
                changed(|answer| {
                    answer.next_change_time = Some(Timestamp { seconds: i64::MAX, nanos: 0 });
                }),
                "next_change_time must be",
            ),
        ];
        for (answer, rule) in cases {
            let error = refused(answer, &Question::default());
            assert!(error.contains(rule), "{rule}: {error}");
        }
    }

    #[test]
    fn refuses_what_was_not_asked_for_and_what_is_missing() {
        let of = |names: &[&str]| answer(names.iter().map(|name| variable(name)).collect());
        assert_eq!(refused(of(&["B"]), &asked(&["A"], &[], &[])), "`B` was not asked for");
        assert_eq!(refused(of(&["A"]), &asked(&["A"], &["A", "B"], &[])), "`B` must be there");
        assert!(ResolvedSet::check(of(&["A", "B"]), &asked(&["A"], &["B"], &[])).is_ok());
        let error = refused(of(&["A"]), &asked(&[], &[], &[v1::TargetKind::File]));
        assert_eq!(error, "`A`: environment variable was not asked for");
    }

    #[test]
    fn takes_no_answer_for_one_that_the_caller_does_not_have() {
        let unchanged = v1::ResolveResponse { not_modified: true, ..answer(Vec::new()) };
        refused(unchanged.clone(), &asked(&[], &[], &[]));
        let request = v1::ResolveRequest {
            if_none_match: "e".into(),
            required_secret_ids: vec!["A".into()],
            ..Default::default()
        };
        assert!(ResolvedSet::check(unchanged, &Question::from(&request)).unwrap().not_modified);
    }

    #[test]
    fn leaves_out_what_it_does_not_know_unless_it_was_asked_for_by_name() {
        let of = |change: fn(&mut v1::ResolvedSecret)| {
            let mut secret = variable("A");
            change(&mut secret);
            answer(vec![secret, variable("B")])
        };
        let cases = [
            (of(|secret| secret.target = Some(v1::Target { kind: None })), UnknownValue::TargetKind),
            (of(|secret| secret.scope = 9), UnknownValue::ScopeKind),
            (of(|secret| secret.redaction = 9), UnknownValue::Redaction),
        ];
        for (answer, unknown) in cases {
            let set = ResolvedSet::check(answer.clone(), &Question::default()).unwrap();
            let secret_id = SecretId::parse("A", Default::default()).unwrap();
            assert_eq!(set.left_out, [LeftOut { secret_id, unknown }]);
            assert_eq!(set.secrets.len(), 1);
            let error = refused(answer, &asked(&["A", "B"], &[], &[]));
            assert!(error.contains(&format!("does not know its {unknown}")), "{error}");
        }
    }
}
