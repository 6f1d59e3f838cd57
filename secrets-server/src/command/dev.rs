//! `secrets-server dev`: something to try, which leaves nothing behind.

use std::io::Write;
use std::net::SocketAddr;

use super::CommandError;
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
            for address in server.addresses() {
                // The exposure that the command is for: a token that ends with this process.
                announce(address, token.expose())?;
            }
            Ok(())
        });
        folder.close()?;
        served
    }
}

/// The two lines to copy, and for whoever reads along what they are.
fn announce(address: SocketAddr, token: &str) -> std::io::Result<()> {
    eprintln!("Everything is temporary and ends with Ctrl-C. In another terminal:");
    let mut stdout = std::io::stdout();
    writeln!(stdout, "export SECRETS_ENDPOINT=http://{address} SECRETS_TOKEN={token}")?;
    writeln!(stdout, "secrets set LINEAR_API_KEY && secrets run -- sh -c 'echo $LINEAR_API_KEY'")?;
    stdout.flush()
}
