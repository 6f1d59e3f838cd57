//! `set`: creates a secret, or makes a new version of it.

use std::collections::BTreeMap;

use clap::Args;
use prost_types::FieldMask;
use secrets_client::{secret_value, v1};
use secrets_core::{Limits, ProjectId, WorkspaceId};

use crate::app::App;
use crate::args::scope::{self, ScopeArgs};
use crate::args::target::TargetArgs;
use crate::args::time;
use crate::args::value::ValueArgs;
use crate::ui::error::{CliError, ExitCode};
use crate::ui::output::{json, text};

/// What is said after each change of a value.
pub(crate) const RUNNING_PROGRAMS_NOTE: &str = "Programs that are running keep what they have.";

#[derive(Args, Debug)]
pub(crate) struct SetArgs {
    /// The secret's name, for instance LINEAR_API_KEY
    name: String,
    /// A value that was typed where none belongs
    #[arg(hide = true, allow_hyphen_values = true)]
    misplaced: Vec<String>,
    #[command(flatten)]
    scope: ScopeArgs,
    #[command(flatten)]
    target: TargetArgs,
    #[command(flatten)]
    value: ValueArgs,
    /// What it is for; never put a value here
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// A label; may be given several times
    #[arg(long = "label", value_name = "KEY=VALUE", value_parser = label)]
    labels: Vec<(String, String)>,
    /// The group that is delivered from one scope as a whole, for instance aws
    #[arg(long, value_name = "GROUP")]
    group: Option<String>,
    /// Only contexts of this project see it; may be given several times
    #[arg(long, value_name = "PROJECT", requires = "org")]
    for_project: Vec<ProjectId>,
    /// Only contexts of this workspace see it; may be given several times
    #[arg(long, value_name = "WORKSPACE", requires = "org")]
    for_workspace: Vec<WorkspaceId>,
    /// Nothing in a narrower scope can take its place
    #[arg(long)]
    lock: bool,
    /// The value is an ordinary word: leave it in a program's output as it is
    #[arg(long)]
    no_redact: bool,
    /// When it ends by itself, for instance 30d or 2027-01-31
    #[arg(long, value_name = "WHEN", value_parser = time::moment)]
    expires: Option<time::TimeArg>,
    /// Check everything, change nothing
    #[arg(long)]
    dry_run: bool,
}

pub(crate) async fn set(app: &App, args: SetArgs) -> Result<(), CliError> {
    if let Some(first) = args.misplaced.first() {
        return Err(scope::misplaced::<SetArgs>("set", &args.name, first));
    }
    let name = scope::parse_name(&args.name)?;
    let target = args.target.target()?;
    let scope = app.scope(&args.scope).await?;
    let given = args.value.read(&format!("Value of {name}"))?;
    if given.value.is_empty() {
        return Err(CliError::new(ExitCode::Failed, "the value is empty; nothing was set"));
    }
    if given.newline_removed && args.target.is_file() {
        app.output.note("One newline at the end was taken away; --raw keeps it.");
    }
    let mut request = request(&args, target);
    request.value = Some(secret_value(&given.value));
    if let Some(secret) = &mut request.secret {
        secret.name = scope::secret_path(&scope, name.as_str())?;
    }
    let response = app.client()?.update_secret(request).await?;
    app.output.warnings(&response.warnings);
    let secret = response.secret.unwrap_or_default();
    let what = match (args.dry_run, secret.current_version) {
        (true, _) => "would be set".to_owned(),
        (false, 1) => "created".to_owned(),
        (false, version) => format!("changed, now version {version}"),
    };
    let target = text::target(secret.target.as_ref());
    // Nothing that runs can have the value of a secret that is new.
    let keep =
        if !args.dry_run && secret.current_version > 1 { format!(" {RUNNING_PROGRAMS_NOTE}") } else { String::new() };
    let sentence = format!("{name} {what}: {target}, {}.{keep}", scope::describe(&scope));
    app.output.done(&sentence, &json::changed(Some(&secret), &response.revision, &response.warnings))
}

/// The upsert: what no flag names is kept, or takes its default in a new secret.
fn request(args: &SetArgs, target: Option<v1::Target>) -> v1::UpdateSecretRequest {
    let mut secret = v1::Secret::default();
    let mut paths = vec!["value"];
    if target.is_some() {
        secret.target = target;
        paths.push("target");
    }
    if let Some(description) = &args.description {
        secret.description.clone_from(description);
        paths.push("description");
    }
    if !args.labels.is_empty() {
        secret.labels = args.labels.iter().cloned().collect::<BTreeMap<_, _>>();
        paths.push("labels");
    }
    if let Some(group) = &args.group {
        secret.group.clone_from(group);
        paths.push("group");
    }
    if !args.for_project.is_empty() || !args.for_workspace.is_empty() {
        secret.visibility = Some(v1::Visibility {
            mode: v1::VisibilityMode::Selected.into(),
            projects: args.for_project.iter().map(ToString::to_string).collect(),
            workspaces: args.for_workspace.iter().map(ToString::to_string).collect(),
        });
        paths.push("visibility");
    }
    if args.lock {
        secret.override_policy = v1::OverridePolicy::Locked.into();
        paths.push("override_policy");
    }
    if args.no_redact {
        secret.redaction = v1::Redaction::Off.into();
        paths.push("redaction");
    }
    if let Some(expires) = args.expires {
        secret.expire_time = Some(expires.ahead());
        paths.push("expire_time");
    }
    v1::UpdateSecretRequest {
        secret: Some(secret),
        update_mask: Some(FieldMask { paths: paths.into_iter().map(str::to_owned).collect() }),
        allow_missing: true,
        validate_only: args.dry_run,
        ..Default::default()
    }
}

/// `team=web`.
pub(crate) fn label(text: &str) -> Result<(String, String), String> {
    let most = Limits::default().labels;
    text.split_once('=')
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .ok_or_else(|| format!("`KEY=VALUE` passes, at most {most} times"))
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[derive(clap::Parser)]
    struct Cli {
        #[command(flatten)]
        set: SetArgs,
    }

    fn paths(line: &str) -> Vec<String> {
        let args = Cli::parse_from(std::iter::once("set").chain(line.split(' '))).set;
        let target = args.target.target().unwrap();
        request(&args, target).update_mask.unwrap().paths
    }

    #[test]
    fn changes_only_what_a_flag_names() {
        assert_eq!(paths("A"), ["value"]);
        assert_eq!(paths("A --description d --label a=b"), ["value", "description", "labels"]);
        assert_eq!(paths("A --org --for-workspace ws1 --lock"), ["value", "visibility", "override_policy"]);
        assert_eq!(paths("A --file /k --mode 0440 --expires 30d"), ["value", "target", "expire_time"]);
    }

    #[test]
    fn understands_a_misplaced_value_so_as_to_refuse_it() {
        let args = Cli::parse_from(["set", "LINEAR_API_KEY", "-x", "lin_123"]).set;
        assert_eq!(args.misplaced.len(), 2);
    }
}
