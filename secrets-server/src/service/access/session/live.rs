//! How many live sessions somebody may have created.

use secrets_core::{CredentialKind, Timestamp};

use crate::admission::{Consumer, ConsumerClass};
use crate::error::{Error, Reason};
use crate::service::Service;
use crate::store::KeyedConnection;
use crate::store::credential::{self, Credential};

impl Service {
    /// Refuses one more session of the `own` credential when there are as many as there may be: of a session with all that it and
    /// its like created, so that no sandbox takes what its control plane needs; of an account with all of its tokens.
    pub(super) async fn check_live_sessions(
        &self,
        db: &impl KeyedConnection,
        own: &Credential,
        now: Timestamp,
    ) -> Result<(), Error> {
        if own.kind == CredentialKind::Session {
            let most = self.admission.sessions_per_session.get().into();
            let live = credential::count_live_line(db, own, most, now).await?;
            return if live < most { Ok(()) } else { Err(too_many("a session", most)) };
        }
        let class = Consumer::new(own).key.class();
        let most = self.admission.of(class).sessions.get().into();
        if self.live_sessions.add(own.principal.uid, most, now) {
            return Ok(());
        }
        let live = credential::count_live_sessions(db, own.principal, now).await?;
        if live >= most {
            let whose = match class {
                ConsumerClass::Person => "a person",
                ConsumerClass::ServiceAccount => "a service account",
            };
            return Err(too_many(whose, most));
        }
        self.live_sessions.counted(own.principal.uid, live, now);
        Ok(())
    }
}

fn too_many(whose: &str, most: u64) -> Error {
    let text = format!(
        "{whose} has at most {most} live sessions, with those that these created; revoke some, or wait until they expire"
    );
    Error::new(Reason::LimitExceeded, text).with("limit", "sessions").with("most", most.to_string())
}
