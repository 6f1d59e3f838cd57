//! The use cases: one file each, or one noun each, telling the whole story of a call below the wire.
//!
//! # Invariants
//!
//! - Protobuf types stop in `rpc/`, entities stop in `store/`.
//! - Every use case takes its [`Call`](crate::call::Call), says with `call.about(…)` what it is about, and authorizes before
//!   any look-up that could tell whether something exists: what is missing is located with the nil uid, authorized like any
//!   other, and only then reported (see [`locate`]).
//! - Only use cases begin and commit. A mutation runs in one [`change::Change`]: lock, locate, authorize, ask whether it is a
//!   repeat, do it, bump the revision, finish. Reads use `self.store.reader()`.
//!
//! To add one: a function `impl Service { pub async fn … }` in a file of its noun; its handler in `rpc/`; its method in the proto.

pub mod access;
pub mod audit;
pub mod bootstrap;
pub mod directory;
pub mod locate;
pub mod mint;
pub mod mutation;
pub mod page;
pub mod resolve;
pub mod secret;
pub mod warning;

use std::sync::Arc;

use secrets_core::Uid;
use secrets_core::limits::Limits;

use crate::audit::{AuditWriter, Event};
use crate::call::Call;
use crate::changes::ChangeFeed;
use crate::clock::Clock;
use crate::crypto::Random;
use crate::error::{Error, Reason};
use crate::keys::keyring::Keyring;
use crate::store::Store;

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
    ) -> Self {
        Self { audit: AuditWriter::start(&store), store, keys, clock, random, limits: Limits::default(), changes }
    }

    /// A random uid.
    pub fn uid(&self) -> Result<Uid, Error> {
        Ok(crate::crypto::random_uid(self.random.as_ref())?)
    }

    /// Ends a call: writes its audit event, unless a transaction of its own already did, and only then hands on the result.
    pub async fn close_call<T>(&self, call: &Call, result: Result<T, Error>) -> Result<T, Error> {
        // What was audited is durable. Anything else may come from what others wrote and still wait to commit.
        let result = if call.is_audited() { result } else { call.confirmed().await.and(result) };
        let event = match &result {
            _ if call.is_audited() => return result,
            Ok(_) => Event::allowed(call, self.random.as_ref()),
            // The record was tried; its caller has waited for it long enough.
            Err(error) if error.reason() == Reason::AuditUnavailable => return result,
            Err(error) => Event::refused(call, self.random.as_ref(), error),
        };
        self.audit.record(event?).await?;
        call.set_audited();
        result
    }
}
