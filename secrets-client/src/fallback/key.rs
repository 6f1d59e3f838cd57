//! The key of a fallback: the caller's own.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use zeroize::Zeroizing;

const KEY_BYTES: usize = 32;
/// How much of a key file is read: more than the digits of a key, and white space around them.
const MAX_FILE_BYTES: u64 = 256;

/// The key of a fallback. It is wiped when it is dropped, and has no `Debug`.
pub struct FallbackKey(Zeroizing<[u8; KEY_BYTES]>);

/// Why a file does not hold a valid key. Never holds what is in it.
#[derive(Debug, thiserror::Error)]
pub enum InvalidFallbackKey {
    /// The file can't be read.
    #[error(transparent)]
    File(#[from] io::Error),
    /// Everybody may read the file.
    #[error("everybody may read it")]
    Exposed,
    /// The content is something else.
    #[error("must be 32 bytes or 64 hexadecimal digits")]
    Malformed,
}

impl FallbackKey {
    /// Reads 32 bytes, or 64 hexadecimal digits, from a file that not everybody may read.
    pub fn from_file(path: &Path) -> Result<Self, InvalidFallbackKey> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(256));
        let file = File::open(path)?;
        if file.metadata()?.permissions().mode() & 0o007 != 0 {
            return Err(InvalidFallbackKey::Exposed);
        }
        file.take(MAX_FILE_BYTES).read_to_end(&mut bytes)?;
        match <[u8; KEY_BYTES]>::try_from(bytes.as_slice()) {
            Ok(key) => Some(Zeroizing::new(key)),
            Err(_) => hexadecimal(bytes.trim_ascii()),
        }
        .map(Self)
        .ok_or(InvalidFallbackKey::Malformed)
    }

    /// Returns the key, for the cipher alone.
    pub(super) fn expose(&self) -> &[u8; KEY_BYTES] {
        &self.0
    }

    #[cfg(test)]
    pub(super) fn from_bytes(bytes: [u8; KEY_BYTES]) -> Self {
        Self(Zeroizing::new(bytes))
    }
}

fn hexadecimal(text: &[u8]) -> Option<Zeroizing<[u8; KEY_BYTES]>> {
    let mut key = Zeroizing::new([0; KEY_BYTES]);
    if text.len() != 2 * KEY_BYTES {
        return None;
    }
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    for (byte, digits) in key.iter_mut().zip(text.chunks_exact(2)) {
        let [high, low] = digits else { return None };
        *byte = digit(*high)? << 4 | digit(*low)?;
    }
    Some(key)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn is_32_bytes_or_64_digits_for_its_owner_alone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("key");
        let read = |bytes: &[u8], mode| {
            fs::write(&path, bytes).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            FallbackKey::from_file(&path)
        };
        let digits = "00ff".repeat(16);
        let expected: Vec<u8> = [0, 255].repeat(16);
        for bytes in [digits.clone().into_bytes(), format!("{digits}\n").into_bytes(), expected.clone()] {
            assert_eq!(read(&bytes, 0o640).ok().unwrap().expose().as_slice(), expected);
        }
        for bytes in [&b""[..], b"short", &digits.as_bytes()[1..], "zz".repeat(32).as_bytes(), &[7; 33]] {
            assert!(matches!(read(bytes, 0o600), Err(InvalidFallbackKey::Malformed)));
        }
        assert!(matches!(read(&expected, 0o604), Err(InvalidFallbackKey::Exposed)));
        assert!(matches!(FallbackKey::from_file(&directory.path().join("none")), Err(InvalidFallbackKey::File(_))));
    }
}
