//! Evidence that the credential of a request was looked up and is alive.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use http::Extensions;
use secrets_core::{Timestamp, Uid};
use secrets_proto::Method;

use super::credentials::RequestCredentials;
use crate::admission::Consumer;
use crate::error::Error;
use crate::store::credential::Credential;

/// How long a look-up counts. A body that arrives later may come from a credential that has ended meanwhile.
const LOOKUP_LIFETIME: Duration = Duration::from_millis(100);

/// A request whose credential is known and was alive when it was looked up, before the body was read. Only the
/// [`Authenticator`](super::Authenticator) makes one, and without one it opens no call.
#[derive(Clone)]
pub struct Authenticated {
    pub(super) presented: Arc<RequestCredentials>,
    pub(super) credential: Arc<Credential>,
    pub(super) method: Method,
    looked_up: Instant,
    /// When a recovery code of the calling person was used last, once that was read.
    recovery: Arc<OnceLock<Timestamp>>,
}

impl Authenticated {
    pub(super) fn new(presented: Arc<RequestCredentials>, credential: Arc<Credential>, method: Method) -> Self {
        let recovery = Arc::default();
        Self { presented, credential, method, looked_up: Instant::now(), recovery }
    }

    /// What the authenticating layer put into the request.
    pub fn of(extensions: &Extensions) -> Result<Self, Error> {
        extensions.get().cloned().ok_or_else(|| Error::internal("a handler runs outside of the authenticating layer"))
    }

    /// The credential's identity.
    pub fn credential(&self) -> Uid {
        self.credential.uid
    }

    /// When a recovery code of the calling person was used last, as far as the call got.
    pub(super) fn recovery(&self) -> Option<Timestamp> {
        self.recovery.get().copied()
    }

    /// Keeps for the answer that a recovery code of the calling person was used.
    pub(super) fn note_recovery(&self, time: Timestamp) {
        let _ = self.recovery.set(time);
    }

    /// Whom the call counts for.
    pub fn consumer(&self) -> Consumer {
        Consumer::new(&self.credential)
    }

    pub(super) fn is_stale(&self) -> bool {
        self.looked_up.elapsed() > LOOKUP_LIFETIME
    }
}
