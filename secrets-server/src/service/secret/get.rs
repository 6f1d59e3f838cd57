//! GetSecret.

use secrets_core::SecretName;

use super::view::SecretView;
use crate::error::Error;
use crate::service::Service;
use crate::service::open_call::OpenCall;

impl Service {
    /// A secret's metadata, for whoever may list it.
    pub async fn get_secret(&self, call: &mut OpenCall, name: SecretName) -> Result<SecretView, Error> {
        let db = &self.read(call).await?;
        self.find_shown(db, call, &name).await
    }
}
