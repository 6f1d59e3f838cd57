//! The `secrets` command line.
//!
//! Data goes to stdout, everything else to stderr; a value is never an argument and never printed unless asked for.
//!
//! [`cli`] is the command line as a whole with [`help`] on it, [`command`] has one file a command. Below them is what several commands share:
//! [`app`] asks the service, [`args`] reads arguments, [`supervise`] runs a program, [`output_masking`] masks what it
//! prints, [`delivery`] writes files for it, [`keyring`] keeps a token, [`mod@format`] writes a set as text, and [`ui`] prints and asks. Each uses the
//! modules after it alone.

#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)
)]

mod app;
mod args;
mod cli;
mod command;
mod delivery;
mod format;
mod help;
mod keyring;
mod output_masking;
mod supervise;
#[cfg(test)]
mod test_set;
mod ui;

use std::process;

use clap::CommandFactory as _;

use crate::args::suggest;
use crate::command::completion;
use crate::supervise::monitor;
use crate::ui::error::{CliError, ExitCode};
use crate::ui::output::Output;

fn main() -> process::ExitCode {
    let mut words = std::env::args_os().skip(1);
    if words.next().is_some_and(|first| first == monitor::ARGUMENT) {
        return monitor::main(words);
    }
    completion::answer(cli::Arguments::command);
    keep_to_itself();
    let arguments = suggest::parse::<cli::Arguments>(help::with_help);
    let output = Output::new(arguments.global.output);
    let ended = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| CliError::new(ExitCode::Failed, format!("runtime: {error}")))
        .and_then(|runtime| {
            let ended = runtime.block_on(cli::run(arguments, output));
            // A name look-up may still be stuck in a thread of its own; nobody waits for it.
            runtime.shutdown_background();
            ended
        });
    match ended {
        Ok(code) => process::ExitCode::from(code),
        Err(error) => {
            let error = suggest::with_organization_flag(error);
            error.report(output.colors_errors());
            process::ExitCode::from(error.exit as u8)
        }
    }
}

/// Values and the token are in this process: nobody else reads its memory or its environment, as a program that it starts
/// could, and no dump of it is written. What it executes is not affected.
fn keep_to_itself() {
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
}
