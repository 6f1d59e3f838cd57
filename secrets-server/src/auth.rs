//! Who calls: from a credential in the metadata to a [`Caller`](crate::call::Caller), checked anew at every call.
//!
//! In two steps: [`Authenticator::look_up`] finds the credential before the request's body is read, and refuses what is unknown or
//! has ended; [`Authenticator::open_call`] reads who the caller is and what they hold, on which the use cases decide.

mod authenticate;
mod authenticated;
mod credentials;
mod ended;
mod familiar_tokens;
pub mod restrictions;
mod shared_lookups;
pub mod token;
pub mod usage;

use std::sync::Arc;

use secrets_core::CredentialKind;
use secrets_proto::Method;

use crate::admission::Pauses;
use crate::clock::Clock;
use crate::keys::keyring::Keyring;
use crate::store::Store;
use crate::store::credential::Credential;

use self::familiar_tokens::{FamiliarTokens, TokenMac};
use self::shared_lookups::SharedLookups;
use self::usage::UsageBuffer;

pub use authenticated::Authenticated;
pub use credentials::{MissingCredential, RequestCredentials};
pub(crate) use ended::{check_alive, unknown_credential};

/// The kind of code that a method takes as its credential and spends: whoever calls it is not known otherwise yet.
pub fn takes_code(method: Method) -> Option<CredentialKind> {
    match method {
        Method::RedeemInvitation => Some(CredentialKind::Invitation),
        Method::RedeemRecoveryCode => Some(CredentialKind::RecoveryCode),
        Method::RedeemSignInCode => Some(CredentialKind::SignInCode),
        _ => None,
    }
}

/// Looks up credentials and those for whom they speak.
pub struct Authenticator {
    store: Store,
    keys: Arc<Keyring>,
    clock: Arc<dyn Clock>,
    usage: Arc<UsageBuffer>,
    familiar: FamiliarTokens,
    lookups: SharedLookups<TokenMac, Credential>,
}

impl Authenticator {
    /// An authenticator over the credentials in `store`; it counts their use, and failures, in `usage`.
    pub fn new(store: Store, keys: Arc<Keyring>, clock: Arc<dyn Clock>, usage: Arc<UsageBuffer>) -> Self {
        Self { store, keys, clock, usage, familiar: FamiliarTokens::new(), lookups: SharedLookups::new() }
    }

    /// When what works long in this store pauses.
    pub(crate) fn pauses(&self) -> Pauses {
        if self.store.is_shared() { Pauses::Within } else { Pauses::After }
    }

    /// Counts a call that was refused by a limit.
    pub fn count_refused(&self, authenticated: &Authenticated, limit: &str) {
        self.usage.refused_calls.count(&authenticated.consumer(), limit);
    }
}
