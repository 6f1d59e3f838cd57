//! The key of a fallback: the caller's own.

use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use zeroize::Zeroizing;

use crate::ui::error::{CliError, ExitCode};

pub(super) const KEY_BYTES: usize = 32;

/// Wiped when it is dropped, and without a `Debug`.
pub(super) struct Key(Zeroizing<[u8; KEY_BYTES]>);

impl Key {
    /// Reads 32 bytes, or 64 hexadecimal digits. Refuses a file that everybody may read.
    pub(super) fn read(path: &Path) -> Result<Self, CliError> {
        let fails = |why: &str| CliError::new(ExitCode::Failed, format!("fallback key `{}`: {why}", path.display()));
        let mut bytes = Zeroizing::new(Vec::with_capacity(256));
        let mode = std::fs::File::open(path)
            .and_then(|mut file| {
                file.by_ref().take(256).read_to_end(&mut bytes)?;
                file.metadata()
            })
            .map_err(|error| fails(&error.to_string()))?
            .permissions()
            .mode();
        if mode & 0o007 != 0 {
            return Err(fails("everybody may read it").hint(format!("chmod 600 {}", path.display())));
        }
        let key = match <[u8; KEY_BYTES]>::try_from(bytes.as_slice()) {
            Ok(key) => Some(Zeroizing::new(key)),
            Err(_) => hexadecimal(bytes.trim_ascii()),
        };
        key.map(Self).ok_or_else(|| {
            fails("32 bytes or 64 hexadecimal digits pass").hint(format!("openssl rand -hex 32 > {}", path.display()))
        })
    }

    /// Exposed to the cipher alone.
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
            Key::read(&path)
        };
        let digits = "00ff".repeat(16);
        let expected: Vec<u8> = [0, 255].repeat(16);
        for bytes in [digits.clone().into_bytes(), format!("{digits}\n").into_bytes(), expected.clone()] {
            assert_eq!(read(&bytes, 0o640).ok().unwrap().expose().as_slice(), expected);
        }
        for bytes in [&b""[..], b"short", &digits.as_bytes()[1..], "zz".repeat(32).as_bytes(), &[7; 33]] {
            assert!(read(bytes, 0o600).err().unwrap().message().contains("64 hexadecimal digits"));
        }
        assert!(read(&expected, 0o604).err().unwrap().message().contains("everybody"));
        assert!(Key::read(&directory.path().join("none")).is_err());
    }
}
