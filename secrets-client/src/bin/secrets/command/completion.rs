//! `completion`: what a shell needs to complete commands, flags and, asking the service, names.
//!
//! A shell that completes calls the program with [`SHELL_VARIABLE`] in its environment and the words so far as arguments; clap
//! knows the commands and flags, and [`names`] what the service has. A new command needs nothing here as long as its
//! flags take `PROJECT` and `WORKSPACE`, and its argument `NAME` or `NAMES` is a secret's.

mod names;
mod programs;
mod typed;

use clap::builder::ValueHint;
use clap::{Arg, Args, Command, ValueEnum};
use clap_complete::engine::{ArgValueCompleter, CompletionCandidate};
use clap_complete::env::{Bash, CompleteEnv, EnvCompleter, Fish, Zsh};

use self::names::Names;
use crate::ui::error::{CliError, ExitCode};
use crate::ui::output::Output;

/// The variable in which a shell's script names the shell.
const SHELL_VARIABLE: &str = "SECRETS_COMPLETE";

/// How a shell learns to complete.
#[derive(Args, Debug)]
pub(crate) struct CompletionArgs {
    /// The shell
    shell: Shell,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Shell {
    Bash,
    Zsh,
    Fish,
}

/// Prints the script that a shell evaluates at its start. It finds the program in the `PATH`, wherever that will be.
pub(crate) fn completion(output: Output, args: &CompletionArgs) -> Result<(), CliError> {
    let (completer, more): (&dyn EnvCompleter, &str) = match args.shell {
        Shell::Bash => (&Bash, include_str!("completion/bash.sh")),
        Shell::Zsh => (&Zsh, include_str!("completion/zsh.sh")),
        Shell::Fish => (&Fish, ""),
    };
    let mut script = Vec::new();
    completer
        .write_registration(SHELL_VARIABLE, "secrets", "secrets", "secrets", &mut script)
        .map_err(|error| CliError::new(ExitCode::Failed, format!("completion: {error}")))?;
    script.extend_from_slice(more.as_bytes());
    output.bytes(&script)
}

/// Answers a shell that asks for candidates of `command`, and ends the process then.
pub(crate) fn answer(command: fn() -> Command) {
    CompleteEnv::with_factory(move || completing(command()))
        .var(SHELL_VARIABLE)
        .bin("secrets")
        .completer("secrets")
        .complete();
}

/// The command with what completes the names in its arguments, down to the last subcommand.
fn completing(mut command: Command) -> Command {
    command.build();
    let top = command.get_name().to_owned();
    complete_below(command, &top)
}

fn complete_below(command: Command, parent: &str) -> Command {
    let command = with_names(command, parent);
    let name = command.get_name().to_owned();
    command.mut_subcommands(|subcommand| complete_below(subcommand, &name))
}

fn with_names(command: Command, parent: &str) -> Command {
    // Groups are named after the flags' types: what reads a context completes what that context gets.
    let reads_a_context = command.get_groups().any(|group| group.get_id() == "ContextArgs");
    let makes_new = command.get_name() == "create";
    let is_top = parent == "secrets";
    let secrets = match command.get_name() {
        "undelete" => Names::DeletedSecrets,
        _ if reads_a_context => Names::ReceivedSecrets,
        _ => Names::Secrets,
    };
    command.mut_args(move |arg| match names_of(&arg, is_top, secrets) {
        Some(_) if makes_new && arg.is_positional() => arg.value_hint(ValueHint::Other),
        Some(names) => arg.add(ArgValueCompleter::new(move |current: &std::ffi::OsStr| candidates(names, current))),
        None if arg.is_last_set() => arg.add(ArgValueCompleter::new(|current: &std::ffi::OsStr| {
            let (words, index) = typed::words_of_this_process();
            programs::candidates(current, &words, index)
        })),
        None => arg,
    })
}

/// What an argument names, known from its placeholder.
fn names_of(arg: &Arg, is_top: bool, secrets: Names) -> Option<Names> {
    let placeholder = arg.get_value_names().and_then(|names| names.first()).map_or("", |name| name.as_str());
    match placeholder {
        "PROJECT" | "PROJECT_ID" => Some(Names::Projects),
        "WORKSPACE" | "WORKSPACE_ID" => Some(Names::Workspaces),
        "PROFILE" => Some(Names::Profiles),
        "NAME" | "NAMES" if is_top && arg.is_positional() => Some(secrets),
        // `--keep` names variables of the environment.
        "NAME,NAME" if is_top && arg.get_id() != "keep" => Some(secrets),
        _ => None,
    }
}

fn candidates(names: Names, current: &std::ffi::OsStr) -> Vec<CompletionCandidate> {
    let Some(current) = current.to_str() else { return Vec::new() };
    let typed = typed::Typed::from_process();
    let found = names::ask(names, &typed).into_iter().filter(|found| found.name.starts_with(current));
    found.map(|found| CompletionCandidate::new(found.name).help(found.about.map(Into::into))).collect()
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;
    use crate::cli::Arguments;

    /// The arguments of a command that ask the service.
    fn asking(path: &[&str]) -> Vec<String> {
        let command = completing(Arguments::command());
        let command = path.iter().fold(&command, |command, name| command.find_subcommand(name).unwrap());
        // `--profile` is everywhere, and completed from the person's own file.
        let asks = |arg: &&Arg| arg.get::<ArgValueCompleter>().is_some() && arg.get_id() != "profile";
        command.get_arguments().filter(asks).map(|arg| arg.get_id().to_string()).collect()
    }

    #[test]
    fn asks_the_service_for_the_names_of_what_exists() {
        assert_eq!(asking(&["show"]), ["name", "project", "workspace"]);
        assert_eq!(asking(&["explain"]), ["names", "project", "workspace"]);
        assert_eq!(asking(&["project", "delete"]), ["project_id"]);
        assert_eq!(asking(&["session", "create"]), ["project", "workspace"]);
        let of_run = asking(&["run"]);
        for (id, asks) in [("only", true), ("unmask", true), ("workspace", true), ("keep", false)] {
            assert_eq!(of_run.contains(&id.to_owned()), asks, "{id}");
        }
    }

    #[test]
    fn asks_for_nothing_where_a_name_is_made_up() {
        assert_eq!(asking(&["project", "create"]), [""; 0]);
        assert_eq!(asking(&["workspace", "create"]), ["project"]);
        assert_eq!(asking(&["token", "create"]), [""; 0]);
    }
}
