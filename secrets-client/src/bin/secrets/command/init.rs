//! `init`: writes a `secrets.toml` for this directory, from what the caller may see. Never a value.

use std::fs;
use std::io::Write as _;

use clap::Args;
use secrets_client::{Repository, v1};
use secrets_core::{OrganizationName, ProjectId, ScopeName, SecretName, WorkspaceId};
use serde_json::json;

use crate::app::{App, all_pages};
use crate::args::scope::{self, ContextArgs};
use crate::ui::error::{CliError, ExitCode};
use crate::ui::escape::escape;
use crate::ui::output::text;
use crate::ui::prompt;

#[derive(Args, Debug)]
pub(crate) struct InitArgs {
    #[command(flatten)]
    context: ContextArgs,
    /// List only these secrets [default: all that the context gets]
    #[arg(long, value_name = "NAME,NAME", value_delimiter = ',')]
    only: Vec<String>,
    /// Programs start without these
    #[arg(long, value_name = "NAME,NAME", value_delimiter = ',')]
    optional: Vec<String>,
    /// Do not ask
    #[arg(long, short = 'y')]
    yes: bool,
}

/// A scope that a directory can belong to.
enum Choice {
    Project(ProjectId),
    Workspace(WorkspaceId),
}

pub(crate) async fn init(app: &App, mut args: InitArgs) -> Result<(), CliError> {
    for name in args.only.iter().chain(&args.optional) {
        scope::parse_name(name)?;
    }
    let path = std::path::Path::new(Repository::FILE);
    if path.symlink_metadata().is_ok() {
        return Err(exists());
    }
    let is_asked = args.context.is_empty() && !args.yes;
    if is_asked {
        if !prompt::stdin_is_terminal() {
            return Err(CliError::usage("no context is named").hint("name one with --project, --workspace or --org"));
        }
        args.context = ask(app).await?;
    }
    let organization = app.organization().await?.to_string();
    let context = args.context.context(organization.clone(), &app.defaults());
    app.asks_context(&context);
    let request = v1::ExplainRequest { context: Some(context), secret_ids: args.only.clone(), ..Default::default() };
    let answer = app.client()?.explain(request).await?;
    let context = answer.context.clone().unwrap_or_default();
    let listed = listed(&answer.explanations, &args);
    let text = content(&organization, &args.context, &context, &listed);
    if is_asked {
        app.output.text(&text)?;
        prompt::confirm_or_decline("Write this to secrets.toml?", false, "Nothing was written.")?;
    }
    write(path, &text)?;
    let names: Vec<&str> = listed.iter().map(|secret| secret.name.as_str()).collect();
    let number = text::count(names.len(), "secret");
    let sentence = format!("secrets.toml written, with {number}; `secrets check` says which of them are missing.");
    app.output.done(&sentence, &json!({ "path": Repository::FILE, "secret_ids": names }))
}

/// Asks which project or workspace the directory belongs to.
async fn ask(app: &App) -> Result<ContextArgs, CliError> {
    let choices = choices(app).await?;
    for (at, choice) in choices.iter().enumerate() {
        let line = match choice {
            Choice::Project(project) => format!("project {project}"),
            Choice::Workspace(workspace) => format!("workspace {workspace}"),
        };
        app.output.note(&format!("{:>3}  {line}", at + 1));
    }
    let question = match choices.len() {
        0 => return Ok(ContextArgs { org: true, ..ContextArgs::default() }),
        1 => "Which one is this directory's? [1 or its name, empty: none]".to_owned(),
        last => format!("Which one is this directory's? [1-{last} or its name, empty: none]"),
    };
    let answer = prompt::line(&question)?;
    if answer.is_empty() {
        return Ok(ContextArgs { org: true, ..ContextArgs::default() });
    }
    match chosen(&answer, &choices) {
        Some(Choice::Project(project)) => Ok(ContextArgs { project: Some(project.clone()), ..ContextArgs::default() }),
        Some(Choice::Workspace(workspace)) => {
            Ok(ContextArgs { workspace: Some(workspace.clone()), ..ContextArgs::default() })
        }
        None => Err(CliError::usage(format!("`{answer}` is none of these; nothing was written"))),
    }
}

