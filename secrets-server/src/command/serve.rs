//! `secrets-server serve`

use tonic::service::Routes;

use super::{CommandError, block_on, load};
use crate::config::{Config, Flags};
use crate::server::Server;
use crate::shutdown::{Signal, Termination};
use crate::{data_dir, harden, telemetry};

/// Serves what the configuration says, until it is told to stop.
pub(super) fn run(flags: &Flags) -> Result<(), CommandError> {
    let config = load(flags)?;
    telemetry::init(&config.log)?;
    harden::disable_core_dumps()?;
    block_on(serve(&config))
}

async fn serve(config: &Config) -> Result<(), CommandError> {
    let mut termination = Termination::listen()?;
    data_dir::prepare(&config.data_dir)?;
    let server = Server::bind(&config.listeners, Signal::new()).await?;
    server.serve(|_| Routes::default(), stop(&mut termination)).await?;
    Ok(())
}

async fn stop(termination: &mut Termination) {
    let signal = termination.received().await;
    tracing::info!(signal, "asked to stop");
}
