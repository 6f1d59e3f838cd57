//! The data key of an organization, which seals its values.

use crate::crypto::aad::ValueIdentity;
use crate::crypto::envelope::{self, OpenError, SealError};
use crate::crypto::random::{Random, RandomError};
use crate::crypto::secret_bytes::{SecretBytes, SymmetricKey};

/// One version of an organization's data key.
///
/// It is stored sealed: [`RootSeed::seal_key`](crate::keys::RootSeed::seal_key) with [`DataKey::key`], and back with
/// [`RootSeed::open_key`](crate::keys::RootSeed::open_key) and [`DataKey::new`].
pub struct DataKey {
    version: u32,
    key: SymmetricKey,
}

impl DataKey {
    /// A new random data key.
    pub fn make(random: &dyn Random, version: u32) -> Result<Self, RandomError> {
        Ok(Self::new(version, SymmetricKey::make(random)?))
    }

    /// The data key that was stored as `version`.
    #[must_use]
    pub const fn new(version: u32, key: SymmetricKey) -> Self {
        Self { version, key }
    }

    /// Which version of its organization's key it is.
    #[must_use]
    pub const fn version(&self) -> u32 {
        self.version
    }

    /// The key, to be sealed and stored.
    #[must_use]
    pub const fn key(&self) -> &SymmetricKey {
        &self.key
    }

    /// Seals a value as the version of a secret that `identity` names.
    pub fn seal(
        &self,
        random: &dyn Random,
        identity: &ValueIdentity<'_>,
        plaintext: &[u8],
    ) -> Result<Vec<u8>, SealError> {
        envelope::seal(random, &self.key, self.version, identity, plaintext)
    }

    /// Opens a value that was sealed for exactly this `identity` under this version of the key.
    pub fn open(&self, identity: &ValueIdentity<'_>, record: &[u8]) -> Result<SecretBytes, OpenError> {
        envelope::open(&self.key, self.version, identity, record)
    }
}
