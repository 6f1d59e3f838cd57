//! `edit`: changes a secret's metadata, or its value.

use clap::Args;
use secrets_client::v1;
use secrets_core::{ProjectId, WorkspaceId};

use super::key_file;
use super::set::{self, RUNNING_PROGRAMS_NOTE, label};
use crate::app::App;
use crate::app::secret_patch::{self, SecretPatch};
use crate::args::scope::{self, ScopeArgs};
use crate::args::target::{TargetArgs, is_file};
use crate::args::time;
use crate::args::value::ValueArgs;
use crate::ui::error::CliError;
use crate::ui::output::{json, text};

#[derive(Args, Debug)]
pub(crate) struct EditArgs {
    /// The secret's name
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
    #[command(flatten)]
    change: ChangeArgs,
}

const ADDITIONS: [&str; 4] = ["add_project", "add_workspace", "remove_project", "remove_workspace"];

/// Changes of metadata. Without any, the value is asked for.
#[derive(Args, Debug, Default)]
struct ChangeArgs {
    /// What the secret is for; never put a value here
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// Set a label (repeatable)
    #[arg(long = "label", value_name = "KEY=VALUE", value_parser = label)]
    labels: Vec<(String, String)>,
    /// Remove a label (repeatable)
    #[arg(long, value_name = "KEY")]
    remove_label: Vec<String>,
    /// The group of the secret; a group comes from one scope as a whole
    #[arg(long, value_name = "GROUP")]
    group: Option<String>,
    /// Remove the secret from its group
    #[arg(long, conflicts_with = "group")]
    no_group: bool,
    /// Also give the secret to this project (repeatable)
    #[arg(long, value_name = "PROJECT")]
    add_project: Vec<ProjectId>,
    /// Also give the secret to this workspace (repeatable)
    #[arg(long, value_name = "WORKSPACE")]
    add_workspace: Vec<WorkspaceId>,
    /// No longer give the secret to this project (repeatable)
    #[arg(long, value_name = "PROJECT")]
    remove_project: Vec<ProjectId>,
    /// No longer give the secret to this workspace (repeatable)
    #[arg(long, value_name = "WORKSPACE")]
    remove_workspace: Vec<WorkspaceId>,
    /// Limit the secret to this project (repeatable)
    #[arg(long, value_name = "PROJECT", conflicts_with_all = ADDITIONS)]
    for_project: Vec<ProjectId>,
    /// Limit the secret to this workspace (repeatable)
    #[arg(long, value_name = "WORKSPACE", conflicts_with_all = ADDITIONS)]
    for_workspace: Vec<WorkspaceId>,
    /// Give the secret to every context of the organization
    #[arg(long, conflicts_with_all = ADDITIONS, conflicts_with_all = ["for_project", "for_workspace"])]
    for_all: bool,
    /// Do not let narrower scopes override the secret
    #[arg(long)]
    lock: bool,
    /// Let narrower scopes override the secret
    #[arg(long, conflicts_with = "lock")]
    unlock: bool,
    /// Keep the secret, but do not deliver it
    #[arg(long)]
    disable: bool,
    /// Deliver the secret again
    #[arg(long, conflicts_with = "disable")]
    enable: bool,
    /// Do not mask the value in a program's output
    #[arg(long)]
    no_redact: bool,
    /// Mask the value in a program's output
    #[arg(long, conflicts_with = "no_redact")]
    redact: bool,
    /// When the secret expires, for instance 30d or 2027-01-31
    #[arg(long, value_name = "WHEN", value_parser = time::future)]
    expires: Option<time::TimeArg>,
    /// The secret does not expire
    #[arg(long, conflicts_with = "expires")]
    never_expires: bool,
}

