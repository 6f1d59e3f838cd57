//! The flags that every command has.

use clap::Args;
use secrets_core::OrganizationId;

use crate::ui::output::Format;

#[derive(Args, Debug)]
pub(crate) struct Global {
    /// What is printed on stdout
    #[arg(long, short = 'o', global = true, value_enum, default_value_t, value_name = "FORMAT")]
    pub(crate) output: Format,
    /// Another organization than your own
    #[arg(long, global = true, value_name = "ORGANIZATION")]
    pub(crate) organization: Option<OrganizationId>,
    /// Where the service is
    #[arg(long, global = true, value_name = "URL")]
    pub(crate) endpoint: Option<String>,
}
