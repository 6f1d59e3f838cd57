//! A session that does not end while somebody works in it.

use secrets_client::CredentialKind;
use tokio::task::JoinHandle;

use crate::app::App;
use crate::exit::Failure;

/// Keeps the session that calls open until it is dropped; nothing, for another credential.
pub(crate) struct KeptSession(Option<JoinHandle<()>>);

impl App {
    /// Keeps the session that calls open. Whoever needs it learns of its end from the service.
    pub(crate) fn keep_session(&self) -> Result<KeptSession, Failure> {
        if self.credential_kind() != Some(CredentialKind::Session) {
            return Ok(KeptSession(None));
        }
        let client = self.client()?.clone();
        Ok(KeptSession(Some(tokio::spawn(async move {
            let _ = client.keep_session().await;
        }))))
    }
}

impl Drop for KeptSession {
    fn drop(&mut self) {
        if let Some(keeping) = &self.0 {
            keeping.abort();
        }
    }
}
