//! `secrets-server migrate`

use std::io::Write;
use std::sync::Arc;

use super::{CommandError, block_on, load};
use crate::application::backup::migrations;
use crate::application::root_key;
use crate::config::{Config, Database, Flags};
use crate::crypto::{Random, SystemRandom};
use crate::process::data_dir;
use crate::{store, telemetry};

/// Applies the migrations that are missing, and prints their names.
pub(super) fn run(flags: &Flags) -> Result<(), CommandError> {
    let config = load(flags)?;
    telemetry::log::init(&config.log)?;
    let applied = block_on(migrate(&config))?;
    let mut stdout = std::io::stdout();
    for name in &applied {
        writeln!(stdout, "{name}")?;
    }
    eprintln!("{} applied; the schema is up to date", migrations(applied.len()));
    Ok(())
}

async fn migrate(config: &Config) -> Result<Vec<String>, CommandError> {
    if let Database::Sqlite { .. } = config.database {
        data_dir::prepare(&config.data_dir)?;
    }
    let random: Arc<dyn Random> = Arc::new(SystemRandom);
    let store = store::connect(&(&config.database).into()).await?;
    root_key::check_if_readable(config, &store, &random).await?;
    let applied = store.migrate().await?;
    store.close().await?;
    Ok(applied)
}
