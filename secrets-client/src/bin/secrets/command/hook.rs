//! `hook`: a shell that has a directory's variables while it is in it.
//!
//! The shell's script asks [`load`] at a change of directory. What a directory names is loaded only once somebody has said
//! so, for exactly what [`trust`] remembers.

mod load;
mod names;
mod place;
mod trust;

use std::os::unix::ffi::OsStringExt as _;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};
use secrets_client::v1;
use serde_json::{Value, json};

use self::place::Place;
use crate::app::App;
use crate::keyring::Unlocking;
use crate::ui::error::{CliError, ExitCode};
use crate::ui::output::table::Table;
use crate::ui::output::{Output, text};
use crate::ui::prompt;

const AFTER_HELP: &str = "\
In a directory whose secrets.toml you have allowed, and below it, a shell with this hook has the
variables that the file lists, or where it lists none all of its context, and gives back what was
there before when you leave. Every program of the shell gets them, and nothing is masked: `run`
gives them to one program. Files, registry credentials and reserved names are left out.";

/// Where a script names this program.
const PROGRAM: &str = "@SECRETS@";
/// What stands for a byte between single quotes that can't stand there itself.
type Escaped = &'static [(u8, &'static str)];
const POSIX: Escaped = &[(b'\'', r"'\''")];
const FISH: Escaped = &[(b'\'', r"\'"), (b'\\', r"\\")];

#[derive(Subcommand, Debug)]
#[command(after_help = AFTER_HELP)]
pub(crate) enum HookCommand {
    /// Print the script for bash
    Bash,
    /// Print the script for zsh
    Zsh,
    /// Print the script for fish
    Fish,
    /// Let your shells load what this directory's secrets.toml names
    Allow(AllowArgs),
    /// No longer let them
    Deny(DenyArgs),
    /// List what you have allowed
    #[command(visible_alias = "ls")]
    List,
    /// What a script asks
    #[command(hide = true)]
    Load(load::LoadArgs),
}

#[derive(Args, Debug)]
pub(crate) struct AllowArgs {
    /// Do not ask
    #[arg(long, short = 'y')]
    yes: bool,
}

#[derive(Args, Debug)]
pub(crate) struct DenyArgs {
    /// The file, or its directory, also where it is no longer there [default: this directory's]
    #[arg(value_hint = ValueHint::AnyPath)]
    path: Option<PathBuf>,
}

/// The script for a shell, for which nobody is asked.
pub(crate) fn script(output: Output, command: &HookCommand) -> Option<Result<(), CliError>> {
    let (script, escaped) = match command {
        HookCommand::Bash => (include_str!("hook/bash.sh"), POSIX),
        HookCommand::Zsh => (include_str!("hook/zsh.zsh"), POSIX),
        HookCommand::Fish => (include_str!("hook/fish.fish"), FISH),
        _ => return None,
    };
    Some(program().and_then(|program| output.bytes(&with_program(script, &quoted(&program, escaped)))))
}

/// This program's own path, which means the same in every directory.
fn program() -> Result<Vec<u8>, CliError> {
    let failed = |why: &str| CliError::new(ExitCode::Failed, format!("where this program is: {why}"));
    let program = std::env::current_exe().map_err(|error| failed(&error.to_string()))?;
    if !program.is_absolute() {
        return Err(failed(&format!("`{}` is no absolute path", program.display())));
    }
    Ok(program.into_os_string().into_vec())
}

fn quoted(path: &[u8], escaped: Escaped) -> Vec<u8> {
    let escape = |byte: &u8| match escaped.iter().find(|(special, _)| special == byte) {
        Some((_, escape)) => escape.as_bytes().to_vec(),
        None => vec![*byte],
    };
    [b"'".to_vec(), path.iter().flat_map(escape).collect(), b"'".to_vec()].concat()
}

fn with_program(script: &str, quoted: &[u8]) -> Vec<u8> {
    let parts: Vec<&[u8]> = script.split(PROGRAM).map(str::as_bytes).collect();
    parts.join(quoted)
}

pub(crate) async fn run(app: &App, command: HookCommand) -> Result<(), CliError> {
    match command {
        HookCommand::Allow(args) => allow(app, &args).await,
        HookCommand::Deny(args) => deny(app, &args),
        HookCommand::List => list(app),
        HookCommand::Load(args) => load::load(app, &args).await,
        HookCommand::Bash | HookCommand::Zsh | HookCommand::Fish => Ok(()),
    }
}

