//! The one resolve that every command shares which hands values on: `run`, `materialize`, `redact`.

use std::time::Duration;

use secrets_client::{LiveSet, Reason, ResolvedSet, v1};

use super::App;
use crate::args::scope::{self, ContextArgs};
use crate::ui::error::CliError;

impl App {
    /// What the context gets, with values: all of it, with all that `secrets.toml` requires; or the names in `only`, which
    /// must be there. Says what is missing, for what it is needed and what to type. Prints the warnings.
    pub(crate) async fn receive(&self, context: &ContextArgs, only: &[String]) -> Result<ResolvedSet, CliError> {
        self.receive_with(context, only, self.required(only)).await
    }

    /// What must be there: the names in `only`, or without any what `secrets.toml` requires.
    pub(crate) fn required(&self, only: &[String]) -> Vec<String> {
        match only {
            [] => self.settings.repository.required().map(str::to_owned).collect(),
            only => only.to_vec(),
        }
    }

    /// The same, for what does its work without the secrets that `secrets.toml` requires as well.
    pub(crate) async fn receive_what_is_there(
        &self,
        context: &ContextArgs,
        only: &[String],
    ) -> Result<ResolvedSet, CliError> {
        self.receive_with(context, only, only.to_vec()).await
    }

    async fn receive_with(
        &self,
        context: &ContextArgs,
        only: &[String],
        required: Vec<String>,
    ) -> Result<ResolvedSet, CliError> {
        for name in only {
            scope::parse_name(name)?;
        }
        let request = v1::ResolveRequest {
            context: self.context(context).await?,
            secret_ids: only.to_vec(),
            required_secret_ids: required.clone(),
            ..Default::default()
        };
        let set = match self.client()?.resolve(request).await {
            Err(error) if error.reason() == Some(Reason::SecretRequiredMissing) => {
                // The service's own words, should it not explain them now.
                let explained = self.refuse_missing(context, &required).await.ok().flatten();
                return Err(explained.unwrap_or_else(|| error.into()));
            }
            set => set?,
        };
        self.print_notices(&set);
        Ok(set)
    }

    /// Keeps a set up to date that was received for the names in `only`, from the service or from a fallback.
    pub(crate) fn live_set(
        &self,
        set: &ResolvedSet,
        only: &[String],
        splay: Option<Duration>,
    ) -> Result<LiveSet, CliError> {
        let request = v1::ResolveRequest {
            // As the service named it, so that the service need not be asked which one is meant.
            context: Some(set.context()),
            secret_ids: only.to_vec(),
            required_secret_ids: only.to_vec(),
            if_none_match: set.etag.clone(),
            ..Default::default()
        };
        Ok(self.client()?.live_set(request).splay(splay.unwrap_or_default()))
    }
}
