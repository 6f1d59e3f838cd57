//! `edit`: changes a secret's metadata, or its value.

use clap::Args;
use prost_types::FieldMask;
use secrets_client::{secret_value, v1};
use secrets_core::{ProjectId, WorkspaceId};

use super::set::{RUNNING_PROGRAMS_NOTE, label};
use crate::app::App;
use crate::args::scope::{self, ScopeArgs};
use crate::args::target::TargetArgs;
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
    /// What it is for; never put a value here
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// Set a label; may be given several times
    #[arg(long = "label", value_name = "KEY=VALUE", value_parser = label)]
    labels: Vec<(String, String)>,
    /// Take a label away; may be given several times
    #[arg(long, value_name = "KEY")]
    remove_label: Vec<String>,
    /// The group that is delivered from one scope as a whole
    #[arg(long, value_name = "GROUP")]
    group: Option<String>,
    /// Leave its group
    #[arg(long, conflicts_with = "group")]
    no_group: bool,
    /// Let contexts of this project see it
    #[arg(long, value_name = "PROJECT")]
    add_project: Vec<ProjectId>,
    /// Let contexts of this workspace see it
    #[arg(long, value_name = "WORKSPACE")]
    add_workspace: Vec<WorkspaceId>,
    /// No longer let contexts of this project see it
    #[arg(long, value_name = "PROJECT")]
    remove_project: Vec<ProjectId>,
    /// No longer let contexts of this workspace see it
    #[arg(long, value_name = "WORKSPACE")]
    remove_workspace: Vec<WorkspaceId>,
    /// Only contexts of this project see it, and of others that are so named; may be given several times
    #[arg(long, value_name = "PROJECT", conflicts_with_all = ADDITIONS)]
    for_project: Vec<ProjectId>,
    /// Only contexts of this workspace see it, and of others that are so named; may be given several times
    #[arg(long, value_name = "WORKSPACE", conflicts_with_all = ADDITIONS)]
    for_workspace: Vec<WorkspaceId>,
    /// Every context of the organization sees it
    #[arg(long, conflicts_with_all = ADDITIONS, conflicts_with_all = ["for_project", "for_workspace"])]
    for_all: bool,
    /// Nothing in a narrower scope can take its place
    #[arg(long)]
    lock: bool,
    /// Narrower scopes may have their own
    #[arg(long, conflicts_with = "lock")]
    unlock: bool,
    /// Keep it, and do not deliver it
    #[arg(long)]
    disable: bool,
    /// Deliver it again
    #[arg(long, conflicts_with = "disable")]
    enable: bool,
    /// Leave the value in a program's output as it is
    #[arg(long)]
    no_redact: bool,
    /// Mask the value in a program's output
    #[arg(long, conflicts_with = "no_redact")]
    redact: bool,
    /// When it ends by itself, for instance 30d or 2027-01-31
    #[arg(long, value_name = "WHEN", value_parser = time::moment)]
    expires: Option<time::TimeArg>,
    /// It does not end by itself
    #[arg(long, conflicts_with = "expires")]
    never_expires: bool,
}

pub(crate) async fn edit(app: &App, args: EditArgs) -> Result<(), CliError> {
    if let Some(first) = args.misplaced.first() {
        return Err(scope::misplaced::<EditArgs>("edit", &args.name, first));
    }
    let target = args.target.target()?;
    let scope = app.scope(&args.scope).await?;
    let name = scope::secret_path(&scope, &args.name)?;
    let client = app.client()?;
    // Read before a person is asked for a value: one that is not there is told at once.
    let stored = client.get_secret(v1::GetSecretRequest { name }).await?.secret.unwrap_or_default();

    let mut secret = stored.clone();
    let mut paths = args.change.apply(&mut secret)?;
    if target.is_some() {
        secret.target = target;
        paths.push("target");
    }
    let mut value = None;
    if paths.is_empty() || args.value.is_explicit() {
        let given = args.value.read(&format!("New value of {}, empty to keep it", args.name))?;
        if !given.value.is_empty() {
            value = Some(secret_value(&given.value));
            paths.push("value");
        }
    }
    if paths.is_empty() {
        let sentence = format!("{} is as it was: an empty answer keeps the value.", args.name);
        return app.output.done(&sentence, &json::changed(Some(&stored), "", &[]));
    }
    let request = v1::UpdateSecretRequest {
        secret: Some(secret),
        update_mask: Some(FieldMask { paths: paths.iter().map(|path| (*path).to_owned()).collect() }),
        value,
        ..Default::default()
    };
    let response = client.update_secret(request).await?;
    app.output.warnings(&response.warnings);
    let secret = response.secret.unwrap_or_default();
    let sentence = if secret.current_version == stored.current_version {
        format!("{} changed: {}. Its value stays as it was.", args.name, paths.join(", ").replace('_', " "))
    } else {
        let target = text::target(secret.target.as_ref());
        format!("{} changed, now version {}: {target}. {RUNNING_PROGRAMS_NOTE}", args.name, secret.current_version)
    };
    app.output.done(&sentence, &json::changed(Some(&secret), &response.revision, &response.warnings))
}

