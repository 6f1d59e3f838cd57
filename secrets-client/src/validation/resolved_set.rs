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
mod tests;
