//! `secrets-server serve`, and the way from a configuration to a server that has ended, which `dev` shares.

use std::io::{self, IsTerminal as _};
use std::path::PathBuf;
use std::time::Duration;

use tokio::time::timeout;

use super::{CommandError, block_on, first_steps, load};
use crate::application::Application;
use crate::application::open::{UnknownToken, open};
use crate::clock::{Clock, SystemClock};
use crate::config::{Config, Flags, Offered};
use crate::process::operator_token_file::Draft;
use crate::process::shutdown::{Hangups, OnHangup, Shutdown, Termination};
use crate::process::{core_dumps, descriptors};
use crate::server::{Certificates, Server};
use crate::{rpc, telemetry};

/// How long the last writes to the database may take: a stop ends within 20 s, of which calls in flight may use 19.
const CLOSE_TIMEOUT: Duration = Duration::from_millis(400);

/// The arguments of `serve`.
#[derive(Debug, clap::Args)]
pub(super) struct Serve {
    #[command(flatten)]
    flags: Flags,

    /// Begin with this database although `operator-token` in the data directory is of another one, and rename that file
    #[arg(long)]
    new_database: bool,
}

impl Serve {
    /// Serves what the configuration says, until it is asked to stop.
    pub(super) fn run(&self) -> Result<(), CommandError> {
        let config = load(&self.flags)?;
        let token = if self.new_database { UnknownToken::SetAside } else { UnknownToken::Refuse };
        run_with(&config, token, OnHangup::Reload, async |application, server| {
            if let Some(token) = write_operator_token(&config, application).await?
                && io::stdout().is_terminal()
            {
                first_steps::announce(&server.addresses(), &config.listeners, &token)?;
            }
            Ok(())
        })
    }
}

/// Serves `config`; `ready` runs when the service is open and its addresses are bound, before the first call.
pub(super) fn run_with(
    config: &Config,
    token: UnknownToken,
    on_hangup: OnHangup,
    ready: impl AsyncFnOnce(&Application, &Server) -> Result<(), CommandError>,
) -> Result<(), CommandError> {
    telemetry::log::init(&config.log)?;
    core_dumps::disable_core_dumps()?;
    descriptors::raise_limit()?;
    block_on(async {
        let mut termination = Termination::listen(on_hangup)?;
        // From the beginning, so that it does not end the process meanwhile.
        let hangups = Hangups::listen()?;
        // Before anything is migrated or made: a taken port and a key that can't be used need no database. Whoever connects
        // meanwhile waits.
        let server = Server::bind(&config.listeners, config.limits.clone(), Shutdown::default()).await?;
        server.certificates().warn(SystemClock.now());
        let application = tokio::select! {
            opened = open(config, token) => opened?,
            signal = termination.received() => {
                tracing::info!(signal, "asked to stop while starting");
                return Ok(());
            }
        };
        ready(&application, &server).await?;
        tokio::spawn(renew(server.certificates(), hangups));
        let authenticator = &application.authenticator;
        let routes = |offered: &Offered| rpc::routes(&application.service, authenticator, offered);
        server.following(application.readiness()).serve(authenticator, routes, stop(termination)).await?;
        close(&application).await;
        Ok(())
    })
}

/// On the first start: a token for the operator, where only the operator reads it. Returns the file.
async fn write_operator_token(config: &Config, application: &Application) -> Result<Option<PathBuf>, CommandError> {
    finish_last_start(config, application).await?;
    if let Some(first) = application.service.bootstrap_operator().await.map_err(CommandError::bootstrap)? {
        // The exposure that the file is for.
        let draft = Draft::write(&config.data_dir, first.token().expose())?;
        if let Err(error) = first.keep().await {
            draft.discard()?;
            return Err(CommandError::bootstrap(error));
        }
        return publish(draft).map(Some);
    }
    Ok(None)
}

/// A process that ended while it wrote the token has left a draft: published when the token was stored, else removed.
async fn finish_last_start(config: &Config, application: &Application) -> Result<(), CommandError> {
    let Some(draft) = Draft::left_in(&config.data_dir)? else { return Ok(()) };
    let stored = application.service.find_operator_token(draft.token()).await.map_err(CommandError::bootstrap)?;
    if stored.is_some_and(|row| row.revoke_time.is_none()) {
        publish(draft)?;
    } else {
        draft.discard()?;
    }
    Ok(())
}

fn publish(draft: Draft) -> Result<PathBuf, CommandError> {
    let path = draft.publish()?;
    tracing::info!(path = %path.display(), "wrote the operator's token");
    Ok(path)
}

/// Reads certificates again when they have changed, and on request.
async fn renew(certificates: Certificates, mut hangups: Hangups) {
    loop {
        tokio::select! {
            () = hangups.received() => certificates.reload(&SystemClock).await,
            () = certificates.follow(&SystemClock) => {}
        }
    }
}

/// Waits for the request to stop. A second one ends the process at once.
async fn stop(mut termination: Termination) {
    let signal = termination.received().await;
    tracing::info!(signal, "asked to stop");
    tokio::spawn(async move {
        let signal = termination.received().await;
        tracing::warn!(signal, "asked to stop again: ending at once");
        std::process::exit(1);
    });
}

async fn close(application: &Application) {
    match timeout(CLOSE_TIMEOUT, application.close()).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(%error, "the database was not closed in order"),
        Err(_) => tracing::warn!("the database was not closed in time"),
    }
}
