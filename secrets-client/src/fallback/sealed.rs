//! The file's bytes: `magic 17 ‖ sealed at 8 ‖ key id 16 ‖ binding 32 ‖ nonce 12 ‖ ciphertext ‖ tag 16`.
//!
//! AES-256-GCM under the caller's key, with a random nonce; everything before the nonce is authenticated with it. The time is
//! in seconds since the Unix epoch, big-endian. The key id, of a hash over the key, only distinguishes a wrong key from an altered
//! file. The binding is a hash of what the set is for; the token in it is far too long to be guessed.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::digest::{Context, SHA256};
use zeroize::Zeroizing;

use super::key::FallbackKey;

const MAGIC: &[u8; 17] = b"secrets-fallback\x01";
const KEY_ID_BYTES: usize = 16;
const BINDING_BYTES: usize = 32;
const HEADER_BYTES: usize = MAGIC.len() + 8 + KEY_ID_BYTES + BINDING_BYTES;
/// What sealing appends.
pub(super) const TAG_BYTES: usize = 16;

/// What a set is for: a hash, from which nothing can be read.
pub struct FallbackBinding([u8; BINDING_BYTES]);

/// Why a file does not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OpenError {
    /// It is something else.
    NotAFallback,
    /// It was sealed under another key.
    OtherKey,
    /// It was sealed for something else.
    OtherBinding,
    /// It is not as it was written.
    Altered,
}

impl FallbackBinding {
    /// Binds a set to `parts`, above all the endpoint, the credential and the context, and to the names that were asked for.
    pub fn new(parts: &[&str], names: &[&str]) -> Self {
        let mut binding = hash(b"secrets fallback binding");
        for list in [parts, names] {
            binding.update(&(list.len() as u64).to_be_bytes());
            for part in list {
                binding.update(&(part.len() as u64).to_be_bytes());
                binding.update(part.as_bytes());
            }
        }
        let mut bytes = [0; BINDING_BYTES];
        bytes.iter_mut().zip(binding.finish().as_ref()).for_each(|(byte, hashed)| *byte = *hashed);
        Self(bytes)
    }
}

/// Seals `plain`, and leaves nothing of it there; none if the cipher or its randomness fails.
pub(super) fn seal(
    key: &FallbackKey,
    binding: &FallbackBinding,
    now: i64,
    plain: &mut Zeroizing<Vec<u8>>,
) -> Option<Vec<u8>> {
    let mut nonce = [0; NONCE_LEN];
    aws_lc_rs::rand::fill(&mut nonce).ok()?;
    let header = header(key, binding, now);
    cipher(key)?
        .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(&header), &mut **plain)
        .ok()?;
    Some([&header, &nonce[..], plain.as_slice()].concat())
}

/// When it was sealed, and what.
pub(super) fn open(
    key: &FallbackKey,
    binding: &FallbackBinding,
    bytes: Vec<u8>,
) -> Result<(i64, Zeroizing<Vec<u8>>), OpenError> {
    let mut bytes = Zeroizing::new(bytes);
    let (found, rest) = bytes.split_at_mut_checked(HEADER_BYTES).ok_or(OpenError::NotAFallback)?;
    let time = found.strip_prefix(MAGIC).and_then(|fields| fields.first_chunk()).ok_or(OpenError::NotAFallback)?;
    let time = i64::from_be_bytes(*time);
    let expected = header(key, binding, time);
    if found != expected {
        let until_identity = HEADER_BYTES - BINDING_BYTES;
        let same_key = found.get(..until_identity) == expected.get(..until_identity);
        return Err(if same_key { OpenError::OtherBinding } else { OpenError::OtherKey });
    }
    let (nonce, sealed) = rest.split_at_mut_checked(NONCE_LEN).ok_or(OpenError::Altered)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| OpenError::Altered)?;
    let cipher = cipher(key).ok_or(OpenError::Altered)?;
    let plain = cipher.open_in_place(nonce, Aad::from(&expected), sealed).map_err(|_| OpenError::Altered)?;
    Ok((time, Zeroizing::new(plain.to_vec())))
}

fn header(key: &FallbackKey, binding: &FallbackBinding, time: i64) -> Vec<u8> {
    let mut id = hash(b"secrets fallback key");
    id.update(key.expose());
    let id = id.finish();
    let id = id.as_ref().get(..KEY_ID_BYTES).unwrap_or_default();
    [MAGIC.as_slice(), &time.to_be_bytes(), id, &binding.0].concat()
}

fn cipher(key: &FallbackKey) -> Option<LessSafeKey> {
    UnboundKey::new(&AES_256_GCM, key.expose()).ok().map(LessSafeKey::new)
}

fn hash(domain: &[u8]) -> Context {
    let mut context = Context::new(&SHA256);
    context.update(&(domain.len() as u64).to_be_bytes());
    context.update(domain);
    context
}

#[cfg(test)]
mod tests {
    use super::*;

    fn binding(parts: &[&str]) -> FallbackBinding {
        FallbackBinding::new(parts, &[])
    }

    #[test]
    fn refuses_every_alteration() {
        let key = FallbackKey::from_bytes([7; 32]);
        let for_whom = binding(&["http://e", "token", "acme", "api", ""]);
        let sealed = seal(&key, &for_whom, 5, &mut Zeroizing::new(b"the set".to_vec())).unwrap();
        let (time, plain) = open(&key, &for_whom, sealed.clone()).unwrap();
        assert_eq!((time, plain.as_slice()), (5, &b"the set"[..]));
        for at in 0..sealed.len() {
            for bit in 0..8 {
                let mut altered = sealed.clone();
                altered[at] ^= 1 << bit;
                assert!(open(&key, &for_whom, altered).is_err(), "bit {bit} of byte {at}");
            }
            assert!(open(&key, &for_whom, sealed[..at].to_vec()).is_err(), "cut at {at}");
        }
        assert!(open(&key, &for_whom, [sealed.as_slice(), b"x"].concat()).is_err());
    }

    #[test]
    fn opens_for_nobody_else() {
        let key = FallbackKey::from_bytes([7; 32]);
        let for_whom = |parts: &[&str], names: &[&str]| FallbackBinding::new(parts, names);
        let sealed = seal(&key, &for_whom(&["ab", "c"], &["A"]), 5, &mut Zeroizing::new(b"x".to_vec())).unwrap();
        for (parts, names) in [
            (vec!["a", "bc"], vec!["A"]),
            (vec!["ab", "c"], vec![]),
            (vec!["ab"], vec!["c", "A"]),
            (vec!["ab", "c", "A"], vec![]),
        ] {
            let other = for_whom(&parts, &names);
            assert_eq!(open(&key, &other, sealed.clone()).err(), Some(OpenError::OtherBinding), "{parts:?} {names:?}");
        }
        let other = open(&FallbackKey::from_bytes([8; 32]), &for_whom(&["ab", "c"], &["A"]), sealed);
        assert_eq!(other.err(), Some(OpenError::OtherKey));
    }

    #[test]
    fn the_same_set_is_never_sealed_the_same() {
        let key = FallbackKey::from_bytes([7; 32]);
        let once = || seal(&key, &binding(&[]), 5, &mut Zeroizing::new(b"x".to_vec())).unwrap();
        assert_ne!(once(), once());
    }
}
