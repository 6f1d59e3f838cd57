//! The one resolve that every command shares which hands values on: `run`, `materialize`, `redact`, `check`.

use secrets_client::{Resolved, v1};

use crate::app::App;
use crate::exit::Failure;
use crate::scope::{self, ContextArgs};

impl App {
    /// What the context gets, with values. Names in `only` narrow it and must be there. Warnings are told.
    pub(crate) async fn receive(&self, context: &ContextArgs, only: &[String]) -> Result<Resolved, Failure> {
        for name in only {
            scope::parse_name(name)?;
        }
        let request = v1::ResolveRequest {
            context: self.context(context).await?,
            secret_ids: only.to_vec(),
            required_secret_ids: only.to_vec(),
            ..Default::default()
        };
        let set = self.client()?.resolve(request).await?;
        self.output.warnings(&set.warnings);
        Ok(set)
    }
}