/// The choice of a number, or else of a name, with its kind before it where a project and a workspace have the same.
fn chosen<'a>(answer: &str, choices: &'a [Choice]) -> Option<&'a Choice> {
    let numbered = answer.parse::<usize>().ok().and_then(|number| choices.get(number.checked_sub(1)?));
    let is_named = |choice: &&Choice| {
        let (kind, name) = match choice {
            Choice::Project(project) => ("project", project.as_str()),
            Choice::Workspace(workspace) => ("workspace", workspace.as_str()),
        };
        answer == name || answer.split_once(' ') == Some((kind, name))
    };
    numbered.or_else(|| {
        let mut named = choices.iter().filter(is_named);
        named.next().filter(|_| named.next().is_none())
    })
}

/// The projects and workspaces that the caller may see.
async fn choices(app: &App) -> Result<Vec<Choice>, CliError> {
    let client = app.client()?;
    let parent = OrganizationName::new(app.organization().await?).to_string();
    let projects = all_pages(|page_token| {
        let request = v1::ListProjectsRequest { parent: parent.clone(), page_token, ..Default::default() };
        async { client.list_projects(request).await.map(|page| (page.projects, page.next_page_token)) }
    })
    .await?;
    let workspaces = all_pages(|page_token| {
        let request = v1::ListWorkspacesRequest { parent: parent.clone(), page_token, ..Default::default() };
        async { client.list_workspaces(request).await.map(|page| (page.workspaces, page.next_page_token)) }
    })
    .await?;
    let projects = projects.into_iter().filter_map(|project| project.project_id.parse().ok().map(Choice::Project));
    let workspaces =
        workspaces.into_iter().filter_map(|workspace| workspace.workspace_id.parse().ok().map(Choice::Workspace));
    Ok(projects.chain(workspaces).collect())
}

/// A secret as the file declares it.
struct Listed {
    name: String,
    description: String,
    required: bool,
}

/// What the file declares: what the context gets, and what is asked for beside that.
fn listed(explanations: &[v1::Explanation], args: &InitArgs) -> Vec<Listed> {
    let delivered = explanations.iter().filter_map(|row| Some((&row.secret_id, row.winner.as_ref()?)));
    let mut listed: Vec<Listed> = delivered
        // A name that no other organization could have would make the file invalid.
        .filter(|(name, _)| scope::parse_name(name).is_ok())
        .map(|(name, winner)| Listed {
            name: name.clone(),
            description: if is_own(&winner.secret) { String::new() } else { winner.description.clone() },
            required: !args.optional.contains(name),
        })
        .collect();
    for name in args.only.iter().chain(&args.optional) {
        if !listed.iter().any(|known| known.name == *name) {
            listed.push(Listed {
                name: name.clone(),
                description: String::new(),
                required: !args.optional.contains(name),
            });
        }
    }
    listed.sort_by(|one, other| one.name.cmp(&other.name));
    listed
}

/// Whether it is a person's own: how they describe it is not for everybody who reads the repository.
fn is_own(secret: &str) -> bool {
    secret.parse::<SecretName>().is_ok_and(|name| matches!(name.scope, ScopeName::User(..)))
}

fn content(organization: &str, chosen: &ContextArgs, context: &v1::Context, listed: &[Listed]) -> String {
    let quoted = |value: &str| toml::Value::String(value.to_owned()).to_string();
    let mut text = String::from(
        "# The secrets that this directory needs, without their values: `secrets check`, `secrets run`.\n",
    );
    text.push_str(&format!("organization = {}\n", quoted(organization)));
    // A workspace brings its project along.
    if chosen.workspace.is_some() || (chosen.is_empty() && !context.workspace.is_empty()) {
        text.push_str(&format!("workspace = {}\n", quoted(&context.workspace)));
    } else if !context.project.is_empty() {
        text.push_str(&format!("project = {}\n", quoted(&context.project)));
    }
    for secret in listed {
        text.push_str(&format!("\n[secrets.{}]\n", secret.name));
        if !secret.description.is_empty() {
            text.push_str(&format!("description = {}\n", quoted(&escape(&secret.description))));
        }
        if !secret.required {
            text.push_str("required = false\n");
        }
    }
    text
}

