//! Checked secrets for the tests of what uses them.

use secrets_client::{Question, ResolvedSecret, ResolvedSet, v1, validation};
use secrets_core::{FileMode, Target};

/// A secret of the organization.
pub(crate) fn secret(name: &str, value: &[u8], target: &Target) -> ResolvedSecret {
    secret_in("organizations/acme", name, value, target)
}

/// A secret of the scope with this resource path.
pub(crate) fn secret_in(scope: &str, name: &str, value: &[u8], target: &Target) -> ResolvedSecret {
    let context = |kind: &str| {
        let id = scope.split_once(&format!("/{kind}/")).map(|(_, id)| id.to_owned());
        id.unwrap_or_default()
    };
    let kind = scope.parse::<secrets_core::ScopeName>().unwrap().kind();
    let secret = v1::ResolvedSecret {
        secret: format!("{scope}/secrets/{name}"),
        secret_id: name.into(),
        value: value.into(),
        target: Some(validation::wire_target(target)),
        scope: v1::ScopeKind::from_str_name(&format!("SCOPE_KIND_{}", kind.as_str())).unwrap().into(),
        version: 1,
        ..Default::default()
    };
    let answer = v1::ResolveResponse {
        secrets: vec![secret],
        etag: "e".into(),
        revision: "1.a".into(),
        context: Some(v1::Context {
            organization: "acme".into(),
            project: context("projects"),
            workspace: context("workspaces"),
            user: context("users"),
        }),
        ..Default::default()
    };
    let request = v1::ResolveRequest { required_secret_ids: vec![name.into()], ..Default::default() };
    ResolvedSet::check(answer, &Question::from(&request)).unwrap().secrets.remove(0)
}

pub(crate) fn file(path: &str, mode: u32) -> Target {
    Target::File { path: path.parse().unwrap(), mode: FileMode::new(mode).unwrap() }
}

pub(crate) fn registry(host: &str) -> Target {
    Target::Registry { host: host.parse().unwrap(), username: "bob".parse().unwrap() }
}
