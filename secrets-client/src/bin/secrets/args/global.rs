//! The flags that every command has.

use clap::Args;
use secrets_client::{Choice, Endpoint, InvalidEndpoint, ProfileName};
use secrets_core::OrganizationId;

use crate::ui::error::CliError;
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
    // A text: what clap says of a value that it refuses shows it, and this one may hold a password.
    #[arg(long, global = true, value_name = "URL", help_heading = HEADING)]
    endpoint: Option<String>,
    /// Allow an http:// address of another machine, on a network that nobody else can listen to
    #[arg(long, global = true, help_heading = HEADING)]
    insecure: bool,
    /// The profile: an account at a service [default: the one of `profile use`]
    #[arg(long, global = true, value_name = "PROFILE", help_heading = HEADING)]
    profile: Option<ProfileName>,
}

impl Global {
    /// What the flags choose before the environment and the configuration.
    pub(crate) fn choice(&self, new_profile: bool) -> Result<Choice, CliError> {
        let endpoint = self.endpoint.as_deref().map(str::parse::<Endpoint>).transpose();
        let invalid = |error: InvalidEndpoint| CliError::usage(format!("invalid endpoint in --endpoint: {error}"));
        Ok(Choice {
            profile: self.profile.clone(),
            endpoint: endpoint.map_err(invalid)?,
            insecure: self.insecure,
            new_profile,
        })
    }
}
