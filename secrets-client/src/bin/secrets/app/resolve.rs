//! The one resolve that every command shares which hands values on: `run`, `materialize`, `redact`.

use std::time::Duration;

use secrets_client::{LiveSet, Reason, ResolvedSet, v1};
use tokio::time::timeout;

use super::App;
use crate::args::scope::{self, ContextArgs};
use crate::ui::error::CliError;

/// How long the service may take to say why something is missing. It has answered already.
const EXPLANATION_TIMEOUT: Duration = Duration::from_secs(5);

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
        match self.resolve(context, only, required.clone()).await {
            Err(error) => Err(self.explain_missing(context, &required, error).await),
            set => set,
        }
    }

    /// The same in the service's own words, should something be missing.
    pub(crate) async fn resolve(
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
            required_secret_ids: required,
            ..Default::default()
        };
        let set = self.client()?.resolve(request).await?;
        self.print_notices(&set);
        Ok(set)
    }

    /// Says more of what is missing, should it be that. It is the service's own words, if the service does not explain them soon.
    pub(crate) async fn explain_missing(
        &self,
        context: &ContextArgs,
        required: &[String],
        error: CliError,
    ) -> CliError {
        if error.answer().and_then(|answer| answer.reason) != Some(Reason::SecretRequiredMissing) {
            return error;
        }
        let explained = timeout(EXPLANATION_TIMEOUT, self.refuse_missing(context, required)).await;
        explained.ok().and_then(Result::ok).flatten().unwrap_or(error)
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
