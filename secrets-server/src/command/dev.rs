//! `secrets-server dev`: something to try, which leaves nothing behind.

use std::fs::OpenOptions;
use std::io::{self, IsTerminal, Write};
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use super::CommandError;
use super::first_steps::quoted;
use super::serve::run_with;
use crate::application::open::UnknownToken;
use crate::config::{Config, Environment, Flags};
use crate::process::shutdown::OnHangup;

/// The arguments of `dev`.
#[derive(Debug, clap::Args)]
pub(super) struct Dev {
    /// Listen on this address [default: a free port on loopback]
    #[arg(long, value_name = "ADDR")]
    listen: Option<String>,

    /// Speak plain text on addresses that other machines can reach
    #[arg(long)]
    insecure: bool,

    /// Write logs as `json` or `pretty` [default: pretty]
    #[arg(long, value_name = "FORMAT")]
    log_format: Option<String>,

    /// Log `error`, `warn`, `info`, `debug` or `trace` and above [default: warn]
    #[arg(long, value_name = "LEVEL")]
    log_level: Option<String>,
}

impl Dev {
    /// Serves from a temporary directory, which is removed at the end. The environment's configuration is left aside: it
    /// may be that of a real server.
    pub(super) fn run(self) -> Result<(), CommandError> {
        let folder = tempfile::Builder::new().prefix("secrets-dev-").tempdir()?;
        let flags = Flags {
            data_dir: Some(folder.path().to_owned()),
            listen: Some(self.listen.unwrap_or_else(|| "127.0.0.1:0".to_owned())),
            insecure: self.insecure,
            log_format: self.log_format,
            log_level: Some(self.log_level.unwrap_or_else(|| "warn".to_owned())),
            ..Flags::default()
        };
        let config = Config::load(&flags, &Environment::default())?;
        let served = run_with(&config, UnknownToken::Refuse, OnHangup::Stop, async |application, server| {
            let token = application.service.bootstrap_dev().await.map_err(CommandError::bootstrap)?;
            // The exposure that the command is for: a token that ends with this process.
            let token = variable(token.expose(), folder.path())?;
            for address in server.addresses() {
                announce(address, &token)?;
            }
            Ok(())
        });
        folder.close()?;
        served
    }
}

/// How the token gets into an environment: as itself where only a person at the terminal sees it. A pipe often ends in a log,
/// and a file of output stays: there a file for its owner alone holds the token.
fn variable(token: &str, folder: &Path) -> io::Result<String> {
    if io::stdout().is_terminal() {
        return Ok(format!("SECRETS_TOKEN={token}"));
    }
    let path = folder.join("token");
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
    writeln!(file, "{token}")?;
    Ok(format!("SECRETS_TOKEN_FILE={}", quoted(&path)))
}

/// The two lines to copy, and for whoever reads along what they are.
fn announce(address: SocketAddr, token: &str) -> io::Result<()> {
    eprintln!("Everything is temporary and ends with Ctrl-C. In another terminal:");
    let mut stdout = io::stdout();
    writeln!(stdout, "export SECRETS_ENDPOINT=http://{address} {token}")?;
    writeln!(stdout, "secrets set LINEAR_API_KEY && secrets run -- sh -c 'echo $LINEAR_API_KEY'")?;
    stdout.flush()
}
