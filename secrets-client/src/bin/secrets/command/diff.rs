//! `diff`: where two scopes, or what two contexts get, differ: in names and in what is known beside the value. Never a value, nor
//! whether values are equal, which would answer guesses.

use std::collections::{BTreeMap, BTreeSet};

use clap::Args;
use secrets_client::v1;
use secrets_core::{ProjectId, WorkspaceId};
use serde_json::{Value, json};

use super::list::reach;
use crate::app::{App, all_pages};
use crate::args::scope::{self, ContextArgs, ScopeArgs};
use crate::ui::error::CliError;
use crate::ui::output::table::Table;
use crate::ui::output::text;

#[derive(Args, Debug)]
pub(crate) struct DiffArgs {
    /// The organization's secrets
    #[arg(long)]
    org: bool,
    /// A project's secrets (repeatable)
    #[arg(long, short, value_name = "PROJECT")]
    project: Vec<ProjectId>,
    /// A workspace's secrets (repeatable)
    #[arg(long, short, value_name = "WORKSPACE")]
    workspace: Vec<WorkspaceId>,
    /// Compare what their contexts get, with what they inherit
    #[arg(long)]
    inherited: bool,
}

/// What is known of a secret beside its value: fields and how they read.
type Fields = BTreeMap<&'static str, String>;

/// One of the two that are compared.
struct Side {
    name: String,
    secrets: BTreeMap<String, Fields>,
}

/// A field of a secret that reads differently; none where one of the two lacks the secret.
#[derive(Debug, PartialEq, Eq)]
struct Difference {
    secret_id: String,
    field: &'static str,
    first: Option<String>,
    second: Option<String>,
}

/// The field in which a secret that only one of them has differs.
const PRESENCE: &str = "secret";

pub(crate) async fn diff(app: &App, args: DiffArgs) -> Result<(), CliError> {
    let [first, second] = scopes(&args)?;
    let (first, second) = match args.inherited {
        true => (context(app, first).await?, context(app, second).await?),
        false => (own(app, first).await?, own(app, second).await?),
    };
    let differences = differences(&first, &second);
    let mut table = Table::new(["NAME", "DIFFERENCE"]).wrapped(&["DIFFERENCE"]);
    for difference in &differences {
        table.row([difference.secret_id.clone(), sentence(difference, &first.name, &second.name)]);
    }
    let rows = differences.iter().map(|difference| {
        json!({
            "secret_id": difference.secret_id,
            "field": difference.field,
            "first": difference.first,
            "second": difference.second,
        })
    });
    let json = json!({ "first": first.name, "second": second.name, "differences": rows.collect::<Vec<Value>>() });
    let alike = format!("{} and {} have the same names, targets and metadata.", first.name, second.name);
    app.output.list(&table, json, &alike)?;
    if !app.output.is_json() {
        app.output.note("Values are not compared.");
    }
    Ok(())
}

/// The two that are named, the broader first; beside a single one, the caller's own.
fn scopes(args: &DiffArgs) -> Result<[ScopeArgs; 2], CliError> {
    let projects =
        args.project.iter().map(|project| ScopeArgs { project: Some(project.clone()), ..ScopeArgs::default() });
    let workspaces =
        args.workspace.iter().map(|workspace| ScopeArgs { workspace: Some(workspace.clone()), ..ScopeArgs::default() });
    let organization = args.org.then(|| ScopeArgs { org: true, ..ScopeArgs::default() });
    let mut named: Vec<ScopeArgs> = organization.into_iter().chain(projects).chain(workspaces).collect();
    if named.len() == 1 {
        named.push(ScopeArgs::default());
    }
    <[ScopeArgs; 2]>::try_from(named).map_err(|named| {
        let number = if named.is_empty() { "none is named".to_owned() } else { format!("{} are named", named.len()) };
        CliError::usage(format!("two scopes are compared, and {number}"))
            .hint("for instance `secrets diff --project api --project web`; beside one, your own secrets are the other")
    })
}

/// The secrets of a scope itself.
async fn own(app: &App, args: ScopeArgs) -> Result<Side, CliError> {
    let scope = app.scope(&args).await?;
    let client = app.client()?;
    let parent = scope.to_string();
    let secrets = all_pages(|page_token| {
        let request = v1::ListSecretsRequest { parent: parent.clone(), page_token, ..Default::default() };
        async { client.list_secrets(request).await.map(|page| (page.secrets, page.next_page_token)) }
    })
    .await?;
    let secrets = secrets.into_iter().map(|secret| (secret.secret_id.clone(), fields(&secret))).collect();
    Ok(Side { name: scope::describe(&scope), secrets })
}

/// What the context of a scope gets.
async fn context(app: &App, args: ScopeArgs) -> Result<Side, CliError> {
    let name = match args.is_own() {
        true => "your default context".to_owned(),
        false => format!("what {} gets", scope::describe(&app.scope(&args).await?)),
    };
    let context = ContextArgs { org: args.org, project: args.project, workspace: args.workspace };
    let request = v1::ExplainRequest { context: app.context(&context).await?, ..Default::default() };
    let rows = app.client()?.explain(request).await?.explanations;
    let received = rows.into_iter().filter_map(|row| Some((row.secret_id, received(&row.winner?))));
    Ok(Side { name, secrets: received.collect() })
}

