//! What an answer says of one secret beside its value, checked.

use secrets_core::{ContextName, FileMode, InvalidTarget, NamePolicy, Redaction, SecretId, SecretName, Target};
use secrets_proto::v1;
use secrets_proto::v1::target::Kind;

use super::broken_rule::{BrokenRule, UnknownValue};
use super::question::Question;
use super::wire;

/// A secret that was left out, because this version does not know a value of an enumeration that it has.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LeftOut {
    /// The secret's name.
    pub secret_id: SecretId,
    /// What is not known of it.
    pub unknown: UnknownValue,
}

/// The fields that a secret has in a resolved set and in an event of a watch.
#[derive(Clone, Copy)]
pub(super) struct Fields<'a> {
    pub(super) resource: &'a str,
    pub(super) secret_id: &'a str,
    pub(super) target: Option<&'a v1::Target>,
    pub(super) scope: i32,
    pub(super) version: u32,
    pub(super) redaction: i32,
}

/// A secret's metadata.
pub(super) struct Metadata {
    pub(super) name: SecretName,
    pub(super) target: Target,
    pub(super) version: u32,
    pub(super) redaction: Redaction,
}

/// What became of a secret.
pub(super) enum Checked {
    Known(Box<Metadata>),
    LeftOut(LeftOut),
}

impl<'a> From<&'a v1::ResolvedSecret> for Fields<'a> {
    fn from(secret: &'a v1::ResolvedSecret) -> Self {
        Self {
            resource: &secret.secret,
            secret_id: &secret.secret_id,
            target: secret.target.as_ref(),
            scope: secret.scope,
            version: secret.version,
            redaction: secret.redaction,
        }
    }
}

impl<'a> From<&'a v1::WatchedSecret> for Fields<'a> {
    fn from(secret: &'a v1::WatchedSecret) -> Self {
        Self {
            resource: &secret.secret,
            secret_id: &secret.secret_id,
            target: secret.target.as_ref(),
            scope: secret.scope,
            version: secret.version,
            redaction: secret.redaction,
        }
    }
}

/// Checks a secret that was sent for `question`, in `context` where that is known.
pub(super) fn check(
    fields: Fields<'_>,
    question: &Question,
    context: Option<&ContextName>,
) -> Result<Checked, BrokenRule> {
    let secret_id = SecretId::parse(fields.secret_id, NamePolicy::Relaxed)?;
    if !question.permits(&secret_id) {
        return Err(BrokenRule::NotRequested { name: secret_id });
    }
    if fields.version == 0 {
        return Err(BrokenRule::Version { name: secret_id });
    }
    let redaction = redaction(fields.redaction);
    let target = target(&secret_id, fields.target)?;
    let scope = v1::ScopeKind::try_from(fields.scope).ok();
    let (Some(scope), Some(target), Some(redaction)) = (scope, target, redaction) else {
        return left_out(secret_id, fields, question);
    };
    let name = resource(&secret_id, fields.resource, scope, context)?;
    target.check_delivery(&secret_id).map_err(|error| BrokenRule::Target { name: secret_id.clone(), error })?;
    if !question.permits_kind(&secret_id, target.kind()) {
        return Err(BrokenRule::KindNotRequested { name: secret_id, kind: target.kind() });
    }
    Ok(Checked::Known(Box::new(Metadata { name, target, version: fields.version, redaction })))
}

/// A secret with a value that this version does not know.
fn left_out(secret_id: SecretId, fields: Fields<'_>, question: &Question) -> Result<Checked, BrokenRule> {
    let unknown = if fields.target.is_none_or(|target| target.kind.is_none()) {
        UnknownValue::TargetKind
    } else if v1::ScopeKind::try_from(fields.scope).is_err() {
        UnknownValue::ScopeKind
    } else {
        UnknownValue::Redaction
    };
    if question.names(&secret_id) || (unknown == UnknownValue::TargetKind && question.has_kinds()) {
        return Err(BrokenRule::Unknown { name: secret_id, unknown });
    }
    Ok(Checked::LeftOut(LeftOut { secret_id, unknown }))
}

/// The resource path, which repeats the name and the kind of scope.
fn resource(
    secret_id: &SecretId,
    path: &str,
    scope: v1::ScopeKind,
    context: Option<&ContextName>,
) -> Result<SecretName, BrokenRule> {
    let name = || secret_id.clone();
    let parsed: SecretName = path.parse().map_err(|error| BrokenRule::Resource { name: name(), error })?;
    if parsed.secret_id != *secret_id {
        return Err(BrokenRule::OtherName { name: name() });
    }
    if wire::scope_kind(parsed.scope.kind()) != scope {
        return Err(BrokenRule::OtherScope { name: name() });
    }
    if context.is_some_and(|context| !context.scopes().any(|scope| scope == parsed.scope)) {
        return Err(BrokenRule::OutsideContext { name: name() });
    }
    Ok(parsed)
}

/// The target; none for a kind that this version does not know.
fn target(secret_id: &SecretId, target: Option<&v1::Target>) -> Result<Option<Target>, BrokenRule> {
    let name = || secret_id.clone();
    let target = target.ok_or_else(|| BrokenRule::NoTarget { name: name() })?;
    let parsed = match &target.kind {
        None => return Ok(None),
        Some(Kind::EnvironmentVariable(_)) => Ok(Target::EnvironmentVariable),
        Some(Kind::File(file)) => self::file(file),
        Some(Kind::Registry(registry)) => self::registry(registry),
        Some(Kind::ApiOnly(_)) => Ok(Target::ApiOnly),
    };
    parsed.map(Some).map_err(|error| BrokenRule::Target { name: name(), error })
}

fn file(file: &v1::FileTarget) -> Result<Target, InvalidTarget> {
    let mode = if file.mode == 0 { FileMode::default() } else { FileMode::new(file.mode)? };
    Ok(Target::File { path: file.path.parse()?, mode })
}

fn registry(registry: &v1::RegistryTarget) -> Result<Target, InvalidTarget> {
    Ok(Target::Registry { host: registry.host.parse()?, username: registry.username.parse()? })
}

/// The redaction; none for one that this version does not know. One that is not set masks.
fn redaction(redaction: i32) -> Option<Redaction> {
    match v1::Redaction::try_from(redaction).ok()? {
        v1::Redaction::Unspecified | v1::Redaction::Default => Some(Redaction::Default),
        v1::Redaction::Off => Some(Redaction::Off),
    }
}
