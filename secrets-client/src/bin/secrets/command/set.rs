//! `set`: creates a secret, or makes a new version of it.

use clap::Args;
use secrets_client::v1::target::Kind;
use secrets_client::{Client, v1};
use secrets_core::redact::UnmaskedReason;
use secrets_core::{ProjectId, ScopeKind, ScopeName, WorkspaceId};
use zeroize::Zeroizing;

use super::key_file;
use crate::app::App;
use crate::app::secret_patch::{self, SecretPatch};
use crate::args::executable::is_executable;
use crate::args::scope::{self, ScopeArgs};
use crate::args::target::{TargetArgs, is_file};
use crate::args::time;
use crate::args::value::ValueArgs;
use crate::output_masking::masking;
use crate::ui::error::{CliError, ExitCode};
use crate::ui::output::{json, text};

/// What is said after each change of a value.
pub(crate) const RUNNING_PROGRAMS_NOTE: &str = "Running programs keep the old value.";

#[derive(Args, Debug)]
pub(crate) struct SetArgs {
    /// Name of the secret, for instance LINEAR_API_KEY
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
    /// What the secret is for; never put a value here
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// A label (repeatable)
    #[arg(long = "label", value_name = "KEY=VALUE", value_parser = label)]
    labels: Vec<(String, String)>,
    /// The group of the secret, for instance aws; a group comes from one scope as a whole
    #[arg(long, value_name = "GROUP")]
    group: Option<String>,
    /// Limit the secret to this project (repeatable)
    #[arg(long, value_name = "PROJECT", requires = "org")]
    for_project: Vec<ProjectId>,
    /// Limit the secret to this workspace (repeatable)
    #[arg(long, value_name = "WORKSPACE", requires = "org")]
    for_workspace: Vec<WorkspaceId>,
    /// Do not let narrower scopes override the secret
    #[arg(long)]
    lock: bool,
    /// Do not mask the value in a program's output, as for an ordinary word
    #[arg(long)]
    no_redact: bool,
    /// When the secret expires, for instance 30d or 2027-01-31
    #[arg(long, value_name = "WHEN", value_parser = time::future)]
    expires: Option<time::TimeArg>,
    /// Check everything, change nothing
    #[arg(long)]
    dry_run: bool,
}

pub(crate) async fn set(app: &App, mut args: SetArgs) -> Result<(), CliError> {
    let _held = app.output.hold_warnings();
    if let Some(first) = args.misplaced.first() {
        return Err(scope::misplaced::<SetArgs>("set", &args.name, first));
    }
    let name = scope::parse_name(&args.name)?;
    let target = args.target.target()?;
    let mut source = std::mem::take(&mut args.value);
    if let Some(path) = args.target.file()
        && !source.has_file()
    {
        key_file::check_target(name.as_str(), path)?;
    }
    let scope = app.scope(&args.scope).await?;
    let path = scope::secret_path(&scope, name.as_str())?;
    app.asks_secret(name.as_str());
    let client = app.client()?;
    let request = |value: &Zeroizing<Vec<u8>>, validate_only: bool| {
        let request = patch(&args, target.clone()).request(Some(value));
        let secret = request.secret.map(|secret| v1::Secret { name: path.clone(), ..secret });
        v1::UpdateSecretRequest { secret, allow_missing: true, validate_only, ..request }
    };
    if source.is_asked_for() {
        // Whatever else could refuse it is asked before the person is.
        client.update_secret(request(&rehearsed_value(), true)).await?;
        if let Some(path) = args.target.file()
            && let Some(file) = key_file::meant_as_source(path)?
        {
            source.take_from(file);
        }
    }
    let is_file = match &target {
        Some(target) => is_file(Some(target)),
        None => is_file(stored_target(client, &path).await?.as_ref()),
    };
    let value = source.read(&format!("Value of {name}"), is_file)?;
    if value.is_empty() {
        return Err(CliError::new(ExitCode::Failed, "the value must not be empty; nothing was set"));
    }
    if is_file {
        key_file::warn(app, name.as_str(), &value);
    }
    if !args.no_redact && masking::has_short_lines(name.as_str(), &value) {
        app.output.warn(&format!("{name}: {}", UnmaskedReason::ShortLines));
    }
    let response = client.update_secret(request(&value, args.dry_run)).await?;
    app.output.warnings(&response.warnings);
    let secret = response.secret.unwrap_or_default();
    warn_of_execute_bits(app, &scope, &secret);
    let changed = json::changed_value(&secret, response.value_unchanged, &response.revision, &response.warnings);
    if response.value_unchanged {
        let metadata = patch(&args, None).words_of_metadata();
        app.output.done(&unchanged(name.as_str(), &metadata, secret.current_version), &changed)?;
        key_file::warn_of_another(app, &secret, Some(&value));
        return Ok(());
    }
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
    app.output.done(&sentence, &changed)?;
    key_file::warn_of_another(app, &secret, Some(&value));
    Ok(())
}

