//! The sealed record: one layout for values, keys and root seeds.
//!
//! ```text
//! offset  bytes  field
//!      0      4  magic                what is sealed: `SVAL` a value, `SKEY` a key, `SEED` a root seed
//!      4      1  format               1: this layout
//!      5      1  suite                1: HKDF-SHA-512, AES-256-GCM, 32-byte key commitment
//!      6      4  key version          big-endian: which version of the sealing key opens it
//!     10     32  salt                 random
//!     42     32  key commitment       last 32 bytes of the derivation
//!     74     12  nonce                random
//!     86      n  ciphertext           as long as the plaintext
//!   86+n     16  tag
//! ```
//!
//! The derivation is `HKDF-SHA-512(key, salt, info, 64)`, its first 32 bytes the AES-256 key, its last 32 the
//! commitment, with `info` = `secrets.v1 sealed record` followed by the first ten bytes of the record. All 86 bytes
//! before the ciphertext are authenticated, and after them the identity of the record ([`aad`](super::aad)).

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hkdf::HKDF_SHA512;
use zeroize::Zeroizing;

use super::aad::{AssociatedData, associated_data};
use super::aead::{self, AeadError, NONCE_BYTES, TAG_BYTES};
use super::hkdf::{self, DeriveError};
use super::random::{Random, RandomError};
use super::secret_bytes::{KEY_BYTES, SecretBytes, SymmetricKey};

/// How much longer a sealed record is than what it holds.
pub const OVERHEAD_BYTES: usize = HEADER_BYTES + TAG_BYTES;

const FORMAT: u8 = 1;
const SUITE: u8 = 1;
const SALT_BYTES: usize = 32;
const COMMITMENT_BYTES: usize = 32;
const LABEL: &[u8] = b"secrets.v1 sealed record";
/// Magic, format, suite and key version.
const PREAMBLE_BYTES: usize = 10;
/// Everything before the ciphertext.
const HEADER_BYTES: usize = PREAMBLE_BYTES + SALT_BYTES + COMMITMENT_BYTES + NONCE_BYTES;

/// Seals `plaintext` as the record of `identity`, under `key`, of which `key_version` is the version.
pub(crate) fn seal(
    random: &dyn Random,
    key: &SymmetricKey,
    key_version: u32,
    identity: &impl AssociatedData,
    plaintext: &[u8],
) -> Result<Vec<u8>, SealError> {
    let preamble = Preamble { magic: identity.magic(), format: FORMAT, suite: SUITE, key_version }.to_bytes();
    let mut salt = [0; SALT_BYTES];
    random.fill(&mut salt)?;
    let mut nonce = [0; NONCE_BYTES];
    random.fill(&mut nonce)?;
    let derived = Derived::from(key, &salt, &preamble)?;

    let mut record = Vec::with_capacity(OVERHEAD_BYTES + plaintext.len());
    record.extend_from_slice(&preamble);
    record.extend_from_slice(&salt);
    record.extend_from_slice(&derived.commitment);
    record.extend_from_slice(&nonce);
    let associated_data = associated_data(&record, identity);
    aead::seal(&derived.key, &nonce, &associated_data, plaintext, &mut record)?;
    Ok(record)
}

/// Opens the record of `identity` with `key`, of which `key_version` is the version.
pub(crate) fn open(
    key: &SymmetricKey,
    key_version: u32,
    identity: &impl AssociatedData,
    record: &[u8],
) -> Result<SecretBytes, OpenError> {
    let parts = Parts::of(record)?;
    let preamble = Preamble::parse(parts.preamble, identity.magic())?;
    if preamble.key_version != key_version {
        return Err(OpenError::KeyVersion { sealed: preamble.key_version, given: key_version });
    }
    let derived = Derived::from(key, parts.salt, parts.preamble)?;
    // Before decrypting, since AES-GCM alone does not commit to its key.
    verify_slices_are_equal(&derived.commitment, parts.commitment).map_err(|_| OpenError::Commitment)?;
    aead::open(&derived.key, parts.nonce, &associated_data(parts.header, identity), parts.sealed)
        .map_err(|AeadError| OpenError::Authentication)
}

/// The version of the data key that opens the sealed value `record`, as it says itself: authenticated only by opening.
pub fn data_key_version(record: &[u8]) -> Result<u32, OpenError> {
    sealed_under(record, super::aad::VALUE_MAGIC)
}

/// The version of the root seed that opens the sealed key `record`, as it says itself: authenticated only by opening.
pub fn root_key_version(record: &[u8]) -> Result<u32, OpenError> {
    sealed_under(record, super::aad::KEY_MAGIC)
}

