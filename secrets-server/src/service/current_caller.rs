//! The caller as one state of the database has it.
//!
//! A call is authenticated before it waits: for the lock of an organization, or for a connection. Meanwhile its credential may
//! end, and its roles may be taken away. So whoever decides reads both again, in the transaction in which it decides.
//!
//! # Invariant
//!
//! The credential alone tells that its account is still there, and for a session its creator and its context: whatever ends one
//! of these ends the credential in the same transaction.

use secrets_core::{Timestamp, Uid};

use super::open_call::Authorize;
use crate::auth::{check_alive, unknown_credential};
use crate::error::Error;
use crate::store::KeyedConnection;
use crate::store::PLATFORM;
use crate::store::caller::{self, CallerKey};
use crate::store::credential::Credential;

/// Brings the caller up to date: from here on their bindings are those that `db` sees. Refuses one whose credential has ended.
pub(super) async fn read_again(
    db: &impl KeyedConnection,
    call: &mut impl Authorize,
    now: Timestamp,
) -> Result<Credential, Error> {
    let caller = call.caller_mut();
    let principals = caller.deciding_principals();
    let key =
        CallerKey { credential: caller.credential, principals: &principals, organization: caller.organization_uid() };
    let (credential, bindings) = caller::read(db, key).await?.ok_or_else(unknown_credential)?;
    check_alive(&credential, now)?;
    caller.expire_time = credential.expire_time;
    caller.bindings = bindings;
    Ok(credential)
}

/// The same under the lock of `organization`: what was read stays true until the transaction ends. What changes under other
/// locks too is held.
pub(super) async fn read_under_lock(
    db: &impl KeyedConnection,
    call: &mut impl Authorize,
    organization: Uid,
    now: Timestamp,
) -> Result<Credential, Error> {
    if organization != PLATFORM && !call.caller.is_of_one_organization() {
        let principals = call.caller.deciding_principals();
        let credential = call.caller.credential;
        caller::hold(db, CallerKey { credential, principals: &principals, organization: Some(organization) }).await?;
    }
    read_again(db, call, now).await
}
