//! Targets, and the words for kinds of target and scope, override policy and redaction.

use secrets_core::{OverridePolicy, Redaction, ScopeKind, Target, TargetKind};
use secrets_proto::v1;

/// Where a value lands.
pub fn target(target: &Target) -> v1::Target {
    use v1::target::Kind;
    let kind = match target {
        Target::EnvironmentVariable => Kind::EnvironmentVariable(v1::EnvironmentVariableTarget {}),
        Target::File { path, mode } => Kind::File(v1::FileTarget { path: path.as_str().to_owned(), mode: mode.bits() }),
        Target::Registry { host, username } => Kind::Registry(v1::RegistryTarget {
            host: host.as_str().to_owned(),
            username: username.as_str().to_owned(),
        }),
        Target::ApiOnly => Kind::ApiOnly(v1::ApiOnlyTarget {}),
    };
    v1::Target { kind: Some(kind) }
}

/// A kind of target.
pub fn target_kind(kind: TargetKind) -> v1::TargetKind {
    match kind {
        TargetKind::EnvironmentVariable => v1::TargetKind::EnvironmentVariable,
        TargetKind::File => v1::TargetKind::File,
        TargetKind::Registry => v1::TargetKind::Registry,
        TargetKind::ApiOnly => v1::TargetKind::ApiOnly,
    }
}

/// A kind of scope.
pub fn scope_kind(kind: ScopeKind) -> v1::ScopeKind {
    match kind {
        ScopeKind::Organization => v1::ScopeKind::Organization,
        ScopeKind::Project => v1::ScopeKind::Project,
        ScopeKind::Workspace => v1::ScopeKind::Workspace,
        ScopeKind::User => v1::ScopeKind::User,
    }
}

/// Whether narrower scopes may override a secret.
pub fn override_policy(policy: OverridePolicy) -> v1::OverridePolicy {
    match policy {
        OverridePolicy::Allowed => v1::OverridePolicy::Allowed,
        OverridePolicy::Locked => v1::OverridePolicy::Locked,
    }
}

/// Whether a client masks the value in output.
pub fn redaction(redaction: Redaction) -> v1::Redaction {
    match redaction {
        Redaction::Default => v1::Redaction::Default,
        Redaction::Off => v1::Redaction::Off,
    }
}
