//! Bytes that are wiped when dropped and can't be printed, compared or copied by accident.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use zeroize::Zeroizing;

use super::random::{Random, RandomError};

/// A plaintext of any length.
///
/// Without `Debug`, `Display`, `Serialize`, `Clone` and `PartialEq`: a value that reaches a log or a timing-dependent
/// comparison does not compile.
pub struct SecretBytes(Zeroizing<Vec<u8>>);

impl SecretBytes {
    /// The plaintext itself. Say, where this is called, why it has to leave.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// How many bytes there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether they are the same bytes, in a time that tells of them their length alone.
    #[must_use]
    pub fn is_same_as(&self, other: &Self) -> bool {
        self.has_bytes(&other.0)
    }

    /// Whether they are these bytes, in such a time.
    #[must_use]
    pub fn has_bytes(&self, other: &[u8]) -> bool {
        verify_slices_are_equal(&self.0, other).is_ok()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Takes the buffer over, without a copy that would stay behind.
impl From<Vec<u8>> for SecretBytes {
    fn from(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }
}

impl From<Zeroizing<Vec<u8>>> for SecretBytes {
    fn from(bytes: Zeroizing<Vec<u8>>) -> Self {
        Self(bytes)
    }
}

/// The length of every symmetric key here, in bytes.
pub const KEY_BYTES: usize = 32;

/// A symmetric key of 32 bytes: root key, root seed, data key, system key, or one derived for a single record.
///
/// Boxed, since moving an array would leave copies on the stack that nobody wipes.
pub struct SymmetricKey(Box<Zeroizing<[u8; KEY_BYTES]>>);

impl SymmetricKey {
    /// A new random key.
    pub fn make(random: &dyn Random) -> Result<Self, RandomError> {
        let mut key = Self::zeroed();
        random.fill(key.bytes_mut())?;
        Ok(key)
    }

    /// Copies a key out of `bytes`, or `None` unless there are exactly 32 of them.
    #[must_use]
    pub fn copied_from(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; KEY_BYTES] = bytes.try_into().ok()?;
        let mut key = Self::zeroed();
        key.bytes_mut().copy_from_slice(bytes);
        Some(key)
    }

    /// The key itself. Say, where this is called, why it has to leave.
    #[must_use]
    pub fn expose(&self) -> &[u8; KEY_BYTES] {
        &self.0
    }

    /// Thirty-two zeros, to be filled in place by the caller.
    pub(crate) fn zeroed() -> Self {
        Self(Box::new(Zeroizing::new([0; KEY_BYTES])))
    }

    /// Where the key is filled in.
    pub(crate) fn bytes_mut(&mut self) -> &mut [u8; KEY_BYTES] {
        &mut self.0
    }
}

#[cfg(test)]
mod tests {
    use super::super::random::{BrokenRandom, CountingRandom, SystemRandom};
    use super::*;

    #[test]
    fn a_key_is_made_of_32_random_bytes() {
        let counted = SymmetricKey::make(&CountingRandom::default()).unwrap();
        let expected: Vec<u8> = (0..32).collect();
        assert_eq!(counted.expose().as_slice(), expected);
        let (first, second) = (SymmetricKey::make(&SystemRandom).unwrap(), SymmetricKey::make(&SystemRandom).unwrap());
        assert_ne!(first.expose(), second.expose());
    }

    #[test]
    fn no_key_is_made_from_a_broken_source() {
        assert!(SymmetricKey::make(&BrokenRandom).is_err());
    }

    #[test]
    fn only_32_bytes_make_a_key() {
        for length in (0..100).filter(|length| *length != 32) {
            assert!(SymmetricKey::copied_from(&vec![1; length]).is_none(), "{length}");
        }
        assert_eq!(SymmetricKey::copied_from(&[1; 32]).unwrap().expose(), &[1; 32]);
    }

    #[test]
    fn a_plaintext_is_what_was_put_in() {
        let secret = SecretBytes::from(b"tea".to_vec());
        assert_eq!((secret.expose(), secret.len(), secret.is_empty()), (b"tea".as_slice(), 3, false));
        assert!(SecretBytes::from(Vec::new()).is_empty());
    }
}
