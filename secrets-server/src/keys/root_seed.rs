//! The root seed, which seals data keys and system keys.

use secrets_core::Uid;
use zeroize::Zeroizing;

use super::provider::{RootKeyError, RootKeyProvider};
use crate::crypto::aad::{AssociatedData, KEY_MAGIC};
use crate::crypto::envelope::{self, OpenError, SealError};
use crate::crypto::random::{Random, RandomError};
use crate::crypto::secret_bytes::{KEY_BYTES, SecretBytes, SymmetricKey};
use crate::crypto::transcript::Transcript;

/// Follows the 32 bytes of a seed whose database has a MAC in each row that decides.
const ROWS_HAVE_MACS: u8 = 1;

/// The 32 random bytes under one version of the root key.
pub struct RootSeed {
    version: u32,
    key: SymmetricKey,
    /// Wrapped with the seed, so that nobody else can say of a database that its rows never had MACs.
    rows_have_macs: bool,
}

impl RootSeed {
    /// A new random seed.
    pub fn make(random: &dyn Random, version: u32) -> Result<Self, RandomError> {
        Ok(Self { version, key: SymmetricKey::make(random)?, rows_have_macs: true })
    }

    /// Has the root key wrap the seed, for storing.
    pub async fn wrap(&self, provider: &dyn RootKeyProvider) -> Result<Vec<u8>, RootKeyError> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(KEY_BYTES + 1));
        // Exposed to be wrapped.
        bytes.extend_from_slice(self.key.expose());
        bytes.extend(self.rows_have_macs.then_some(ROWS_HAVE_MACS));
        provider.wrap(&SecretBytes::from(bytes)).await
    }

    /// Has the root key unwrap the seed that was stored as `version`. A root key that is not the one it was wrapped by
    /// is [`RootKeyError::WrongKey`]: the check that a start-up makes before anything else.
    pub async fn unwrap(provider: &dyn RootKeyProvider, version: u32, wrapped: &[u8]) -> Result<Self, RootKeyError> {
        let opened = provider.unwrap(wrapped).await?;
        // Exposed to be taken apart.
        let (bytes, rows_have_macs) = match opened.expose().split_last() {
            Some((&ROWS_HAVE_MACS, bytes)) if bytes.len() == KEY_BYTES => (bytes, true),
            _ => (opened.expose(), false),
        };
        let key = SymmetricKey::copied_from(bytes).ok_or(OpenError::KeyLength { length: opened.len() })?;
        Ok(Self { version, key, rows_have_macs })
    }

    /// Whether each row of the database that decides has a MAC: always, unless an earlier program made it.
    #[must_use]
    pub const fn rows_have_macs(&self) -> bool {
        self.rows_have_macs
    }

    /// Notes that they have one from now on; to be wrapped anew.
    pub fn note_row_macs(&mut self) {
        self.rows_have_macs = true;
    }

    /// Which version of the root key it belongs to.
    #[must_use]
    pub const fn version(&self) -> u32 {
        self.version
    }

    /// Seals a data key or system key as the row that `identity` names.
    pub fn seal_key(
        &self,
        random: &dyn Random,
        identity: &KeyIdentity,
        key: &SymmetricKey,
    ) -> Result<Vec<u8>, SealError> {
        // Exposed to be encrypted.
        envelope::seal(random, &self.key, self.version, identity, key.expose())
    }

    /// Opens the key that was sealed for exactly this `identity` under this version of the seed.
    pub fn open_key(&self, identity: &KeyIdentity, record: &[u8]) -> Result<SymmetricKey, OpenError> {
        let opened = envelope::open(&self.key, self.version, identity, record)?;
        key_of(&opened)
    }
}

/// What a stored key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyPurpose {
    /// An organization's values.
    Data,
    /// The MACs under which tokens are stored.
    Pepper,
    /// Fingerprints of repeated requests, and page tokens.
    Fingerprint,
    /// The audit log.
    Audit,
    /// The MACs of rows.
    Row,
}

impl KeyPurpose {
    /// The word for it in the database and in what is authenticated.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Data => "DATA",
            Self::Pepper => "PEPPER",
            Self::Fingerprint => "FINGERPRINT",
            Self::Audit => "AUDIT",
            Self::Row => "ROW",
        }
    }
}

/// The row that a sealed key belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyIdentity {
    /// The organization of a data key; none for a system key.
    pub organization: Option<Uid>,
    /// The key's own version.
    pub version: u32,
    pub purpose: KeyPurpose,
}

impl KeyIdentity {
    /// A version of an organization's data key.
    #[must_use]
    pub const fn data(organization: Uid, version: u32) -> Self {
        Self { organization: Some(organization), version, purpose: KeyPurpose::Data }
    }

    /// A version of a key of the whole service.
    #[must_use]
    pub const fn system(purpose: KeyPurpose, version: u32) -> Self {
        Self { organization: None, version, purpose }
    }
}

impl AssociatedData for KeyIdentity {
    fn magic(&self) -> [u8; 4] {
        KEY_MAGIC
    }

    fn write(&self, fields: &mut Transcript) {
        // No uid has no bytes, so that a system key is no organization's.
        let organization = self.organization.as_ref().map(|uid| uid.as_bytes().as_slice()).unwrap_or_default();
        fields
            .push(b"secrets.v1 key")
            .push(self.purpose.as_str().as_bytes())
            .push(organization)
            .push(&self.version.to_be_bytes());
    }
}

/// The key that an opened record holds.
pub(crate) fn key_of(opened: &SecretBytes) -> Result<SymmetricKey, OpenError> {
    // Exposed to be copied into a type of its own.
    SymmetricKey::copied_from(opened.expose()).ok_or(OpenError::KeyLength { length: opened.len() })
}