/// What is said where the value that was given is the one that the secret has.
pub(crate) fn unchanged(name: &str, metadata: &str, version: u32) -> String {
    if metadata.is_empty() {
        format!("{name} is unchanged: it has this value, in version {version}.")
    } else {
        format!("{name} changed: {metadata}. The value stays as it was: it has this one, in version {version}.")
    }
}

/// What is sent to find out whether a value would be taken, before a person is asked for theirs.
pub(crate) fn rehearsed_value() -> Zeroizing<Vec<u8>> {
    Zeroizing::new(b"rehearsed".to_vec())
}

/// Where the value of a secret lands, if it is there.
async fn stored_target(client: &Client, path: &str) -> Result<Option<v1::Target>, CliError> {
    match client.get_secret(v1::GetSecretRequest { name: path.to_owned() }).await {
        Ok(found) => Ok(found.secret.and_then(|secret| secret.target)),
        // The change says what is wrong.
        Err(error) if error.answer().is_some() => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Warns of a file that programs of others get without its execute bits.
pub(crate) fn warn_of_execute_bits(app: &App, scope: &ScopeName, secret: &v1::Secret) {
    let target = secret.target.as_ref().and_then(|target| target.kind.as_ref());
    if let Some(Kind::File(file)) = target
        && is_executable(file.mode)
        && scope.kind() != ScopeKind::User
    {
        let name = &secret.secret_id;
        app.output.warn(&format!(
            "{name} is delivered without its execute bits, except to whoever gives --allow-executable={name}"
        ));
    }
}

/// The upsert: what no flag names is kept, or takes its default in a new secret.
fn patch(args: &SetArgs, target: Option<v1::Target>) -> SecretPatch {
    let is_selected = !args.for_project.is_empty() || !args.for_workspace.is_empty();
    let mut patch = SecretPatch::new(v1::Secret::default());
    patch.target(target);
    patch.description(args.description.clone());
    patch.labels(&args.labels, &[]);
    patch.group(args.group.clone());
    patch.visibility(is_selected.then(|| secret_patch::selected(&args.for_project, &args.for_workspace)));
    patch.locked(args.lock.then_some(true));
    patch.redacted(args.no_redact.then_some(false));
    patch.expires(args.expires.map(Some));
    patch
}

/// `team=web`.
pub(crate) fn label(text: &str) -> Result<(String, String), String> {
    text.split_once('=')
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .ok_or_else(|| "expected `KEY=VALUE`".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;
    use zeroize::Zeroizing;

    use super::*;

    #[derive(clap::Parser)]
    struct Cli {
        #[command(flatten)]
        set: SetArgs,
    }

    fn paths(line: &str) -> Vec<String> {
        let args = Cli::parse_from(std::iter::once("set").chain(line.split(' '))).set;
        let target = args.target.target().unwrap();
        patch(&args, target).request(Some(&Zeroizing::new(b"x".to_vec()))).update_mask.unwrap().paths
    }

    #[test]
    fn changes_only_what_a_flag_names() {
        assert_eq!(paths("A"), ["value"]);
        assert_eq!(paths("A --description d --label a=b"), ["description", "labels", "value"]);
        assert_eq!(paths("A --org --for-workspace ws1 --lock"), ["visibility", "override_policy", "value"]);
        assert_eq!(paths("A --file /k --mode 0440 --expires 30d"), ["target", "expire_time", "value"]);
    }

    #[test]
    fn understands_a_misplaced_value_so_as_to_refuse_it() {
        let args = Cli::parse_from(["set", "LINEAR_API_KEY", "-x", "lin_123"]).set;
        assert_eq!(args.misplaced.len(), 2);
    }
}
