//! `secrets-server check-config`

use std::io::Write;

use super::{CommandError, load};
use crate::clock::{Clock as _, SystemClock};
use crate::config::Flags;
use crate::server::Certificate;

/// Checks the configuration and the files it names, and prints it.
pub(super) fn run(flags: &Flags) -> Result<(), CommandError> {
    let config = load(flags)?;
    for tls in config.listeners.iter().filter_map(|listener| listener.tls.as_ref()) {
        if let Some(warning) = Certificate::load(tls)?.warning(SystemClock.now()) {
            eprintln!("warning: {warning}");
        }
    }
    write!(std::io::stdout(), "{config}")?;
    Ok(())
}
