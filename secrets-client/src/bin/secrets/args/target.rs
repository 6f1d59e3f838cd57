//! Target flags: where a value lands.

use clap::Args;
use secrets_client::v1;
use secrets_client::v1::target::Kind;

use crate::ui::error::CliError;

/// Where the value lands; without a flag, an environment variable.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct TargetArgs {
    /// Deliver it as an environment variable of the same name, as a new secret is by default
    #[arg(long, group = "target")]
    env: bool,
    /// Deliver it as a file at this path, absolute or starting with `~/`
    #[arg(long, value_name = "PATH", group = "target")]
    file: Option<String>,
    /// Permissions of the file, octal [default: 0600]
    #[arg(long, value_name = "MODE", requires = "file", value_parser = mode)]
    mode: Option<u32>,
    /// Deliver it as the credential of this container registry, for instance `ghcr.io`
    #[arg(long, value_name = "HOST", group = "target")]
    registry: Option<String>,
    /// User name that goes with the registry's password or token
    #[arg(long, value_name = "USER", requires = "registry")]
    username: Option<String>,
    /// Never deliver it to a program: only `resolve` returns it
    #[arg(long, group = "target")]
    api_only: bool,
}

impl TargetArgs {
    /// The target, if a flag names one. The service checks path, mode, host and user name.
    pub(crate) fn target(&self) -> Result<Option<v1::Target>, CliError> {
        let kind = if let Some(path) = &self.file {
            // A shell that expands `~` knows only its own home, which is not where the value will land.
            let path = in_home(path, std::env::var("HOME").ok().as_deref());
            Kind::File(v1::FileTarget { path, mode: self.mode.unwrap_or_default() })
        } else if let Some(host) = &self.registry {
            let Some(username) = self.username.clone() else {
                return Err(CliError::usage("--registry needs a user name").hint("add --username USER"));
            };
            Kind::Registry(v1::RegistryTarget { host: host.clone(), username })
        } else if self.api_only {
            Kind::ApiOnly(v1::ApiOnlyTarget {})
        } else if self.env {
            Kind::EnvironmentVariable(v1::EnvironmentVariableTarget {})
        } else {
            return Ok(None);
        };
        Ok(Some(v1::Target { kind: Some(kind) }))
    }

    /// The path of --file, as it was typed.
    pub(crate) fn file(&self) -> Option<&str> {
        self.file.as_deref()
    }
}

/// Whether a value lands in a file.
pub(crate) fn is_file(target: Option<&v1::Target>) -> bool {
    matches!(target.and_then(|target| target.kind.as_ref()), Some(Kind::File(_)))
}

fn mode(text: &str) -> Result<u32, String> {
    u32::from_str_radix(text, 8)
        .ok()
        .filter(|mode| (1..=0o777).contains(mode))
        .ok_or_else(|| "expected octal permission bits such as `0600`".to_owned())
}

/// A path with the `~` that the shell expanded.
pub(crate) fn in_home(path: &str, home: Option<&str>) -> String {
    let within = home.filter(|home| home.len() > 1).and_then(|home| path.strip_prefix(home.trim_end_matches('/')));
    match within {
        Some(rest) if rest.starts_with('/') => format!("~{rest}"),
        _ => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_modes_as_chmod_does() {
        assert_eq!((mode("0600"), mode("440")), (Ok(0o600), Ok(0o440)));
        for text in ["", "0", "8", "1777", "rw"] {
            assert!(mode(text).is_err(), "{text}");
        }
    }

    #[test]
    fn gives_back_the_tilde_that_the_shell_expanded() {
        assert_eq!(in_home("/home/bob/.ssh/key", Some("/home/bob")), "~/.ssh/key");
        assert_eq!(in_home("/home/bobby/key", Some("/home/bob")), "/home/bobby/key");
        assert_eq!(in_home("/etc/key", Some("/")), "/etc/key");
        assert_eq!(in_home("/etc/key", None), "/etc/key");
        assert_eq!(in_home("~/key", Some("/home/bob")), "~/key");
    }
}
