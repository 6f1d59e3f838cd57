//! The command line: `secrets-server serve | dev | migrate | backup | restore | check-config |
//! healthcheck`.
//!
//! Exit codes: 0 done, 1 failed, 2 wrong usage or configuration.

mod backup;
mod check_config;
mod dev;
mod first_steps;
mod healthcheck;
mod man;
mod migrate;
mod restore;
mod serve;

use std::io;
use std::process::ExitCode;
use std::time::Duration;

use clap::{CommandFactory as _, Parser, Subcommand};

use crate::application::backup::{BackupError, records};
use crate::application::restore::RestoreError;
use crate::config::{Config, Environment, Flags, InvalidConfig};
use crate::error::Error;
use crate::process::data_dir::DataDirError;
use crate::server::{BindError, ServeError, TlsError};
use crate::service::verify::Verified;
use crate::store::{ConnectError, StoreError};
use crate::telemetry;

use self::healthcheck::{HealthError, Healthcheck};

/// How long the runtime waits for its last tasks when everything that matters has ended.
const TASKS_TIMEOUT: Duration = Duration::from_millis(500);

/// The version and, where `make build` says which it is, the build.
const VERSION: &str = match option_env!("SECRETS_VERSION") {
    Some(version) => version,
    None => env!("CARGO_PKG_VERSION"),
};

/// Stores credentials and hands the right set of them to a running sandbox, in one call.
#[derive(Debug, Parser)]
#[command(name = "secrets-server", version = VERSION, arg_required_else_help = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve, until SIGTERM or SIGINT
    Serve(serve::Serve),
    /// Serve something to try: everything temporary, on loopback, with a ready organization
    Dev(dev::Dev),
    /// Bring the database's schema up to date, and end
    Migrate(Flags),
    /// Write a backup of the SQLite database while it is served, and check that all of it opens
    Backup(backup::Backup),
    /// Restore a backup, or finish what the database's own tools have restored
    Restore(restore::Restore),
    /// Check the configuration, and print it without secrets
    CheckConfig(Flags),
    /// Ask a server whether it serves; exits 0 when it does
    Healthcheck(Healthcheck),
    /// Write the manual
    #[command(hide = true)]
    Man(man::Pages),
}

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
enum CommandError {
    #[error(transparent)]
    Config(#[from] InvalidConfig),
    #[error(transparent)]
    Tls(#[from] TlsError),
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    #[error(transparent)]
    Connect(#[from] ConnectError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Open(#[from] crate::application::open::OpenError),
    #[error(transparent)]
    Backup(#[from] BackupError),
    #[error(transparent)]
    Restore(#[from] RestoreError),
    #[error("{} of what was restored does not open: {}", records(.0.damaged), .0.named.join("; "))]
    Damaged(Verified),
    #[error("cannot make the first credential: {0}")]
    Bootstrap(Error),
    #[error(transparent)]
    Bind(#[from] BindError),
    #[error(transparent)]
    Serve(#[from] ServeError),
    #[error(transparent)]
    Health(#[from] HealthError),
    #[error("cannot set up the log: {0}")]
    Log(#[from] tracing_subscriber::util::TryInitError),
    #[error("the operating system refused: {0}")]
    System(#[from] io::Error),
}

impl Cli {
    /// Runs the command and says how it ended.
    pub fn run(self) -> ExitCode {
        telemetry::log::hide_panic_messages();
        let ended = match self.command {
            Command::Serve(serve) => serve.run(),
            Command::Dev(dev) => dev.run(),
            Command::Migrate(flags) => migrate::run(&flags),
            Command::Backup(backup) => backup.run(),
            Command::Restore(restore) => restore.run(),
            Command::CheckConfig(flags) => check_config::run(&flags),
            Command::Healthcheck(healthcheck) => healthcheck.run(),
            Command::Man(pages) => man::run(Self::command(), &pages),
        };
        match ended {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("error: {}", without_numbers(&error.to_string()));
                ExitCode::from(error.exit_code())
            }
        }
    }
}

/// A message without the numbers that the language puts behind the system's own words: ` (os error 2)`.
fn without_numbers(message: &str) -> String {
    let mut parts = message.split(" (os error ");
    let mut shown = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part.split_once(')') {
            Some((number, behind)) if number.bytes().all(|byte| byte.is_ascii_digit()) => shown.push_str(behind),
            _ => shown.push_str(&format!(" (os error {part}")),
        }
    }
    shown
}

impl CommandError {
    fn bootstrap(error: Error) -> Self {
        error.log_cause();
        Self::Bootstrap(error)
    }

    fn exit_code(&self) -> u8 {
        match self {
            Self::Config(_) | Self::Tls(_) | Self::Bind(BindError::Tls(_)) => 2,
            _ => 1,
        }
    }
}

/// The configuration that `flags` and this process's environment give.
fn load(flags: &Flags) -> Result<Config, InvalidConfig> {
    Config::load(flags, &Environment::of_process())
}

/// Runs `work` to its end on a runtime of its own. What it has left running ends with the runtime.
fn block_on<T>(work: impl Future<Output = Result<T, CommandError>>) -> Result<T, CommandError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let ended = runtime.block_on(work);
    runtime.shutdown_timeout(TASKS_TIMEOUT);
    ended
}
