//! The use cases: one file each, or one noun each, telling the whole story of a call below the wire.
//!
//! # Invariants
//!
//! - Protobuf types stop in `rpc/`, entities stop in `store/`.
//! - Every use case takes an [`OpenCall`](open_call::OpenCall), which only [`Service::run`] makes: so each ends with its audit
//!   event. It authorizes before any look-up that could tell whether something exists: what is missing is located with the nil
//!   uid, authorized like any other, and only then reported (see [`locate`]).
//! - Only use cases begin and commit. A mutation walks through [`mutation`]: lock, read the caller again, locate, authorize, ask
//!   whether it is a repeat, change, bump the revision, finish. Reads use `Service::read`.
//!
//! To add one: a function `impl Service { pub async fn … }` in a file of its noun; its handler in `rpc/`; its method in the proto.

pub mod access;
pub mod audit;
pub mod bootstrap;
pub mod create_credential;
mod current_caller;
pub mod deletions;
pub mod directory;
pub mod incarnation;
pub mod locate;

pub mod mutation;
pub mod open_call;
pub mod page;
pub mod readiness;
mod refusal;
pub mod resolve;
pub mod secret;
pub mod verify;
pub mod warning;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use secrets_core::Uid;
use secrets_core::limits::Limits;

use crate::admission::{AdmissionLimits, LiveCounts, Slots};
use crate::audit::AuditWriter;
use crate::changes::ChangeFeed;
use crate::clock::Clock;
use crate::crypto::Random;
use crate::error::Error;
use crate::keys::keyring::Keyring;
use crate::process::deletions_file::DeletionsFile;
use crate::retention::Retention;
use crate::store::{ReadTransaction, Store};

use self::access::session::DEFAULT_SESSION_PERIOD;
use self::open_call::Authorize;

/// What is configured of the use cases.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// For how long a session renews itself.
    pub session_period: Duration,
    /// How much one caller may take.
    pub admission: AdmissionLimits,
    /// For how long things are kept.
    pub retention: Retention,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            session_period: DEFAULT_SESSION_PERIOD,
            admission: AdmissionLimits::default(),
            retention: Retention::default(),
        }
    }
}

/// All use cases, over what they share.
pub struct Service {
    store: Store,
    keys: Arc<Keyring>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    audit: AuditWriter,
    /// The service's own limits; an organization may lower them.
    limits: Limits,
    changes: Arc<ChangeFeed>,
    /// How much one caller may take.
    admission: AdmissionLimits,
    /// The open watches.
    watches: Slots,
    /// How many live sessions there are, as far as it is known.
    live_sessions: LiveCounts,
    /// For how long a session renews itself.
    session_period: Duration,
    /// For how long things are kept.
    retention: Retention,
    /// Where deleted organizations are listed, once it is known.
    deletions: OnceLock<Arc<DeletionsFile>>,
}

impl Service {
    /// The use cases over a migrated database and its keys. Must be called within a tokio runtime, whose tasks write the
    /// audit log.
    pub fn new(
        store: Store,
        keys: Arc<Keyring>,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
        changes: Arc<ChangeFeed>,
        Settings { session_period, admission, retention }: Settings,
    ) -> Self {
        let audit = AuditWriter::start(&store);
        let watches = Slots::new(admission.watches());
        Self {
            audit,
            store,
            keys,
            clock,
            random,
            limits: Limits::default(),
            changes,
            admission,
            watches,
            live_sessions: LiveCounts::default(),
            session_period,
            retention,
            deletions: OnceLock::new(),
        }
    }

    /// Starts reading: who calls, with which roles, and everything that is read through what this returns are one state of the
    /// database. Dropping it ends it; do so before anything else is waited for, since it holds a connection.
    async fn read(&self, call: &mut impl Authorize) -> Result<ReadTransaction, Error> {
        let db = self.store.snapshot().await?;
        current_caller::read_again(&db, call, self.clock.now()).await?;
        Ok(db)
    }

    /// A random uid.
    pub fn uid(&self) -> Result<Uid, Error> {
        Ok(crate::crypto::random_uid(self.random.as_ref())?)
    }
}
