//! Keyed hashes: HMAC-SHA-256 (RFC 2104, FIPS 198-1) through aws-lc-rs.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac::{Context, HMAC_SHA256, Key};

use super::random::{Random, RandomError};
use super::secret_bytes::SymmetricKey;

/// The length of a MAC, in bytes.
pub const MAC_BYTES: usize = 32;

/// What a MAC is made for. Each purpose has a label of its own in front of the message, so that a MAC made for one
/// never serves another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MacPurpose {
    /// What is stored of a token.
    Token,
    /// What is stored of a request that carries a request id.
    RequestFingerprint,
    /// What binds a page token to its query.
    PageToken,
    /// What identifies a resolved answer.
    AnswerEtag,
    /// What shows that a row of the database is as it was written.
    Row,
}

impl MacPurpose {
    const fn label(self) -> &'static [u8] {
        match self {
            Self::Token => b"secrets.v1 token",
            Self::RequestFingerprint => b"secrets.v1 request fingerprint",
            Self::PageToken => b"secrets.v1 page token",
            Self::AnswerEtag => b"secrets.v1 answer etag",
            Self::Row => b"secrets.v1 row",
        }
    }
}

/// One version of a key for MACs: the pepper, the fingerprint key, or the key of the rows.
pub struct MacKey {
    version: u32,
    key: SymmetricKey,
    /// The same key with HMAC's two padded blocks already hashed, which halves the work of a MAC.
    prepared: Key,
}

impl MacKey {
    /// A new random key.
    pub fn make(random: &dyn Random, version: u32) -> Result<Self, RandomError> {
        Ok(Self::new(version, SymmetricKey::make(random)?))
    }

    /// The key that was stored as `version`.
    #[must_use]
    pub fn new(version: u32, key: SymmetricKey) -> Self {
        // Exposed to HMAC, which wipes its state when it is dropped.
        let prepared = Key::new(HMAC_SHA256, key.expose());
        Self { version, key, prepared }
    }

    /// Which version of its purpose's key it is.
    #[must_use]
    pub const fn version(&self) -> u32 {
        self.version
    }

    /// The key, to be sealed and stored.
    #[must_use]
    pub const fn key(&self) -> &SymmetricKey {
        &self.key
    }

    /// `HMAC-SHA-256(key, length of the label (1 byte) ‖ label ‖ message)`.
    #[must_use]
    pub fn mac(&self, purpose: MacPurpose, message: &[u8]) -> [u8; MAC_BYTES] {
        let mut context = Context::with_key(&self.prepared);
        context.update(&[purpose.label().len() as u8]);
        context.update(purpose.label());
        context.update(message);
        let mut mac = [0; MAC_BYTES];
        // An HMAC-SHA-256 tag has 32 bytes, so that the two have the same length.
        mac.copy_from_slice(context.sign().as_ref());
        mac
    }

    /// Whether `mac` is that of `message`, compared in constant time. A shortened one is not.
    #[must_use]
    pub fn verify(&self, purpose: MacPurpose, message: &[u8], mac: &[u8]) -> bool {
        verify_slices_are_equal(&self.mac(purpose, message), mac).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::super::vectors::to_hex;
    use super::*;

    const PURPOSES: [MacPurpose; 5] = [
        MacPurpose::Token,
        MacPurpose::RequestFingerprint,
        MacPurpose::PageToken,
        MacPurpose::AnswerEtag,
        MacPurpose::Row,
    ];

    fn key(byte: u8) -> MacKey {
        MacKey::new(1, SymmetricKey::copied_from(&[byte; 32]).unwrap())
    }

    #[test]
    fn is_hmac_sha_256_over_label_and_message() {
        // printf '\x10secrets.v1 tokenabc' | openssl dgst -sha256 -mac hmac -macopt hexkey:0b0b…0b (32 bytes)
        let expected = "125834ae7b4efa01c9d08ffbe16ec4e63d4699deec82e0f9f1a7073a0e492181";
        assert_eq!(to_hex(&key(0x0b).mac(MacPurpose::Token, b"abc")), expected);
    }

    #[test]
    fn differs_by_key_purpose_and_message() {
        let macs = [
            key(1).mac(MacPurpose::Token, b"a"),
            key(2).mac(MacPurpose::Token, b"a"),
            key(1).mac(MacPurpose::Token, b"b"),
            key(1).mac(MacPurpose::RequestFingerprint, b"a"),
            key(1).mac(MacPurpose::PageToken, b"a"),
            key(1).mac(MacPurpose::AnswerEtag, b"a"),
            key(1).mac(MacPurpose::Row, b"a"),
        ];
        for (at, mac) in macs.iter().enumerate() {
            assert!(macs.iter().skip(at + 1).all(|other| other != mac));
        }
    }

    #[test]
    fn verifies_its_own_and_nothing_altered_or_shortened() {
        let key = key(3);
        for purpose in PURPOSES {
            let mac = key.mac(purpose, b"message");
            assert!(key.verify(purpose, b"message", &mac));
            assert!(!key.verify(purpose, b"Message", &mac));
            for length in 0..mac.len() {
                assert!(!key.verify(purpose, b"message", &mac[..length]));
            }
            for bit in 0..mac.len() * 8 {
                let mut altered = mac;
                altered[bit / 8] ^= 1 << (bit % 8);
                assert!(!key.verify(purpose, b"message", &altered));
            }
        }
    }

    #[test]
    fn every_label_fits_its_length_byte() {
        assert!(PURPOSES.iter().all(|purpose| purpose.label().len() < 256));
    }
}
