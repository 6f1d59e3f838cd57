//! Who calls: from a credential in the metadata to a [`Caller`](crate::call::Caller), checked anew at every call.

mod authenticate;
mod credentials;
pub mod restrictions;
pub mod token;
pub mod usage;

use std::sync::Arc;

use crate::clock::Clock;
use crate::keys::keyring::Keyring;
use crate::store::Store;

use self::usage::UsageBuffer;

pub use credentials::{MissingCredential, RequestCredentials};

/// Looks up credentials and those for whom they speak.
pub struct Authenticator {
    store: Store,
    keys: Arc<Keyring>,
    clock: Arc<dyn Clock>,
    usage: Arc<UsageBuffer>,
}

impl Authenticator {
    /// An authenticator over the credentials in `store`; it counts their use, and failures, in `usage`.
    pub fn new(store: Store, keys: Arc<Keyring>, clock: Arc<dyn Clock>, usage: Arc<UsageBuffer>) -> Self {
        Self { store, keys, clock, usage }
    }
}
