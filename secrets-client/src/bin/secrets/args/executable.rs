//! Which files stay executable.

use clap::Args;
use secrets_client::ResolvedSecret;
use secrets_core::{FileMode, ScopeKind, Target};

use crate::ui::output::text;

const EXECUTE_BITS: u32 = 0o111;

/// Executable files come from the caller's own secrets alone, unless flags say otherwise: others could make what runs here.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct ExecutableArgs {
    /// Keep the execute bits of files that do not come from your own secrets: of all, or of those named
    #[arg(
        long,
        value_name = "NAME,NAME",
        value_delimiter = ',',
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "",
    )]
    allow_executable: Option<Vec<String>>,
}

impl ExecutableArgs {
    /// The permissions that a secret's file gets, which are `mode` or a part of it.
    pub(crate) fn mode(&self, secret: &ResolvedSecret, mode: FileMode) -> u32 {
        if self.strips(secret, mode) { mode.bits() & !EXECUTE_BITS } else { mode.bits() }
    }

    /// What is said of each file that is not executable for that.
    pub(crate) fn notices(&self, secrets: &[ResolvedSecret]) -> Vec<String> {
        let stripped = secrets.iter().filter(|secret| match secret.target {
            Target::File { mode, .. } => self.strips(secret, mode),
            _ => false,
        });
        let notice = |secret: &ResolvedSecret| {
            let (name, scope) = (secret.secret_id(), text::scope(&secret.name.scope));
            format!(
                "{name} is delivered without its execute bits, as it comes from {scope}; --allow-executable={name} keeps \
                 them"
            )
        };
        stripped.map(notice).collect()
    }

    fn strips(&self, secret: &ResolvedSecret, mode: FileMode) -> bool {
        let is_allowed = |names: &Vec<String>| {
            names.iter().all(String::is_empty) || names.iter().any(|name| name == secret.secret_id().as_str())
        };
        is_executable(mode.bits())
            && secret.scope() != ScopeKind::User
            && !self.allow_executable.as_ref().is_some_and(is_allowed)
    }
}

/// Whether somebody may execute a file of this mode.
pub(crate) const fn is_executable(mode: u32) -> bool {
    mode & EXECUTE_BITS != 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_set::{file, secret_in};

    fn delivered(scope: &str, mode: u32, allowed: Option<&[&str]>) -> (u32, usize) {
        let secret = secret_in(scope, "TOOL", b"#!/bin/sh", &file("~/tools/tool", mode));
        let allow_executable = allowed.map(|names| names.iter().map(|name| (*name).to_owned()).collect());
        let args = ExecutableArgs { allow_executable };
        let mode = args.mode(&secret, FileMode::new(mode).unwrap());
        (mode, args.notices(&[secret]).len())
    }

    #[test]
    fn strips_what_others_could_have_made_executable_and_says_so() {
        for scope in ["organizations/acme", "organizations/acme/projects/api", "organizations/acme/workspaces/ws1"] {
            assert_eq!(delivered(scope, 0o755, None), (0o644, 1), "{scope}");
            assert_eq!(delivered(scope, 0o755, Some(&["OTHER"])), (0o644, 1), "{scope}");
            assert_eq!(delivered(scope, 0o755, Some(&[""])), (0o755, 0), "{scope}");
            assert_eq!(delivered(scope, 0o710, Some(&["OTHER", "TOOL"])), (0o710, 0), "{scope}");
            assert_eq!(delivered(scope, 0o640, None), (0o640, 0), "{scope}");
        }
        assert_eq!(delivered("organizations/acme/users/bob", 0o755, None), (0o755, 0));
    }
}
