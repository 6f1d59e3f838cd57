//! GetSecret.

use secrets_core::SecretName;

use super::shown::ShownSecret;
use crate::app::App;
use crate::call::Call;
use crate::failure::Failure;

impl App {
    /// A secret's metadata, for whoever may list it.
    pub async fn get_secret(&self, call: &Call, name: SecretName) -> Result<ShownSecret, Failure> {
        self.find_shown(self.store().reader(), call, &name).await
    }
}