/// Creates the file; one that is there by now stays as it is.
fn write(path: &std::path::Path, text: &str) -> Result<(), CliError> {
    let failed = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => exists(),
        _ => CliError::new(ExitCode::Failed, format!("`{}`: {error}", Repository::FILE)),
    };
    let mut file = fs::OpenOptions::new().write(true).create_new(true).open(path).map_err(failed)?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(|error| {
        let _ = fs::remove_file(path);
        failed(error)
    })
}

fn exists() -> CliError {
    CliError::new(ExitCode::Failed, "there is a secrets.toml here; nothing was written")
        .hint("`secrets check` reads it; edit it, or remove it first")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_what_a_repository_can_be_read_from() {
        let listed = [
            Listed { name: "A".into(), description: "a \"quoted\"\nkey = \\x".into(), required: true },
            Listed { name: "B".into(), description: String::new(), required: false },
        ];
        let context = v1::Context { project: "api".into(), ..Default::default() };
        let chosen = ContextArgs { project: "api".parse().ok(), ..ContextArgs::default() };
        let text = content("acme", &chosen, &context, &listed);
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join(Repository::FILE), &text).unwrap();
        let (_, repository) = Repository::find(directory.path()).unwrap().unwrap();
        assert_eq!((repository.organization.as_deref(), repository.project.as_deref()), (Some("acme"), Some("api")));
        assert_eq!(
            repository.declared("A").unwrap().description.as_deref(),
            Some("a \"quoted\"\\nkey = \\x"),
            "{text}"
        );
        assert!(repository.declared("A").unwrap().required && !repository.declared("B").unwrap().required);
    }

    #[test]
    fn takes_a_number_or_a_name_that_only_one_has() {
        let choices = [
            Choice::Project("api".parse().unwrap()),
            Choice::Project("web".parse().unwrap()),
            Choice::Workspace("web".parse().unwrap()),
        ];
        for (answer, at) in [
            ("1", Some(0)),
            ("api", Some(0)),
            ("project web", Some(1)),
            ("workspace web", Some(2)),
            ("web", None),
            ("workspace api", None),
            ("0", None),
            ("4", None),
            ("ap", None),
        ] {
            let found = chosen(answer, &choices);
            assert_eq!(
                found.and_then(|found| choices.iter().position(|each| std::ptr::eq(each, found))),
                at,
                "{answer}"
            );
        }
    }

    #[test]
    fn overwrites_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("secrets.toml");
        std::os::unix::fs::symlink("elsewhere", &path).unwrap();
        assert!(write(&path, "x").is_err());
        assert!(!directory.path().join("elsewhere").exists());
    }

    #[test]
    fn keeps_what_a_person_says_of_their_own_to_themselves() {
        let winner = |secret: &str| v1::ExplainedSecret {
            secret: secret.into(),
            description: "canary".into(),
            ..Default::default()
        };
        let row = |name: &str, secret: &str| v1::Explanation {
            secret_id: name.into(),
            winner: Some(winner(secret)),
            ..Default::default()
        };
        let rows = [
            row("OWN", "organizations/acme/users/bob/secrets/OWN"),
            row("SHARED", "organizations/acme/secrets/SHARED"),
        ];
        let args = InitArgs {
            context: ContextArgs::default(),
            only: Vec::new(),
            optional: vec!["SHARED".into(), "LATER".into()],
            yes: true,
        };
        let listed = listed(&rows, &args);
        let shown: Vec<_> = listed.iter().map(|s| (s.name.as_str(), s.description.as_str(), s.required)).collect();
        assert_eq!(shown, [("LATER", "", false), ("OWN", "", true), ("SHARED", "canary", false)]);
    }
}
