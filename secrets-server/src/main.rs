//! `secrets-server`: see [`secrets_server`].

use std::process::ExitCode;

use clap::Parser;
use secrets_server::command::Cli;

fn main() -> ExitCode {
    Cli::parse().run()
}
