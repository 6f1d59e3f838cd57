//! The names of secrets.

use std::fmt;

use crate::text::Shown;
use crate::{CredentialKind, reserved};

/// The length of the longest name, in bytes.
pub(crate) const MAX_BYTES: usize = 127;

const EXPECTED: &str = "1 to 127 characters of `A-Z`, `0-9` and `_`, not starting with a digit";

/// The name of a secret within its scope, for instance `LINEAR_API_KEY`. It never changes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SecretId(Box<str>);

/// Which alphabet an organization allows in the names of its secrets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum NamePolicy {
    /// `[A-Z_][A-Z0-9_]{0,126}`.
    #[default]
    Strict,
    /// `[A-Za-z_][A-Za-z0-9_]{0,126}`.
    Relaxed,
}

crate::wire_enum::wire_enum!(NamePolicy, "name policy", { Strict => "STRICT", Relaxed => "RELAXED" });

/// Why a text is not a valid name of a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSecretId {
    /// It has no characters.
    #[error("names must not be empty; expected {EXPECTED}")]
    Empty,
    /// It is longer than 127 bytes.
    #[error("names must be at most {MAX_BYTES} bytes (got {length})")]
    TooLong {
        /// Its length in bytes.
        length: usize,
    },
    /// It starts with a digit.
    #[error("names must not start with a digit{}", Hint(suggestion.as_ref()))]
    Digit {
        /// The nearest valid name, where there is an honest guess.
        suggestion: Option<SecretId>,
    },
    /// It has lower-case letters, and the policy is strict.
    #[error("names must be upper case{}", Hint(suggestion.as_ref()))]
    LowerCase {
        /// The offset of the first of them in bytes.
        at: usize,
        /// The nearest valid name, where there is an honest guess.
        suggestion: Option<SecretId>,
    },
    /// It begins as a credential does: somebody pasted one.
    #[error("names must not begin as a token does; was one pasted?")]
    Credential,
    /// A character is not in the alphabet.
    #[error("invalid {}{}", Invalid { found: *found, at: *at, name: name.as_deref() }, Hint(suggestion.as_ref()))]
    Character {
        /// The text, unless a part of it could hide something from its reader.
        name: Option<Box<str>>,
        /// The first invalid character.
        found: char,
        /// Its offset in bytes.
        at: usize,
        /// The nearest valid name, where there is an honest guess.
        suggestion: Option<SecretId>,
    },
}

impl SecretId {
    /// Accepts 1–127 bytes of the policy's letters, digits and `_` that do not start with a digit, nor
    /// as a token does.
    pub fn parse(text: &str, policy: NamePolicy) -> Result<Self, InvalidSecretId> {
        if text.is_empty() {
            return Err(InvalidSecretId::Empty);
        }
        if text.len() > MAX_BYTES {
            return Err(InvalidSecretId::TooLong { length: text.len() });
        }
        // A character that no policy allows comes before a letter that another policy allows.
        if let Some((at, found)) = text.char_indices().find(|(_, c)| !c.is_ascii_alphanumeric() && *c != '_') {
            let name = looks_like_name(text).then(|| text.into());
            return Err(InvalidSecretId::Character { name, found, at, suggestion: suggest(text) });
        }
        if policy == NamePolicy::Strict
            && let Some(at) = text.bytes().position(|b| b.is_ascii_lowercase())
        {
            return Err(InvalidSecretId::LowerCase { at, suggestion: suggest(text) });
        }
        if text.starts_with(|c: char| c.is_ascii_digit()) {
            return Err(InvalidSecretId::Digit { suggestion: suggest(text) });
        }
        if CredentialKind::from_prefix(text).is_some() {
            return Err(InvalidSecretId::Credential);
        }
        Ok(Self(text.into()))
    }

    /// The name as it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SecretId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The nearest name that every policy allows, for a text that is not one: `linear-api-key` and `linearApiKey` give
/// `LINEAR_API_KEY`.
///
/// Nothing for a text with characters beyond letters, digits, `_`, `-`, `.` and space, since a guess might merge a
/// look-alike with a real name; nothing where the result would be reserved, too long, or the text itself.
pub fn suggest(text: &str) -> Option<SecretId> {
    if text.len() > MAX_BYTES {
        return None;
    }
    let mut name = String::with_capacity(text.len() + 4);
    let mut after_lower = false;
    for c in text.chars() {
        match c {
            'A'..='Z' if after_lower => name.extend(['_', c]),
            'a'..='z' | 'A'..='Z' | '_' => name.push(c.to_ascii_uppercase()),
            '0'..='9' if name.is_empty() => name.extend(['_', c]),
            '0'..='9' => name.push(c),
            '-' | '.' | ' ' => name.push('_'),
            _ => return None,
        }
        after_lower = c.is_ascii_lowercase();
    }
    let has_substance = name.bytes().any(|b| b.is_ascii_alphanumeric());
    if !has_substance || name == text || reserved::environment(&name).is_some() {
        return None;
    }
    SecretId::parse(&name, NamePolicy::Strict).ok()
}

impl InvalidSecretId {
    /// The nearest valid name, where there is an honest guess.
    pub fn suggestion(&self) -> Option<&SecretId> {
        match self {
            Self::Digit { suggestion } | Self::LowerCase { suggestion, .. } | Self::Character { suggestion, .. } => {
                suggestion.as_ref()
            }
            Self::Empty | Self::TooLong { .. } | Self::Credential => None,
        }
    }
}

/// Whether `text` can only be meant as a name, however wrong: letters, digits, `_`, `-` and `.`.
pub(crate) fn looks_like_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'))
}

