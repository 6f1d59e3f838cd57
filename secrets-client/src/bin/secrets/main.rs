//! The `secrets` command line.
//!
//! Data goes to stdout, everything else to stderr; a value is never an argument and never printed unless asked for. One
//! file per group of commands. To add a command: a variant of [`Command`](command::Command), and a file with its
//! arguments and a function that takes the [`App`](app::App).

#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)
)]

mod app;
mod audit;
mod changes;
mod check;
mod command;
mod completion;
mod config;
mod delivery;
mod doctor;
mod edit;
mod exit;
mod explain;
mod fallback;
mod format;
mod global;
mod history;
mod import;
mod kept_session;
mod list;
mod login;
mod man;
mod materialize;
mod member;
mod missing;
mod organization;
mod output;
mod printable;
mod private_file;
mod project;
mod prompt;
mod receive;
mod redact;
mod resolve;
mod revisions;
mod rm;
mod run;
mod scope;
mod service_account;
mod session;
mod set;
mod show;
mod target;
mod token;
mod usage;
mod user;
mod value;
mod wait;
mod when;
mod workspace;

use std::process::ExitCode;

use clap::CommandFactory as _;

use crate::exit::CliError;
use crate::output::Output;

fn main() -> ExitCode {
    let mut words = std::env::args_os().skip(1);
    if words.next().is_some_and(|first| first == run::MONITOR) {
        return run::monitor(words);
    }
    completion::answer(command::Arguments::command);
    keep_to_itself();
    let arguments = usage::parse::<command::Arguments>();
    let output = Output::new(arguments.global.output);
    let ended = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| CliError::new(exit::Exit::Failed, format!("runtime: {error}")))
        .and_then(|runtime| {
            let ended = runtime.block_on(command::run(arguments, output));
            // A name look-up may still be stuck in a thread of its own; nobody waits for it.
            runtime.shutdown_background();
            ended
        });
    match ended {
        Ok(code) => ExitCode::from(code),
        Err(failure) => {
            failure.report(output.colors_errors());
            ExitCode::from(failure.exit as u8)
        }
    }
}

/// Values and the token are in this process: nobody else reads its memory or its environment, as a program that it starts
/// could, and no dump of it is written. What it executes is not affected.
fn keep_to_itself() {
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
}