/// Why nothing was sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// There was no randomness for salt and nonce.
    #[error(transparent)]
    Random(#[from] RandomError),
    /// The cryptographic library failed to derive the key.
    #[error(transparent)]
    Derive(#[from] DeriveError),
    /// The cryptographic library failed to encrypt.
    #[error(transparent)]
    Aead(#[from] AeadError),
}

/// Why a record does not open. Nothing here depends on the plaintext.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// Shorter than an empty plaintext would be when sealed.
    #[error("sealed record has {length} bytes; the shortest has {OVERHEAD_BYTES}")]
    Truncated {
        /// The bytes there are.
        length: usize,
    },
    /// Not a record of the kind that was asked for.
    #[error("not a sealed record of this kind")]
    Magic,
    /// Written by a later release, or damaged.
    #[error("sealed record has the unknown format {0}; {FORMAT} is known")]
    Format(u8),
    /// Written by a later release, or damaged.
    #[error("sealed record has the unknown suite {0}; {SUITE} is known")]
    Suite(u8),
    /// Another version of the key sealed it.
    #[error("sealed under key version {sealed}, but opened with version {given}")]
    KeyVersion {
        /// The version that the record names.
        sealed: u32,
        /// The version that was at hand.
        given: u32,
    },
    /// Another key sealed it, or salt, commitment or version were altered.
    #[error("sealed under another key")]
    Commitment,
    /// The content was altered, or the record belongs to another identity.
    #[error("altered, or sealed for another identity")]
    Authentication,
    /// It holds something other than a key.
    #[error("sealed key has {length} bytes; a key has {KEY_BYTES}")]
    KeyLength {
        /// The bytes there are.
        length: usize,
    },
    /// The cryptographic library failed to derive the key.
    #[error(transparent)]
    Derive(#[from] DeriveError),
}

/// The fields of a record, where the layout puts them.
struct Parts<'a> {
    header: &'a [u8],
    preamble: &'a [u8; PREAMBLE_BYTES],
    salt: &'a [u8; SALT_BYTES],
    commitment: &'a [u8; COMMITMENT_BYTES],
    nonce: &'a [u8; NONCE_BYTES],
    sealed: &'a [u8],
}

impl<'a> Parts<'a> {
    fn of(record: &'a [u8]) -> Result<Self, OpenError> {
        let truncated = || OpenError::Truncated { length: record.len() };
        if record.len() < OVERHEAD_BYTES {
            return Err(truncated());
        }
        let (header, sealed) = record.split_at_checked(HEADER_BYTES).ok_or_else(truncated)?;
        let (preamble, rest) = header.split_first_chunk().ok_or_else(truncated)?;
        let (salt, rest) = rest.split_first_chunk().ok_or_else(truncated)?;
        let (commitment, rest) = rest.split_first_chunk().ok_or_else(truncated)?;
        let (nonce, _) = rest.split_first_chunk().ok_or_else(truncated)?;
        Ok(Self { header, preamble, salt, commitment, nonce, sealed })
    }
}

/// The first ten bytes.
struct Preamble {
    magic: [u8; 4],
    format: u8,
    suite: u8,
    key_version: u32,
}

impl Preamble {
    fn parse(bytes: &[u8; PREAMBLE_BYTES], magic: [u8; 4]) -> Result<Self, OpenError> {
        let &[m0, m1, m2, m3, format, suite, v0, v1, v2, v3] = bytes;
        if [m0, m1, m2, m3] != magic {
            return Err(OpenError::Magic);
        }
        if format != FORMAT {
            return Err(OpenError::Format(format));
        }
        if suite != SUITE {
            return Err(OpenError::Suite(suite));
        }
        Ok(Self { magic, format, suite, key_version: u32::from_be_bytes([v0, v1, v2, v3]) })
    }

    fn to_bytes(&self) -> [u8; PREAMBLE_BYTES] {
        let [m0, m1, m2, m3] = self.magic;
        let [v0, v1, v2, v3] = self.key_version.to_be_bytes();
        [m0, m1, m2, m3, self.format, self.suite, v0, v1, v2, v3]
    }
}

/// What is derived for one record alone.
struct Derived {
    key: SymmetricKey,
    commitment: [u8; COMMITMENT_BYTES],
}

impl Derived {
    fn from(key: &SymmetricKey, salt: &[u8], preamble: &[u8]) -> Result<Self, DeriveError> {
        let mut output = Zeroizing::new([0; KEY_BYTES + COMMITMENT_BYTES]);
        // Exposed to the derivation, which wipes its copy.
        hkdf::derive(HKDF_SHA512, key.expose(), salt, &[LABEL, preamble], output.as_mut_slice())?;
        let (derived_key, commitment) = output.split_first_chunk::<KEY_BYTES>().ok_or(DeriveError)?;
        let mut key = SymmetricKey::zeroed();
        key.bytes_mut().copy_from_slice(derived_key);
        Ok(Self { key, commitment: commitment.try_into().map_err(|_| DeriveError)? })
    }
}

fn sealed_under(record: &[u8], magic: [u8; 4]) -> Result<u32, OpenError> {
    Ok(Preamble::parse(Parts::of(record)?.preamble, magic)?.key_version)
}