/// An invalid character, in the name in which it is or at its offset.
struct Invalid<'a> {
    found: char,
    at: usize,
    name: Option<&'a str>,
}

impl fmt::Display for Invalid<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let found = Shown(self.found);
        match self.name {
            Some(name) => write!(f, "{found} in `{name}`"),
            None => write!(f, "{found} at byte {}", self.at),
        }
    }
}

/// The suggestion, or without one the rule.
struct Hint<'a>(Option<&'a SecretId>);

impl fmt::Display for Hint<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(name) => write!(f, "; did you mean `{name}`?"),
            None => write!(f, "; expected {EXPECTED}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn strict(text: &str) -> Result<SecretId, InvalidSecretId> {
        SecretId::parse(text, NamePolicy::Strict)
    }

    #[test]
    fn accepts_names() {
        let longest = "A".repeat(127);
        for text in ["A", "_", "__", "_1", "LINEAR_API_KEY", "A1", "PATH", &longest] {
            assert_eq!(strict(text).unwrap().as_str(), text);
        }
    }

    #[test]
    fn refuses_what_is_no_name() {
        let expected = |problem: &str| format!("{problem}; expected {EXPECTED}");
        for (text, message) in [
            ("", expected("names must not be empty")),
            (&*"A".repeat(128), "names must be at most 127 bytes (got 128)".to_owned()),
            ("npm_token", "names must be upper case; did you mean `NPM_TOKEN`?".to_owned()),
            ("NPM_Token", "names must be upper case; did you mean `NPM_TOKEN`?".to_owned()),
            ("linear-api-key", "invalid character `-` in `linear-api-key`; did you mean `LINEAR_API_KEY`?".to_owned()),
            ("1PASSWORD", "names must not start with a digit; did you mean `_1PASSWORD`?".to_owned()),
            ("A B", "invalid space at byte 1; did you mean `A_B`?".to_owned()),
            ("A\0B", expected("invalid character U+0000 at byte 1")),
            ("P\u{0410}TH", expected("invalid character U+0410 at byte 1")), // CYRILLIC CAPITAL LETTER A
            ("A%20B", expected("invalid character `%` at byte 1")),
            ("../A", expected("invalid character `.` at byte 0")),
            ("path", expected("names must be upper case")),
        ] {
            assert_eq!(strict(text).unwrap_err().to_string(), message, "{text:?}");
        }
    }

    #[test]
    fn accepts_lower_case_only_where_the_policy_is_relaxed() {
        assert!(strict("Token").is_err());
        assert_eq!(SecretId::parse("Token", NamePolicy::Relaxed).unwrap().as_str(), "Token");
        for text in ["", "a-b", "1a", "\u{212A}EY", "sses_0aZ"] {
            assert!(SecretId::parse(text, NamePolicy::Relaxed).is_err(), "{text:?}");
        }
    }

    #[test]
    fn suggests_the_nearest_name() {
        for (text, name) in [
            ("linear-api-key", Some("LINEAR_API_KEY")),
            ("linearApiKey", Some("LINEAR_API_KEY")),
            ("npm_token", Some("NPM_TOKEN")),
            ("my.app key", Some("MY_APP_KEY")),
            ("2fa", Some("_2FA")),
            ("LINEAR_API_KEY", None),
            ("", None),
            ("---", None),
            ("ld_preload", None),
            ("na\u{00EF}ve", None),
            ("a=b", None),
        ] {
            assert_eq!(suggest(text).as_ref().map(SecretId::as_str), name, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn parses_exactly_the_documented_pattern(text in "[A-Za-z0-9_.%/ é-]{0,6}") {
            let documented = |lower: bool| {
                let letter = |c: char| c.is_ascii_uppercase() || c == '_' || (lower && c.is_ascii_lowercase());
                text.starts_with(letter) && text.chars().all(|c| letter(c) || c.is_ascii_digit())
            };
            prop_assert_eq!(SecretId::parse(&text, NamePolicy::Strict).is_ok(), documented(false));
            prop_assert_eq!(SecretId::parse(&text, NamePolicy::Relaxed).is_ok(), documented(true));
        }

        #[test]
        fn displays_what_it_parsed(text in "[A-Z_][A-Z0-9_]{0,126}") {
            prop_assert_eq!(strict(&text).unwrap().to_string(), text);
        }

        #[test]
        fn suggests_only_valid_names(text in "\\PC{0,140}") {
            if let Some(name) = suggest(&text) {
                prop_assert!(strict(name.as_str()).is_ok());
                prop_assert!(reserved::environment(name.as_str()).is_none());
                prop_assert_ne!(name.as_str(), text);
            }
        }
    }
}
