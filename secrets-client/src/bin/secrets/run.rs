//! `run`: one resolve, then a program with the values in its environment, its files and its Docker configuration.

mod child;

use std::ffi::OsString;

use clap::Args;

use crate::app::App;
use crate::delivery::{self, Placed, Plan};
use crate::exit::{Exit, Failure};
use crate::output::words;
use crate::scope::ContextArgs;

/// What a program must not get: it has its secrets, and the token would give it more.
const STRIPPED: [&str; 2] = ["SECRETS_TOKEN", "SECRETS_TOKEN_FILE"];

#[derive(Args, Debug)]
pub(crate) struct RunArgs {
    #[command(flatten)]
    context: ContextArgs,
    /// Only these secrets, which must be there
    #[arg(long, value_name = "NAME,NAME", value_delimiter = ',')]
    only: Vec<String>,
    /// Leave the program's output as it is
    #[arg(long)]
    no_masking: bool,
    /// The program and its arguments
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

/// Runs the program, and returns its own code, or 128 and the signal that ended it.
pub(crate) async fn run(app: &App, args: RunArgs) -> Result<u8, Failure> {
    let (plan, placed) = deliver(app, &args).await.map_err(|failure| failure.with_exit(Exit::NotStarted))?;
    let both = plan.variables().chain(placed.variables());
    let variables: Vec<(OsString, OsString)> = both.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    drop(plan);
    let replaced: Vec<String> = variables
        .iter()
        .filter(|(name, _)| std::env::var_os(name).is_some())
        .map(|(name, _)| name.to_string_lossy().into_owned())
        .collect();
    if !replaced.is_empty() {
        app.output.note(&format!("secrets: {} replaced what the environment had", replaced.join(", ")));
    }
    if !args.no_masking {
        let number = words::count(variables.len(), "variable");
        app.output.note(&format!("secrets: {number}; the program's output is not masked"));
    }
    let ended = child::run(&args.command, variables, &STRIPPED).await;
    if let Err(failure) = placed.remove() {
        failure.report(app.output.colors_errors());
    }
    ended
}

async fn deliver(app: &App, args: &RunArgs) -> Result<(Plan, Placed), Failure> {
    let set = app.receive(&args.context, &args.only).await?;
    let plan = Plan::of(&set.secrets, delivery::home().as_deref())?;
    if !plan.api_only().is_empty() {
        app.output.warn(&format!("never delivered to a program (api only): {}", plan.api_only().join(", ")));
    }
    let placed = plan.place(delivery::user_docker_config().as_deref())?;
    Ok((plan, placed))
}
