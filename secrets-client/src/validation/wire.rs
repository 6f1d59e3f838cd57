//! What was checked, as the interface has it.

use secrets_core::{ContextName, Redaction, ScopeKind, Target, TargetKind};
use secrets_proto::v1;
use secrets_proto::v1::target::Kind;

/// Returns a target as the interface has it.
pub fn target(target: &Target) -> v1::Target {
    let kind = match target {
        Target::EnvironmentVariable => Kind::EnvironmentVariable(v1::EnvironmentVariableTarget {}),
        Target::File { path, mode } => Kind::File(v1::FileTarget { path: path.to_string(), mode: mode.bits() }),
        Target::Registry { host, username } => {
            Kind::Registry(v1::RegistryTarget { host: host.to_string(), username: username.to_string() })
        }
        Target::ApiOnly => Kind::ApiOnly(v1::ApiOnlyTarget {}),
    };
    v1::Target { kind: Some(kind) }
}

pub(super) const fn target_kind(kind: TargetKind) -> v1::TargetKind {
    match kind {
        TargetKind::EnvironmentVariable => v1::TargetKind::EnvironmentVariable,
        TargetKind::File => v1::TargetKind::File,
        TargetKind::Registry => v1::TargetKind::Registry,
        TargetKind::ApiOnly => v1::TargetKind::ApiOnly,
    }
}

pub(super) const fn scope_kind(kind: ScopeKind) -> v1::ScopeKind {
    match kind {
        ScopeKind::Organization => v1::ScopeKind::Organization,
        ScopeKind::Project => v1::ScopeKind::Project,
        ScopeKind::Workspace => v1::ScopeKind::Workspace,
        ScopeKind::User => v1::ScopeKind::User,
    }
}

pub(super) const fn redaction(redaction: Redaction) -> v1::Redaction {
    match redaction {
        Redaction::Default => v1::Redaction::Default,
        Redaction::Off => v1::Redaction::Off,
    }
}

pub(super) fn context(context: &ContextName) -> v1::Context {
    v1::Context {
        organization: context.organization.to_string(),
        project: context.project.as_ref().map(ToString::to_string).unwrap_or_default(),
        workspace: context.workspace.as_ref().map(ToString::to_string).unwrap_or_default(),
        user: context.user.as_ref().map(ToString::to_string).unwrap_or_default(),
    }
}
