//! Contexts, and the kinds of target and scope that filter what is resolved.

use secrets_core::{ContextName, InvalidIdentifier, ScopeKind, TargetKind};
use secrets_proto::v1;

use super::identifier;
use crate::error::{Error, Reason};

pub fn context(field: &'static str, context: v1::Context) -> Result<ContextName, Error> {
    if context.organization.is_empty() {
        let text = "must have an `organization`, the identifier of one";
        return Err(Error::field(Reason::ContextInvalid, field, text));
    }
    Ok(ContextName {
        organization: identifier("context.organization", &context.organization)?,
        project: unless_empty("context.project", &context.project)?,
        workspace: unless_empty("context.workspace", &context.workspace)?,
        user: unless_empty("context.user", &context.user)?,
    })
}

pub fn target_kind(field: &'static str, kind: i32) -> Result<TargetKind, Error> {
    match v1::TargetKind::try_from(kind) {
        Ok(v1::TargetKind::EnvironmentVariable) => Ok(TargetKind::EnvironmentVariable),
        Ok(v1::TargetKind::File) => Ok(TargetKind::File),
        Ok(v1::TargetKind::Registry) => Ok(TargetKind::Registry),
        Ok(v1::TargetKind::ApiOnly) => Ok(TargetKind::ApiOnly),
        Ok(v1::TargetKind::Unspecified) | Err(_) => {
            Err(unknown(field, "TARGET_KIND_", TargetKind::ALL, TargetKind::as_str))
        }
    }
}

pub fn scope_kind(field: &'static str, kind: i32) -> Result<ScopeKind, Error> {
    match v1::ScopeKind::try_from(kind) {
        Ok(v1::ScopeKind::Organization) => Ok(ScopeKind::Organization),
        Ok(v1::ScopeKind::Project) => Ok(ScopeKind::Project),
        Ok(v1::ScopeKind::Workspace) => Ok(ScopeKind::Workspace),
        Ok(v1::ScopeKind::User) => Ok(ScopeKind::User),
        Ok(v1::ScopeKind::Unspecified) | Err(_) => {
            Err(unknown(field, "SCOPE_KIND_", ScopeKind::ALL, ScopeKind::as_str))
        }
    }
}

fn unless_empty<T>(field: &'static str, text: &str) -> Result<Option<T>, Error>
where
    T: std::str::FromStr<Err = InvalidIdentifier>,
{
    (!text.is_empty()).then(|| identifier(field, text)).transpose()
}

fn unknown<T: Copy>(field: &'static str, prefix: &str, all: &[T], word: fn(T) -> &'static str) -> Error {
    let words = all.iter().map(|kind| format!("{prefix}{}", word(*kind))).collect::<Vec<_>>();
    Error::invalid(field, format!("expected one of {}", words.join(", ")))
}
