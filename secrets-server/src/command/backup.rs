//! `secrets-server backup`

use std::path::PathBuf;

use super::{CommandError, block_on, load};
use crate::application::backup::{backup, records};
use crate::config::Flags;
use crate::process::core_dumps;
use crate::telemetry;

/// The arguments of `backup`.
#[derive(Debug, clap::Args)]
pub(super) struct Backup {
    /// The file to write, which must not exist
    #[arg(value_name = "FILE")]
    file: PathBuf,

    #[command(flatten)]
    flags: Flags,
}

impl Backup {
    /// Writes the SQLite database into a file, and opens every record of it.
    pub(super) fn run(&self) -> Result<(), CommandError> {
        let config = load(&self.flags)?;
        telemetry::log::init(&config.log)?;
        core_dumps::disable_core_dumps()?;
        let verified = block_on(async { Ok(backup(&config, &self.file).await?) })?;
        eprintln!("{} written: {}, and all of it opens", self.file.display(), records(verified.values));
        Ok(())
    }
}
