//! `secrets-server restore`

use std::path::PathBuf;

use secrets_core::OrganizationId;

use super::{CommandError, block_on, load};
use crate::application::backup::records;
use crate::application::restore::{Restored, Source, restore};
use crate::config::Flags;
use crate::process::core_dumps;
use crate::service::incarnation::NewIncarnation;
use crate::telemetry;

/// The arguments of `restore`.
#[derive(Debug, clap::Args)]
pub(super) struct Restore {
    /// The backup; it is restored into a data directory that holds the root key alone
    #[arg(value_name = "FILE", required_unless_present = "in_place", conflicts_with = "in_place")]
    file: Option<PathBuf>,

    /// Restore nothing: the database's own tools, for instance `pg_restore`, have put it where it belongs
    #[arg(long)]
    in_place: bool,

    /// Keep tokens, sessions and invitations of the time of the backup; what was revoked since works again
    #[arg(long)]
    keep_credentials: bool,

    /// Delete the organizations again that this file lists: `deleted-organizations` of the data directory that was lost
    #[arg(long, value_name = "FILE")]
    deletions: Vec<PathBuf>,

    #[command(flatten)]
    flags: Flags,
}

impl Restore {
    /// Restores a database, and says what it has become.
    pub(super) fn run(self) -> Result<(), CommandError> {
        let config = load(&self.flags)?;
        telemetry::log::init(&config.log)?;
        core_dumps::disable_core_dumps()?;
        let source = self.file.map_or(Source::InPlace, Source::File);
        let new = NewIncarnation { keeps_credentials: self.keep_credentials, ..NewIncarnation::default() };
        let restored = block_on(async { Ok(restore(&config, &source, new, &self.deletions).await?) })?;
        report(&restored, self.keep_credentials, self.deletions.is_empty());
        match restored.verified.damaged {
            0 => Ok(()),
            _ => Err(CommandError::Damaged(restored.verified)),
        }
    }
}

fn report(restored: &Restored, keeps_credentials: bool, is_without_deletions: bool) {
    let Restored { incarnation, verified } = restored;
    eprintln!("Restored: {} can be opened.", records(verified.values));
    if keeps_credentials {
        eprintln!(
            "Tokens, sessions and invitations are as they were, those included that were revoked since the backup."
        );
    } else {
        let ended = match incarnation.ended_credentials {
            1 => "1 token, session or invitation".to_owned(),
            ended => format!("{ended} tokens, sessions and invitations"),
        };
        eprintln!("Ended {ended}; the next start writes a new operator-token.");
    }
    if !incarnation.deleted.is_empty() {
        eprintln!("Deleted again: {}", names(&incarnation.deleted));
    }
    if is_without_deletions && !incarnation.live.is_empty() {
        eprintln!("Organizations, those included that were deleted since the backup: {}", names(&incarnation.live));
        eprintln!("Delete those again, or restore with `--deletions FILE`.");
    }
}

fn names(organizations: &[OrganizationId]) -> String {
    organizations.iter().map(OrganizationId::as_str).collect::<Vec<_>>().join(", ")
}