async fn allow(app: &App, args: &AllowArgs) -> Result<(), CliError> {
    let place = Place::here(app).await?.ok_or_else(|| {
        CliError::new(ExitCode::NotFound, "there is no secrets.toml in this directory or above it")
            .hint("`secrets init` writes one")
    })?;
    if place.is_link {
        let message = format!("`{}` is a link, which no shell loads", place.path.display());
        return Err(CliError::new(ExitCode::Failed, message).hint("put a file in its place"));
    }
    let file = trust::path(app)?;
    if !args.yes {
        show(app, &place).await?;
        prompt::confirm_or_decline("Let your shells load them?", false, "Nothing was allowed.")?;
    }
    trust::add(&file, place.trusted()?).map_err(|error| not_written(&file, &error))?;
    let when =
        "A shell with the hook loads it at its next prompt if it has asked, else when you come back to the directory.";
    let sentence = format!("{} is allowed. {when}", place.path.display());
    app.output.done(&sentence, &json!({ "path": place.path.display().to_string(), "allowed": true }))
}

/// What a shell would load.
async fn show(app: &App, place: &Place) -> Result<(), CliError> {
    app.read_token(Unlocking::on_terminal()).await;
    let request = v1::ExplainRequest {
        context: app.context(&place.context).await?,
        secret_ids: place.names.clone(),
        ..Default::default()
    };
    let answer = app.client()?.explain(request).await?;
    let winners = answer.explanations.iter().filter_map(|row| Some((&row.secret_id, row.winner.as_ref()?)));
    let variables = winners.filter(|(_, winner)| names::is_variable(winner.target.as_ref()));
    let (loaded, left_out): (Vec<_>, Vec<_>) = variables.partition(|(name, _)| names::refusal(name).is_none());
    let context = described(&answer.context.clone().unwrap_or_default());
    app.output.note(&format!("{}, at {}, {context}:", place.path.display(), place.endpoint));
    // What the file lists is loaded as soon as it is there.
    let is_there = |name: &str| answer.explanations.iter().any(|row| row.secret_id == name && row.winner.is_some());
    let later = place.names.iter().filter(|name| names::refusal(name).is_none() && !is_there(name));
    let later: Vec<&String> = later.collect();
    let all = loaded.iter().map(|(name, _)| *name).chain(later.iter().copied());
    let widest = all.map(String::len).max().unwrap_or_default();
    for (name, winner) in &loaded {
        app.output.note(&format!("  {name:widest$}  from {}", text::scope_of(&winner.secret)));
    }
    for name in &later {
        app.output.note(&format!("  {name:widest$}  not there yet"));
    }
    if loaded.is_empty() && later.is_empty() {
        app.output.note("  no variables so far");
    }
    if place.names.is_empty() {
        app.output.note("  and what else this context gets later, as the file lists no secrets");
    }
    for (name, _) in left_out {
        app.output.note(&format!("  {name} is left out: {}", names::refusal(name).unwrap_or_default()));
    }
    app.output.note(
        "In this directory and below it, every program of a shell with the hook gets them, and nothing of it is masked.",
    );
    Ok(())
}

/// `organization acme, project api`.
fn described(context: &v1::Context) -> String {
    let part = |word: &str, id: &str| if id.is_empty() { String::new() } else { format!(", {word} {id}") };
    let (project, workspace) = (part("project", &context.project), part("workspace", &context.workspace));
    format!("organization {}{project}{workspace}", context.organization)
}

fn deny(app: &App, args: &DenyArgs) -> Result<(), CliError> {
    let path = match &args.path {
        Some(typed) => place::path_of(typed)?,
        None => place::path_here()?,
    };
    let file = trust::path(app)?;
    let removed = trust::remove(&file, &path).map_err(|error| not_written(&file, &error))?;
    let sentence = match removed {
        true => format!(
            "{} is not allowed any more; shells keep what they have loaded until they leave it.",
            path.display()
        ),
        false => format!("{} was not allowed.", path.display()),
    };
    app.output.done(&sentence, &json!({ "path": path.display().to_string(), "allowed": false }))
}

fn list(app: &App) -> Result<(), CliError> {
    let trusted = trust::read(&trust::path(app)?);
    let mut table = Table::new(["FILE", "ORGANIZATION", "ENDPOINT"]);
    for entry in &trusted {
        table.row([entry.path.clone(), entry.organization.clone(), entry.endpoint.clone()]);
    }
    let json = trusted.iter().map(|entry| {
        json!({ "path": entry.path, "organization": entry.organization, "endpoint": entry.endpoint, "digest": entry.digest })
    });
    app.output.list(
        &table,
        Value::Array(json.collect()),
        "Nothing is allowed; `secrets hook allow` allows a directory.",
    )
}

fn not_written(file: &std::path::Path, error: &std::io::Error) -> CliError {
    CliError::new(ExitCode::Failed, format!("`{}`: {error}", file.display()))
}