pub(crate) async fn edit(app: &App, args: EditArgs) -> Result<(), CliError> {
    let _held = app.output.hold_warnings();
    if let Some(first) = args.misplaced.first() {
        return Err(scope::misplaced::<EditArgs>("edit", &args.name, first));
    }
    let target = args.target.target()?;
    let scope = app.scope(&args.scope).await?;
    // Read before a person is asked for a value: a missing secret fails at once.
    let stored = app.secret(&scope, &args.name).await?;
    let client = app.client()?;

    let mut patch = SecretPatch::new(stored.clone());
    args.change.apply(&mut patch)?;
    let changes_target = target.is_some();
    patch.target(target);
    let mut value = None;
    if patch.is_empty() || args.value.is_explicit() {
        if args.value.is_asked_for() {
            // Whatever else could refuse it is asked before the person is.
            let rehearsed = patch.clone().request(Some(&set::rehearsed_value()));
            client.update_secret(v1::UpdateSecretRequest { validate_only: true, ..rehearsed }).await?;
        }
        let is_file = is_file(patch.secret().target.as_ref());
        let given = args.value.read(&format!("New value of {}, empty to keep it", args.name), is_file)?;
        if is_file {
            key_file::warn(app, &args.name, &given);
        }
        value = Some(given).filter(|value| !value.is_empty());
    }
    if patch.is_empty() && value.is_none() {
        let sentence = format!("{} is unchanged: an empty answer keeps the value.", args.name);
        return app.output.done(&sentence, &json::changed(Some(&stored), "", &[]));
    }
    let (changed, metadata) = (patch.words(), patch.words_of_metadata());
    let response = client.update_secret(patch.request(value.as_ref())).await?;
    app.output.warnings(&response.warnings);
    let secret = response.secret.unwrap_or_default();
    if changes_target {
        set::warn_of_execute_bits(app, &scope, &secret);
    }
    let sentence = if response.value_unchanged {
        set::unchanged(&args.name, &metadata, secret.current_version)
    } else if secret.current_version == stored.current_version {
        format!("{} changed: {changed}. The value stays as it was.", args.name)
    } else {
        let target = text::target(secret.target.as_ref());
        format!("{} changed, now version {}: {target}. {RUNNING_PROGRAMS_NOTE}", args.name, secret.current_version)
    };
    app.output.done(
        &sentence,
        &json::changed_value(&secret, response.value_unchanged, &response.revision, &response.warnings),
    )?;
    if changes_target || value.is_some() {
        key_file::warn_of_another(app, &secret, value.as_deref().map(Vec::as_slice));
    }
    Ok(())
}

impl ChangeArgs {
    fn apply(&self, patch: &mut SecretPatch) -> Result<(), CliError> {
        let either = |yes: bool, no: bool| (yes || no).then_some(yes);
        let visibility = self.visibility(patch.secret().visibility.as_ref())?;
        patch.description(self.description.clone());
        patch.labels(&self.labels, &self.remove_label);
        patch.group(if self.no_group { Some(String::new()) } else { self.group.clone() });
        patch.visibility(visibility);
        patch.locked(either(self.lock, self.unlock));
        patch.disabled(either(self.disable, self.enable));
        patch.redacted(either(self.redact, self.no_redact));
        patch.expires(if self.never_expires { Some(None) } else { self.expires.map(Some) });
        Ok(())
    }

    /// The contexts that see it from now on, if a flag says so.
    fn visibility(&self, before: Option<&v1::Visibility>) -> Result<Option<v1::Visibility>, CliError> {
        if self.for_all {
            return Ok(Some(v1::Visibility { mode: v1::VisibilityMode::All.into(), ..Default::default() }));
        }
        if !self.for_project.is_empty() || !self.for_workspace.is_empty() {
            return Ok(Some(secret_patch::selected(&self.for_project, &self.for_workspace)));
        }
        let add = secret_patch::selected(&self.add_project, &self.add_workspace);
        let remove = secret_patch::selected(&self.remove_project, &self.remove_workspace);
        if [&add, &remove].iter().all(|change| change.projects.is_empty() && change.workspaces.is_empty()) {
            return Ok(None);
        }
        match before {
            Some(before) if before.mode() == v1::VisibilityMode::Selected => Ok(Some(v1::Visibility {
                mode: before.mode,
                projects: selection(&before.projects, add.projects, &remove.projects),
                workspaces: selection(&before.workspaces, add.workspaces, &remove.workspaces),
            })),
            _ => Err(CliError::usage(
                "every context of the organization sees this secret, so there is no selection to change",
            )
            .hint("--for-project P and --for-workspace W limit it to those")),
        }
    }
}

