//! The names of secrets.

use std::fmt;

use crate::reserved::reserved_variable;
use crate::text::Shown;

/// The longest name in bytes.
pub(crate) const MAX_BYTES: usize = 127;

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

/// Why a text is no name of a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InvalidSecretId {
    /// It has no characters.
    Empty,
    /// It is longer than 127 bytes.
    TooLong {
        /// Its length in bytes.
        length: usize,
    },
    /// It starts with a digit.
    Digit {
        /// The nearest name that passes.
        suggestion: Option<SecretId>,
    },
    /// It has lower-case letters, and the policy is strict.
    LowerCase {
        /// The offset of the first of them in bytes.
        at: usize,
        /// The nearest name that passes.
        suggestion: Option<SecretId>,
    },
    /// A character is not in the alphabet.
    Character {
        /// The first character that does not pass.
        found: char,
        /// Its offset in bytes.
        at: usize,
        /// The nearest name that passes.
        suggestion: Option<SecretId>,
    },
}

impl SecretId {
    /// Accepts 1–127 bytes of the policy's letters, digits and `_` that do not start with a digit.
    pub fn parse(text: &str, policy: NamePolicy) -> Result<Self, InvalidSecretId> {
        if text.is_empty() {
            return Err(InvalidSecretId::Empty);
        }
        if text.len() > MAX_BYTES {
            return Err(InvalidSecretId::TooLong { length: text.len() });
        }
        // A character that never passes is told before a letter that passes elsewhere.
        if let Some((at, found)) = text.char_indices().find(|(_, c)| !c.is_ascii_alphanumeric() && *c != '_') {
            return Err(InvalidSecretId::Character { found, at, suggestion: suggest(text) });
        }
        if policy == NamePolicy::Strict
            && let Some(at) = text.bytes().position(|b| b.is_ascii_lowercase())
        {
            return Err(InvalidSecretId::LowerCase { at, suggestion: suggest(text) });
        }
        if text.starts_with(|c: char| c.is_ascii_digit()) {
            return Err(InvalidSecretId::Digit { suggestion: suggest(text) });
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

/// The nearest name that passes everywhere, for a text that does not: `linear-api-key` and `linearApiKey` give
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
    if !has_substance || name == text || reserved_variable(&name).is_some() {
        return None;
    }
    SecretId::parse(&name, NamePolicy::Strict).ok()
}

impl InvalidSecretId {
    /// The nearest name that passes, if there is an honest guess.
    pub fn suggestion(&self) -> Option<&SecretId> {
        match self {
            Self::Digit { suggestion } | Self::LowerCase { suggestion, .. } | Self::Character { suggestion, .. } => {
                suggestion.as_ref()
            }
            Self::Empty | Self::TooLong { .. } => None,
        }
    }
}

impl fmt::Display for InvalidSecretId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("name is empty")?,
            Self::TooLong { length } => return write!(f, "name is {length} bytes long; at most {MAX_BYTES} pass"),
            Self::Digit { .. } => f.write_str("name starts with a digit")?,
            // Where there is a suggestion, it shows what to change.
            Self::LowerCase { suggestion: Some(_), .. } => f.write_str("lower case does not pass")?,
            Self::LowerCase { at, suggestion: None } => write!(f, "lower case at byte {at} does not pass")?,
            Self::Character { found, at, .. } => write!(f, "{} at byte {at} does not pass", Shown(*found))?,
        }
        match self.suggestion() {
            Some(name) => write!(f, "; `{name}` would"),
            None => f.write_str("; 1 to 127 of `A-Z`, `0-9` and `_` pass, not starting with a digit"),
        }
    }
}

impl std::error::Error for InvalidSecretId {}

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
        for (text, message) in [
            ("", "name is empty; 1 to 127 of `A-Z`, `0-9` and `_` pass, not starting with a digit"),
            (&*"A".repeat(128), "name is 128 bytes long; at most 127 pass"),
            ("npm_token", "lower case does not pass; `NPM_TOKEN` would"),
            ("NPM_Token", "lower case does not pass; `NPM_TOKEN` would"),
            ("linear-api-key", "`-` at byte 6 does not pass; `LINEAR_API_KEY` would"),
            ("1PASSWORD", "name starts with a digit; `_1PASSWORD` would"),
            ("A B", "a space at byte 1 does not pass; `A_B` would"),
            (
                "A\0B",
                "U+0000 at byte 1 does not pass; 1 to 127 of `A-Z`, `0-9` and `_` pass, not starting with a digit",
            ),
            (
                "P\u{0410}TH", // CYRILLIC CAPITAL LETTER A
                "U+0410 at byte 1 does not pass; 1 to 127 of `A-Z`, `0-9` and `_` pass, not starting with a digit",
            ),
            ("A%20B", "`%` at byte 1 does not pass; 1 to 127 of `A-Z`, `0-9` and `_` pass, not starting with a digit"),
            ("../A", "`.` at byte 0 does not pass; 1 to 127 of `A-Z`, `0-9` and `_` pass, not starting with a digit"),
            (
                "path",
                "lower case at byte 0 does not pass; 1 to 127 of `A-Z`, `0-9` and `_` pass, not starting with a digit",
            ),
        ] {
            assert_eq!(strict(text).unwrap_err().to_string(), message, "{text:?}");
        }
    }

    #[test]
    fn accepts_lower_case_only_where_the_policy_is_relaxed() {
        assert!(strict("Token").is_err());
        assert_eq!(SecretId::parse("Token", NamePolicy::Relaxed).unwrap().as_str(), "Token");
        for text in ["", "a-b", "1a", "\u{212A}EY"] {
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
        fn suggests_only_what_passes(text in "\\PC{0,140}") {
            if let Some(name) = suggest(&text) {
                prop_assert!(strict(name.as_str()).is_ok());
                prop_assert!(reserved_variable(name.as_str()).is_none());
                prop_assert_ne!(name.as_str(), text);
            }
        }
    }
}
