//! The flags that every command has.

use clap::Args;
use secrets_core::OrganizationId;

use crate::ui::output::Format;

/// Under which they stand in the help of each command.
const HEADING: &str = "Global options";

#[derive(Args, Debug)]
pub(crate) struct Global {
    /// Format of the output
    #[arg(long, short = 'o', global = true, value_enum, default_value_t, value_name = "FORMAT", help_heading = HEADING)]
    pub(crate) output: Format,
    /// The organization, if not your own
    #[arg(long, global = true, value_name = "ORGANIZATION", help_heading = HEADING)]
    pub(crate) organization: Option<OrganizationId>,
    /// Address of the service
    #[arg(long, global = true, value_name = "URL", help_heading = HEADING)]
    pub(crate) endpoint: Option<String>,
}