impl ChangeArgs {
    /// Applies the changes to `secret`, and says which fields they are.
    fn apply(&self, secret: &mut v1::Secret) -> Result<Vec<&'static str>, CliError> {
        let mut paths = Vec::new();
        if let Some(description) = &self.description {
            secret.description.clone_from(description);
            paths.push("description");
        }
        if !self.labels.is_empty() || !self.remove_label.is_empty() {
            for key in &self.remove_label {
                secret.labels.remove(key);
            }
            secret.labels.extend(self.labels.iter().cloned());
            paths.push("labels");
        }
        if self.group.is_some() || self.no_group {
            secret.group = self.group.clone().unwrap_or_default();
            paths.push("group");
        }
        if let Some(visibility) = self.visibility(secret.visibility.as_ref())? {
            secret.visibility = Some(visibility);
            paths.push("visibility");
        }
        if self.lock || self.unlock {
            let policy = if self.lock { v1::OverridePolicy::Locked } else { v1::OverridePolicy::Allowed };
            secret.override_policy = policy.into();
            paths.push("override_policy");
        }
        if self.disable || self.enable {
            secret.disabled = self.disable;
            paths.push("disabled");
        }
        if self.redact || self.no_redact {
            let redaction = if self.redact { v1::Redaction::Default } else { v1::Redaction::Off };
            secret.redaction = redaction.into();
            paths.push("redaction");
        }
        if self.expires.is_some() || self.never_expires {
            secret.expire_time = self.expires.map(time::TimeArg::ahead);
            paths.push("expire_time");
        }
        Ok(paths)
    }

    /// The contexts that see it from now on, if a flag says so.
    fn visibility(&self, before: Option<&v1::Visibility>) -> Result<Option<v1::Visibility>, CliError> {
        let ids = |projects: &[ProjectId], workspaces: &[WorkspaceId]| v1::Visibility {
            mode: v1::VisibilityMode::Selected.into(),
            projects: projects.iter().map(ToString::to_string).collect(),
            workspaces: workspaces.iter().map(ToString::to_string).collect(),
        };
        if self.for_all {
            return Ok(Some(v1::Visibility { mode: v1::VisibilityMode::All.into(), ..Default::default() }));
        }
        if !self.for_project.is_empty() || !self.for_workspace.is_empty() {
            return Ok(Some(ids(&self.for_project, &self.for_workspace)));
        }
        let add = ids(&self.add_project, &self.add_workspace);
        let remove = ids(&self.remove_project, &self.remove_workspace);
        if [&add, &remove].iter().all(|change| change.projects.is_empty() && change.workspaces.is_empty()) {
            return Ok(None);
        }
        match before {
            Some(before) if before.mode() == v1::VisibilityMode::Selected => Ok(Some(v1::Visibility {
                mode: before.mode,
                projects: selection(&before.projects, add.projects, &remove.projects),
                workspaces: selection(&before.workspaces, add.workspaces, &remove.workspaces),
            })),
            _ => Err(CliError::usage("every context of the organization sees it, so there is no selection to change")
                .hint("--for-workspace W and --for-project P make it a selection")),
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

    #[test]
    fn adds_to_and_takes_from_a_selection() {
        let mut secret = v1::Secret {
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
        assert_eq!(change.apply(&mut secret).unwrap(), ["visibility"]);
        let visibility = secret.visibility.unwrap();
        assert_eq!(
            (visibility.projects, visibility.workspaces),
            (vec!["web".into()], vec!["ws1".into(), "ws3".into()])
        );
    }

    #[test]
    fn never_takes_a_secret_from_everybody_by_adding_somebody() {
        let change = ChangeArgs { add_workspace: vec!["ws1".parse().unwrap()], ..Default::default() };
        assert!(change.apply(&mut v1::Secret::default()).is_err());
        let change = ChangeArgs { for_workspace: vec!["ws1".parse().unwrap()], ..Default::default() };
        let mut secret = v1::Secret::default();
        change.apply(&mut secret).unwrap();
        assert_eq!(secret.visibility.unwrap().workspaces, ["ws1"]);
    }

    #[test]
    fn keeps_labels_that_no_flag_names() {
        let mut secret = v1::Secret {
            labels: [("a".to_owned(), "1".to_owned()), ("b".to_owned(), "2".to_owned())].into(),
            ..Default::default()
        };
        let change =
            ChangeArgs { labels: vec![("c".into(), "3".into())], remove_label: vec!["a".into()], ..Default::default() };
        assert_eq!(change.apply(&mut secret).unwrap(), ["labels"]);
        assert_eq!(secret.labels.keys().collect::<Vec<_>>(), ["b", "c"]);
    }

    #[test]
    fn names_no_field_without_a_flag() {
        assert!(ChangeArgs::default().apply(&mut v1::Secret::default()).unwrap().is_empty());
    }
}
