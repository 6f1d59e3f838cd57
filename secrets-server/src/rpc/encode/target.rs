//! Targets and kinds of target and scope.

use secrets_core::{ScopeKind, Target, TargetKind};
use secrets_proto::v1;

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

pub fn target_kind(kind: TargetKind) -> v1::TargetKind {
    match kind {
        TargetKind::EnvironmentVariable => v1::TargetKind::EnvironmentVariable,
        TargetKind::File => v1::TargetKind::File,
        TargetKind::Registry => v1::TargetKind::Registry,
        TargetKind::ApiOnly => v1::TargetKind::ApiOnly,
    }
}

pub fn scope_kind(kind: ScopeKind) -> v1::ScopeKind {
    match kind {
        ScopeKind::Organization => v1::ScopeKind::Organization,
        ScopeKind::Project => v1::ScopeKind::Project,
        ScopeKind::Workspace => v1::ScopeKind::Workspace,
        ScopeKind::User => v1::ScopeKind::User,
    }
}
