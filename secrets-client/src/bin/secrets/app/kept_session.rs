//! A session that does not end while somebody works in it.

use secrets_core::CredentialKind;
use tokio::task::JoinHandle;

use super::App;
use crate::ui::error::CliError;

/// Keeps the session that calls open until it is dropped; nothing, for another credential.
pub(crate) struct SessionKeepalive(Option<JoinHandle<()>>);

impl App {
    /// Keeps the session that calls open. Whoever needs it learns of its end from the service.
    pub(crate) fn keep_session(&self) -> Result<SessionKeepalive, CliError> {
        if self.credential_kind() != Some(CredentialKind::Session) {
            return Ok(SessionKeepalive(None));
        }
        let client = self.client()?.clone();
        Ok(SessionKeepalive(Some(tokio::spawn(async move {
            let _ = client.keep_session().await;
        }))))
    }
}

impl Drop for SessionKeepalive {
    fn drop(&mut self) {
        if let Some(keeping) = &self.0 {
            keeping.abort();
        }
    }
}
