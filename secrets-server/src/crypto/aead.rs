//! AES-256-GCM (NIST SP 800-38D) through aws-lc-rs, with the nonce as a parameter.
//!
//! A nonce must never meet the same key twice; [`envelope`](super::envelope) sees to that with a key per record.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use zeroize::Zeroizing;

use super::secret_bytes::{SecretBytes, SymmetricKey};

/// The length of a nonce, in bytes.
pub const NONCE_BYTES: usize = 12;
/// The length of the tag that follows the ciphertext, in bytes.
pub const TAG_BYTES: usize = 16;

/// Encrypts `plaintext` and appends ciphertext and tag to `record`.
pub fn seal(
    key: &SymmetricKey,
    nonce: &[u8; NONCE_BYTES],
    associated_data: &[u8],
    plaintext: &[u8],
    record: &mut Vec<u8>,
) -> Result<(), AeadError> {
    let mut ciphertext = vec![0; plaintext.len()];
    let mut tag = [0; TAG_BYTES];
    cipher(key)?
        .seal_out_of_place_scatter(
            Nonce::from(nonce),
            Aad::from(associated_data),
            plaintext,
            &mut ciphertext,
            &[],
            &mut tag,
        )
        .map_err(|_| AeadError)?;
    record.extend_from_slice(&ciphertext);
    record.extend_from_slice(&tag);
    Ok(())
}

/// Decrypts what [`seal`] appended. Wrong key, nonce, associated data, ciphertext and tag are one and the same error.
pub fn open(
    key: &SymmetricKey,
    nonce: &[u8; NONCE_BYTES],
    associated_data: &[u8],
    ciphertext_and_tag: &[u8],
) -> Result<SecretBytes, AeadError> {
    let (ciphertext, tag) = ciphertext_and_tag.split_last_chunk::<TAG_BYTES>().ok_or(AeadError)?;
    // Wiped on failure too: the library does not promise what it leaves in it.
    let mut plaintext = Zeroizing::new(vec![0; ciphertext.len()]);
    cipher(key)?
        .open_separate_gather(Nonce::from(nonce), Aad::from(associated_data), ciphertext, tag, &mut plaintext)
        .map_err(|_| AeadError)?;
    Ok(SecretBytes::from(plaintext))
}

/// Sealing was refused, or what was to be opened is not authentic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("authenticated encryption failed")]
pub struct AeadError;

fn cipher(key: &SymmetricKey) -> Result<LessSafeKey, AeadError> {
    // Exposed to the cipher, which copies the key schedule into memory of its own.
    UnboundKey::new(&AES_256_GCM, key.expose()).map(LessSafeKey::new).map_err(|_| AeadError)
}

#[cfg(test)]
mod tests {
    use super::super::vectors;
    use super::*;

    #[test]
    fn gives_the_answers_of_nist() {
        let vectors = vectors::parse(include_str!("vectors/nist_aes_256_gcm.txt"));
        assert_eq!(vectors.len(), 12);
        for vector in &vectors {
            let key = SymmetricKey::copied_from(&vector.bytes("Key")).unwrap();
            let nonce = vector.bytes("IV").try_into().unwrap();
            let (aad, plaintext) = (vector.bytes("AAD"), vector.bytes("PT"));
            let mut sealed = Vec::new();
            seal(&key, &nonce, &aad, &plaintext, &mut sealed).unwrap();
            assert_eq!(sealed, [vector.bytes("CT"), vector.bytes("Tag")].concat(), "{}", vector.text("Tag"));
            assert_eq!(open(&key, &nonce, &aad, &sealed).unwrap().expose(), plaintext);
        }
    }

    #[test]
    fn refuses_another_key_nonce_and_associated_data() {
        let key = SymmetricKey::copied_from(&[7; 32]).unwrap();
        let mut sealed = Vec::new();
        seal(&key, &[1; 12], b"for you", b"hello", &mut sealed).unwrap();
        assert!(open(&key, &[1; 12], b"for you", &sealed).is_ok());
        let other = SymmetricKey::copied_from(&[8; 32]).unwrap();
        assert!(open(&other, &[1; 12], b"for you", &sealed).is_err());
        assert!(open(&key, &[2; 12], b"for you", &sealed).is_err());
        assert!(open(&key, &[1; 12], b"for me", &sealed).is_err());
    }

    #[test]
    fn refuses_what_is_shorter_than_a_tag() {
        let key = SymmetricKey::copied_from(&[7; 32]).unwrap();
        for length in 0..TAG_BYTES {
            assert!(open(&key, &[1; 12], b"", &vec![0; length]).is_err());
        }
    }
}
