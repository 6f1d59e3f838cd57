//! Scope and context flags: which secrets are meant, and for whom.

use clap::Args;
use secrets_client::Defaults;
use secrets_client::v1;
use secrets_core::{OrganizationId, ProjectId, ScopeName, SecretId, SecretName, WorkspaceId};

use crate::ui::error::{CliError, ExitCode, field};

/// A scope; without a flag, the caller's own.
#[derive(Args, Clone, Debug, Default)]
#[group(multiple = false)]
pub(crate) struct ScopeArgs {
    /// The organization's secrets
    #[arg(long)]
    pub(crate) org: bool,
    /// A project's secrets
    #[arg(long, short, value_name = "PROJECT")]
    pub(crate) project: Option<ProjectId>,
    /// A workspace's secrets
    #[arg(long, short, value_name = "WORKSPACE")]
    pub(crate) workspace: Option<WorkspaceId>,
}

/// A context; without a flag, the one that the environment, `secrets.toml` or the configuration names.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct ContextArgs {
    /// The organization alone, without your default project and workspace
    #[arg(long, conflicts_with_all = ["project", "workspace"])]
    pub(crate) org: bool,
    /// The context of this project
    #[arg(long, short, value_name = "PROJECT")]
    pub(crate) project: Option<ProjectId>,
    /// The context of this workspace
    #[arg(long, short, value_name = "WORKSPACE")]
    pub(crate) workspace: Option<WorkspaceId>,
}

impl ScopeArgs {
    pub(crate) fn is_own(&self) -> bool {
        !self.org && self.project.is_none() && self.workspace.is_none()
    }

    /// The scope in an organization, if a flag names one.
    pub(crate) fn named(&self, organization: OrganizationId) -> Option<ScopeName> {
        if let Some(project) = &self.project {
            Some(ScopeName::Project(organization, project.clone()))
        } else if let Some(workspace) = &self.workspace {
            Some(ScopeName::Workspace(organization, workspace.clone()))
        } else if self.org {
            Some(ScopeName::Organization(organization))
        } else {
            None
        }
    }

    /// The flag that means this scope, to be typed again: ` --project api`, or nothing.
    pub(crate) fn flag(&self) -> String {
        if let Some(project) = &self.project {
            format!(" --project {project}")
        } else if let Some(workspace) = &self.workspace {
            format!(" --workspace {workspace}")
        } else if self.org {
            " --org".to_owned()
        } else {
            String::new()
        }
    }
}

impl ContextArgs {
    pub(crate) fn is_empty(&self) -> bool {
        !self.org && self.project.is_none() && self.workspace.is_none()
    }

    /// The context in an organization. A flag names the whole of it; the defaults count when there is none.
    pub(crate) fn context(&self, organization: String, defaults: &Defaults) -> v1::Context {
        let text = |id: Option<&str>| id.unwrap_or_default().to_owned();
        let defaults = if self.is_empty() && defaults.organization.as_ref().is_none_or(|o| *o == organization) {
            defaults.clone()
        } else {
            Defaults::default()
        };
        v1::Context {
            organization,
            project: text(self.project.as_ref().map(ProjectId::as_str).or(defaults.project.as_deref())),
            workspace: text(self.workspace.as_ref().map(WorkspaceId::as_str).or(defaults.workspace.as_deref())),
            user: String::new(),
        }
    }
}

/// The resource path of a secret. Its name is refused here only if no organization could take it.
pub(crate) fn secret_path(scope: &ScopeName, name: &str) -> Result<String, CliError> {
    let name = parse_name(name)?;
    Ok(SecretName::new(scope.clone(), name).to_string())
}

pub(crate) fn parse_name(name: &str) -> Result<SecretId, CliError> {
    if let Some((name, _)) = name.split_once('=') {
        return Err(value_as_argument(name));
    }
    SecretId::parse(name, secrets_core::NamePolicy::Relaxed)
        .map_err(|error| CliError::new(ExitCode::Failed, field::about("secret name", &error.to_string())))
}

/// Refuses what stands behind the name: a mistyped flag, or a value.
pub(crate) fn misplaced<A: Args>(command: &str, name: &str, first: &str) -> CliError {
    // Other tools have a flag for it; what stands behind that is a value all the same.
    if first.split('=').next() == Some("--value") {
        return value_as_argument(name);
    }
    // `set --org acme NAME`: what stands behind the name is a name as well.
    if super::suggest::behind_org().as_deref() == Some(name) {
        return CliError::usage(super::suggest::no_value_of("--org", name));
    }
    match super::suggest::similar_flag::<A>(first) {
        Some(flag) => CliError::usage(format!("unknown flag of `secrets {command}`; nothing was sent"))
            .hint(format!("did you mean {flag}?")),
        None => value_as_argument(name),
    }
}

/// Refuses a value on the command line, without repeating it.
pub(crate) fn value_as_argument(name: &str) -> CliError {
    let name = if SecretId::parse(name, secrets_core::NamePolicy::Relaxed).is_ok() { name } else { "NAME" };
    CliError::usage("a value is never an argument: the shell's history and `ps` would show it; nothing was sent").hint(
        format!("`secrets set {name}` asks for the value, hidden; `secrets set {name} < FILE` reads it from a file"),
    )
}

/// A scope in words: `your own secrets`, `project api`.
pub(crate) fn describe(scope: &ScopeName) -> String {
    match scope {
        ScopeName::Organization(organization) => format!("organization {organization}"),
        ScopeName::User(..) => "your own secrets".to_owned(),
        other => crate::ui::output::text::scope(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn defaults() -> Defaults {
        Defaults { organization: Some("acme".into()), project: Some("api".into()), workspace: Some("ws1".into()) }
    }

    #[test]
    fn takes_the_default_context_only_without_flags_and_for_its_organization() {
        let context = |args: &ContextArgs, organization: &str| {
            let context = args.context(organization.to_owned(), &defaults());
            (context.project, context.workspace)
        };
        let of = |project: &str, workspace: &str| (project.to_owned(), workspace.to_owned());
        assert_eq!(context(&ContextArgs::default(), "acme"), of("api", "ws1"));
        assert_eq!(context(&ContextArgs::default(), "other"), of("", ""));
        let workspace = ContextArgs { workspace: "ws2".parse().ok(), ..Default::default() };
        assert_eq!(context(&workspace, "acme"), of("", "ws2"));
        assert_eq!(context(&ContextArgs { org: true, ..Default::default() }, "acme"), of("", ""));
    }

    #[test]
    fn names_a_secret_by_path() {
        let scope = ScopeName::Project("acme".parse().unwrap(), "api".parse().unwrap());
        assert_eq!(secret_path(&scope, "A").unwrap(), "organizations/acme/projects/api/secrets/A");
        for name in ["", "a/b", "..", "linear-api-key", "A%20", "1A"] {
            assert!(secret_path(&scope, name).is_err(), "{name}");
        }
    }

    #[test]
    fn suggests_a_valid_name() {
        let error = format!("{:?}", parse_name("linear-api-key").unwrap_err());
        assert!(error.contains("LINEAR_API_KEY"), "{error}");
    }

    #[test]
    fn never_repeats_a_value_that_was_typed_as_an_argument() {
        let error = parse_name("LINEAR_API_KEY=canary-4f1d").unwrap_err();
        assert_eq!(error.exit, ExitCode::Usage);
        assert!(!format!("{error:?}").contains("canary"));
        assert!(!format!("{:?}", value_as_argument("canary-4f1d")).contains("canary"));
    }
}
