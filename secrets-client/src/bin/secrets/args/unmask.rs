//! What is not masked, and what is said of it.

use clap::Args;

#[derive(Args, Debug, Default)]
pub(crate) struct UnmaskArgs {
    /// Do not mask these secrets
    #[arg(long, value_name = "NAME,NAME", value_delimiter = ',')]
    pub(crate) unmask: Vec<String>,
    /// Also say of which secrets lines are too short to be masked
    #[arg(long)]
    pub(crate) verbose: bool,
}
