//! GetSecret.

use secrets_core::SecretName;

use super::view::SecretView;
use crate::call::Call;
use crate::error::Error;
use crate::service::Service;

impl Service {
    /// A secret's metadata, for whoever may list it.
    pub async fn get_secret(&self, call: &Call, name: SecretName) -> Result<SecretView, Error> {
        self.find_shown(self.store.reader(), call, &name).await
    }
}