fn selection(before: &[String], add: Vec<String>, remove: &[String]) -> Vec<String> {
    let mut selection = before.to_vec();
    selection.extend(add);
    selection.retain(|id| !remove.contains(id));
    selection.sort();
    selection.dedup();
    selection
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The secret, and which of its fields are changed, in words.
    fn changed(change: &ChangeArgs, secret: v1::Secret) -> Result<(v1::Secret, String), CliError> {
        let mut patch = SecretPatch::new(secret);
        change.apply(&mut patch)?;
        let words = patch.words();
        Ok((patch.request(None).secret.unwrap(), words))
    }

    #[test]
    fn adds_to_and_takes_from_a_selection() {
        let secret = v1::Secret {
            visibility: Some(v1::Visibility {
                mode: v1::VisibilityMode::Selected.into(),
                projects: vec!["web".into()],
                workspaces: vec!["ws1".into(), "ws2".into()],
            }),
            ..Default::default()
        };
        let change = ChangeArgs {
            add_workspace: vec!["ws3".parse().unwrap(), "ws1".parse().unwrap()],
            remove_workspace: vec!["ws2".parse().unwrap()],
            ..Default::default()
        };
        let (secret, words) = changed(&change, secret).unwrap();
        assert_eq!(words, "visibility");
        let visibility = secret.visibility.unwrap();
        assert_eq!(
            (visibility.projects, visibility.workspaces),
            (vec!["web".into()], vec!["ws1".into(), "ws3".into()])
        );
    }

    #[test]
    fn never_takes_a_secret_from_everybody_by_adding_somebody() {
        let change = ChangeArgs { add_workspace: vec!["ws1".parse().unwrap()], ..Default::default() };
        assert!(changed(&change, v1::Secret::default()).is_err());
        let change = ChangeArgs { for_workspace: vec!["ws1".parse().unwrap()], ..Default::default() };
        let (secret, _) = changed(&change, v1::Secret::default()).unwrap();
        assert_eq!(secret.visibility.unwrap().workspaces, ["ws1"]);
    }

    #[test]
    fn keeps_labels_that_no_flag_names() {
        let secret = v1::Secret {
            labels: [("a".to_owned(), "1".to_owned()), ("b".to_owned(), "2".to_owned())].into(),
            ..Default::default()
        };
        let change =
            ChangeArgs { labels: vec![("c".into(), "3".into())], remove_label: vec!["a".into()], ..Default::default() };
        let (secret, words) = changed(&change, secret).unwrap();
        assert_eq!(words, "labels");
        assert_eq!(secret.labels.keys().collect::<Vec<_>>(), ["b", "c"]);
    }

    #[test]
    fn names_no_field_without_a_flag_and_each_in_the_words_of_its_flag() {
        assert_eq!(changed(&ChangeArgs::default(), v1::Secret::default()).unwrap().1, "");
        let change = ChangeArgs { lock: true, never_expires: true, ..Default::default() };
        assert_eq!(changed(&change, v1::Secret::default()).unwrap().1, "locked, never expires");
        let change = ChangeArgs { unlock: true, enable: true, redact: true, ..Default::default() };
        let secret = v1::Secret { disabled: true, ..Default::default() };
        assert_eq!(changed(&change, secret).unwrap().1, "unlocked, enabled, masked");
        let change = ChangeArgs { disable: true, no_redact: true, ..Default::default() };
        assert_eq!(changed(&change, v1::Secret::default()).unwrap().1, "disabled, not masked");
    }
}
