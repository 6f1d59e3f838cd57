//! The flags that every command has.

use clap::Args;
use secrets_client::{Choice, Endpoint, InvalidEndpoint, ProfileName};
use secrets_core::OrganizationId;

use crate::ui::error::CliError;
use crate::ui::output::Format;

#[derive(Args, Debug)]
pub(crate) struct Global {
    /// Print a table for a person, or json for a program
    #[arg(long, short = 'o', global = true, value_enum, default_value_t, value_name = "FORMAT")]
    pub(crate) output: Format,
    /// The organization, if not your own
    #[arg(long, global = true, value_name = "ORG")]
    pub(crate) organization: Option<OrganizationId>,
    /// Address of the service
    // A text: what clap says of a value that it refuses shows it, and this one may hold a password.
    #[arg(long, global = true, value_name = "URL")]
    endpoint: Option<String>,
    /// Allow an http:// address of another machine
    ///
    /// For a network that nobody else can listen to: without TLS, it could read tokens and values.
    #[arg(long, global = true)]
    insecure: bool,
    /// The account at a service (see `profile list`)
    ///
    /// Default: the one of `profile use`.
    #[arg(long, global = true, value_name = "PROFILE")]
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
