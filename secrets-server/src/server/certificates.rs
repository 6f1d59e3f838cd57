//! The certificates of all listeners, read again when they were renewed.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use secrets_core::Timestamp;

use super::tls::{Certificate, TlsError};
use crate::clock::Clock;

/// How often it is looked whether a file has changed.
const CHECK_INTERVAL: Duration = Duration::from_secs(10);

/// The certificates of all listeners.
#[derive(Clone, Debug, Default)]
pub struct Certificates(Vec<Arc<Certificate>>);

impl FromIterator<Arc<Certificate>> for Certificates {
    fn from_iter<I: IntoIterator<Item = Arc<Certificate>>>(certificates: I) -> Self {
        Self(certificates.into_iter().collect())
    }
}

impl Certificates {
    /// Reads all of them again, when somebody asks for it.
    pub async fn reload(&self, clock: &dyn Clock) {
        self.each(|certificate| certificate.reload().map(|()| true)).await;
        self.warn(clock.now());
    }

    /// Reads those again that have changed, time and again, for ever, and warns of those that clients will soon refuse.
    pub async fn follow(&self, clock: &dyn Clock) {
        loop {
            tokio::time::sleep(CHECK_INTERVAL).await;
            self.each(Certificate::reload_if_changed).await;
            self.warn(clock.now());
        }
    }

    /// Warns of each certificate that clients refuse, or will soon: once, until something else is to be said of it.
    pub fn warn(&self, now: Timestamp) {
        let warnings: BTreeSet<String> = self.0.iter().filter_map(|certificate| certificate.new_warning(now)).collect();
        for warning in warnings {
            tracing::warn!("{warning}");
        }
    }

    async fn each(&self, load: fn(&Certificate) -> Result<bool, TlsError>) {
        for certificate in &self.0 {
            let reading = Arc::clone(certificate);
            let path = certificate.path().display();
            match tokio::task::spawn_blocking(move || load(&reading)).await {
                Ok(Ok(true)) => tracing::info!(%path, "serving the certificate anew"),
                Ok(Ok(false)) | Err(_) => {}
                Ok(Err(error)) => tracing::warn!(%error, "serving the certificate of before"),
            }
        }
    }
}
