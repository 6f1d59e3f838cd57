//! `secrets-server`: see [`secrets_server`].

use std::process::ExitCode;

use clap::Parser;
use secrets_server::command::Cli;

/// Gives memory back after a peak; `Cargo.toml` says what was measured.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    Cli::parse().run()
}