fn fields(secret: &v1::Secret) -> Fields {
    let yes = |flag: bool| if flag { "yes" } else { "no" }.to_owned();
    let labels: BTreeSet<String> = secret.labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
    Fields::from([
        ("target", text::target(secret.target.as_ref())),
        ("description", secret.description.clone()),
        ("labels", labels.into_iter().collect::<Vec<_>>().join(" ")),
        ("group", secret.group.clone()),
        ("reaches", reach(secret)),
        ("locked", yes(secret.override_policy() == v1::OverridePolicy::Locked)),
        ("disabled", yes(secret.disabled)),
        ("unredacted", yes(secret.redaction() == v1::Redaction::Off)),
        ("expires", text::moment(secret.expire_time.as_ref())),
    ])
}

fn received(secret: &v1::ExplainedSecret) -> Fields {
    Fields::from([
        ("from", text::scope_of(&secret.secret)),
        ("target", text::target(secret.target.as_ref())),
        ("description", secret.description.clone()),
        ("group", secret.group.clone()),
        ("expires", text::moment(secret.expire_time.as_ref())),
    ])
}

fn differences(first: &Side, second: &Side) -> Vec<Difference> {
    let names: BTreeSet<&String> = first.secrets.keys().chain(second.secrets.keys()).collect();
    let mut differences = Vec::new();
    for name in names {
        let mut push = |field, first, second| {
            differences.push(Difference { secret_id: name.clone(), field, first, second });
        };
        match (first.secrets.get(name), second.secrets.get(name)) {
            (Some(one), Some(other)) => {
                for (field, value) in one {
                    let theirs = other.get(field).cloned().unwrap_or_default();
                    // Who gets a secret is said of the organization's alone.
                    let is_said = *field != "reaches" || !(value.is_empty() || theirs.is_empty());
                    if *value != theirs && is_said {
                        push(field, Some(value.clone()), Some(theirs));
                    }
                }
            }
            (one, _) => {
                let there = |there: bool| there.then(|| "there".to_owned());
                push(PRESENCE, there(one.is_some()), there(one.is_none()));
            }
        }
    }
    differences
}

/// `only in project api`, or `target: variable (project api), api only (project web)`.
fn sentence(difference: &Difference, first: &str, second: &str) -> String {
    match (&difference.first, &difference.second) {
        (Some(_), None) => format!("only in {first}"),
        (None, _) => format!("only in {second}"),
        (Some(one), Some(other)) => {
            let shown = |value: &str| if value.is_empty() { "none".to_owned() } else { value.to_owned() };
            format!("{}: {} ({first}), {} ({second})", difference.field, shown(one), shown(other))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn side(name: &str, secrets: &[(&str, &str, &str)]) -> Side {
        let secret = |(id, description, group): &(&str, &str, &str)| {
            let secret = v1::Secret {
                secret_id: (*id).into(),
                description: (*description).into(),
                group: (*group).into(),
                ..Default::default()
            };
            ((*id).to_owned(), fields(&secret))
        };
        Side { name: name.into(), secrets: secrets.iter().map(secret).collect() }
    }

    #[test]
    fn says_what_only_one_has_and_which_fields_read_differently() {
        let first = side("project api", &[("A", "main", ""), ("B", "", ""), ("C", "", "aws")]);
        let second = side("project web", &[("A", "", ""), ("C", "", "aws"), ("D", "", "")]);
        let found: Vec<String> = differences(&first, &second)
            .iter()
            .map(|difference| format!("{} {}", difference.secret_id, sentence(difference, &first.name, &second.name)))
            .collect();
        assert_eq!(
            found,
            ["A description: main (project api), none (project web)", "B only in project api", "D only in project web",]
        );
        assert_eq!(differences(&first, &first), []);
    }

    #[test]
    fn compares_two_scopes_or_one_with_your_own() {
        let args = |org, projects: &[&str], workspaces: &[&str]| DiffArgs {
            org,
            project: projects.iter().map(|id| id.parse().unwrap()).collect(),
            workspace: workspaces.iter().map(|id| id.parse().unwrap()).collect(),
            inherited: false,
        };
        let flags = |args: &DiffArgs| scopes(args).map(|scopes| scopes.map(|scope| scope.flag()));
        assert_eq!(flags(&args(false, &["a", "b"], &[])).unwrap(), [" --project a", " --project b"]);
        assert_eq!(flags(&args(true, &[], &["ws1"])).unwrap(), [" --org", " --workspace ws1"]);
        assert_eq!(flags(&args(false, &["a"], &[])).unwrap(), [" --project a", ""]);
        assert!(flags(&args(false, &[], &[])).is_err() && flags(&args(true, &["a"], &["w"])).is_err());
    }
}
