//! The flags that every command has.

use clap::Args;
use secrets_core::OrganizationId;

use crate::ui::output::Format;

#[derive(Args, Debug)]
pub(crate) struct Global {
    /// Format of the output
    #[arg(long, short = 'o', global = true, value_enum, default_value_t, value_name = "FORMAT")]
    pub(crate) output: Format,
    /// The organization, if not your own
    #[arg(long, global = true, value_name = "ORGANIZATION")]
    pub(crate) organization: Option<OrganizationId>,
    /// Address of the service
    #[arg(long, global = true, value_name = "URL")]
    pub(crate) endpoint: Option<String>,
}
