//! The token that a client sends, and where it is read from.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret as _, SecretString};
use secrets_core::CredentialKind;
use tonic::metadata::{Ascii, MetadataValue};
use zeroize::Zeroizing;

/// The length of the longest credential, in bytes: enough for a JWT, and below the service's limit for headers.
const MAX_CREDENTIAL_BYTES: usize = 6 * 1024;

/// A bearer token.
#[derive(Clone)]
pub struct Credential(SecretString);

/// Why a text or file is not a valid credential. Never holds the text.
#[derive(Debug, thiserror::Error)]
pub enum InvalidCredential {
    /// There is nothing but white space.
    #[error("the token is empty")]
    Empty,
    /// It is longer than every credential.
    #[error("the token must be at most {MAX_CREDENTIAL_BYTES} bytes")]
    TooLong,
    /// It holds a space, a control character or one outside ASCII, which no token does.
    #[error("invalid character in the token; was something else pasted?")]
    Character,
    /// The file can't be read.
    #[error("token file `{}`: {error}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why it can't be read.
        error: std::io::Error,
    },
}

impl Credential {
    /// Parses a token; white space around it is ignored.
    pub fn parse(text: &str) -> Result<Self, InvalidCredential> {
        let text = text.trim();
        if text.is_empty() {
            Err(InvalidCredential::Empty)
        } else if text.len() > MAX_CREDENTIAL_BYTES {
            Err(InvalidCredential::TooLong)
        } else if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            Err(InvalidCredential::Character)
        } else {
            Ok(Self(text.into()))
        }
    }

    /// Reads a token from a file that holds nothing else.
    pub fn from_file(path: &Path) -> Result<Self, InvalidCredential> {
        let text =
            std::fs::read_to_string(path).map_err(|error| InvalidCredential::File { path: path.to_owned(), error })?;
        Self::parse(&Zeroizing::new(text))
    }

    /// Returns its kind by its prefix; none if it has no prefix of the service, as a JWT.
    pub fn kind(&self) -> Option<CredentialKind> {
        CredentialKind::from_prefix(self.0.expose_secret())
    }

    /// Returns the token itself: to send it, or to store it where only its owner can read it.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// Returns the `authorization` header, marked so that no layer prints it or keeps it in a compression table.
    pub(crate) fn header(&self) -> Result<MetadataValue<Ascii>, InvalidCredential> {
        let text = Zeroizing::new(format!("Bearer {}", self.expose()));
        let mut value = MetadataValue::try_from(text.as_str()).map_err(|_| InvalidCredential::Character)?;
        value.set_sensitive(true);
        Ok(value)
    }
}

/// Whether everybody on this machine may read a file.
pub fn is_world_readable(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|file| file.permissions().mode() & 0o004 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ignores_white_space_around_a_token() {
        assert_eq!(Credential::parse(" sper_abc\r\n").unwrap().expose(), "sper_abc");
    }

    #[test]
    fn refuses_what_is_not_a_token() {
        let long = "x".repeat(MAX_CREDENTIAL_BYTES + 1);
        for text in ["", " \n", "two words", "tok\u{7}en", "t\u{f6}ken", &long] {
            assert!(Credential::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn knows_kinds_by_their_prefixes() {
        for (text, kind) in [("ssvc_x", Some(CredentialKind::ServiceAccount)), ("eyJhbGciOi.x", None)] {
            assert_eq!(Credential::parse(text).unwrap().kind(), kind);
        }
    }

    #[test]
    fn marks_its_header_sensitive() {
        let header = Credential::parse("sper_abc").unwrap().header().unwrap();
        assert!(header.is_sensitive() && !format!("{header:?}").contains("abc"));
    }
}
