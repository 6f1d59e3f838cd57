//! The events of a watch.

use secrets_core::{ContextName, Description, Group, Redaction, SecretId, SecretName, Target, Timestamp, Uid};

use crate::service::locate::context::LocatedContext;
use crate::store::revision::Revision;
use crate::store::secret::SecretWithVersion;

/// One event of a watch.
pub struct WatchEvent {
    pub happened: Happened,
    /// The etag that Resolve gives for the same filters.
    pub etag: String,
    /// The revision that was read.
    pub revision: Revision,
    /// The next time at which the answer changes by itself.
    pub next_change_time: Option<Timestamp>,
}

/// What happened.
pub enum Happened {
    /// The watch was opened: this is everything.
    Set {
        /// For whom, with the implied project and user filled in.
        context: ContextName,
        /// The secrets, ordered by name.
        secrets: Vec<Watched>,
    },
    /// Something is different from the events before.
    Change {
        /// New names.
        added: Vec<Watched>,
        /// Names with other metadata or another value.
        updated: Vec<Watched>,
        /// Names that are gone.
        removed: Vec<SecretId>,
        /// Whether something else would be delivered.
        delivery_changed: bool,
    },
    /// Nothing did.
    Nothing,
}

/// A secret that would be delivered: everything but its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watched {
    pub name: SecretName,
    /// Where the value lands.
    pub target: Target,
    /// The version that would be delivered.
    pub version: u32,
    /// Whether a client masks it in output.
    pub redaction: Redaction,
    /// What it is, so that an agent can choose.
    pub description: Description,
    /// The group that is never mixed between scopes.
    pub group: Option<Group>,
    pub expire_time: Option<Timestamp>,
    /// Its identity: one that was deleted and made again is another.
    uid: Uid,
}

impl Watched {
    /// A secret in one of the context's scopes.
    pub(super) fn new(
        located: &LocatedContext,
        SecretWithVersion { secret, version }: &SecretWithVersion,
    ) -> Option<Self> {
        Some(Self {
            name: located.secret_name(secret.scope.kind, &secret.secret_id)?,
            target: version.target.clone(),
            version: version.version,
            redaction: secret.redaction,
            description: secret.description.clone(),
            group: secret.group.clone(),
            expire_time: secret.expire_time,
            uid: secret.uid,
        })
    }
}
