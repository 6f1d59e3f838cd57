//! Which values can be delivered to a target, and about which a warning is due.
//!
//! Nothing here hands out any part of a value: errors and warnings say what is wrong, not where.

use std::fmt;

use crate::redact::{MIN_MASKED_BYTES, is_common_word};
use crate::target::Target;
use crate::text::is_invisible;

/// What stands in a secret's value's place wherever a person looks at it: the same for every value, so that it tells
/// neither length nor beginning nor end.
pub const MASK: &str = "••••••••";

/// Why a value can't be delivered to its target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidValue {
    /// It has no bytes.
    #[error("value must not be empty")]
    Empty,
    /// It is longer than the limit.
    #[error("value must be at most {limit} bytes (got {length})")]
    TooLarge {
        /// Its length in bytes.
        length: u64,
        /// The most bytes allowed.
        limit: u64,
    },
    /// An environment variable takes only UTF-8.
    #[error(
        "value of an environment variable must be UTF-8; for other bytes, choose a file, registry or API-only target"
    )]
    NotUtf8,
    /// A NUL byte would end an environment variable early.
    #[error(
        "value of an environment variable must not contain NUL bytes; for other bytes, choose a file, registry or API-only target"
    )]
    Nul,
}

/// What whoever writes a value should know about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ValueWarning {
    /// It ends in a newline, which most programs take as part of a token. Not given for files.
    TrailingNewline,
    /// It has a character that can't be seen, or a space at an end. Not given for files.
    InvisibleCharacter,
    /// It is a PEM or multi-line value in an environment variable; a file would be the better target.
    KeyMaterialInEnv,
    /// It is a common word or very short: masking it would mask ordinary output, so that it is masked everywhere or
    /// nowhere. Without meaning for secrets whose redaction is off.
    CommonWord,
}

/// Whether `value`, of at most `limit` bytes, can be delivered to `target`.
pub fn check_value(target: &Target, value: &[u8], limit: u64) -> Result<(), InvalidValue> {
    let length = value.len() as u64;
    if length == 0 {
        return Err(InvalidValue::Empty);
    }
    if length > limit {
        return Err(InvalidValue::TooLarge { length, limit });
    }
    if *target == Target::EnvironmentVariable {
        if value.contains(&0) {
            return Err(InvalidValue::Nul);
        }
        if std::str::from_utf8(value).is_err() {
            return Err(InvalidValue::NotUtf8);
        }
    }
    Ok(())
}

/// The warnings for whoever writes `value` for `target`, each at most once, in the order of [`ValueWarning`].
pub fn value_warnings(target: &Target, value: &[u8]) -> Vec<ValueWarning> {
    let is_file = matches!(target, Target::File { .. });
    let text = std::str::from_utf8(value).ok();
    let body = value.strip_suffix(b"\n").map_or(value, |body| body.strip_suffix(b"\r").unwrap_or(body));
    [
        (!is_file && value.ends_with(b"\n"), ValueWarning::TrailingNewline),
        (!is_file && text.is_some_and(hides_something), ValueWarning::InvisibleCharacter),
        (*target == Target::EnvironmentVariable && is_key_material(body), ValueWarning::KeyMaterialInEnv),
        (value.len() < MIN_MASKED_BYTES || text.is_some_and(is_common_word), ValueWarning::CommonWord),
    ]
    .into_iter()
    .filter_map(|(applies, warning)| applies.then_some(warning))
    .collect()
}

fn hides_something(text: &str) -> bool {
    let text = text.trim_end_matches(['\r', '\n']);
    text.starts_with(' ') || text.ends_with(' ') || {
        let mut characters = text.chars().peekable();
        std::iter::from_fn(|| characters.next().map(|c| (c, characters.peek().copied()))).any(|pair| match pair {
            ('\n' | '\t', _) | ('\r', Some('\n')) => false,
            (c, _) => is_invisible(c),
        })
    }
}

fn is_key_material(value: &[u8]) -> bool {
    value.contains(&b'\n') || value.windows(11).any(|window| window == b"-----BEGIN ")
}

impl fmt::Display for ValueWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TrailingNewline => "the value ends in a newline, which most programs read as part of it",
            Self::InvisibleCharacter => "the value contains an invisible character, or starts or ends with a space",
            Self::KeyMaterialInEnv => {
                "the value is PEM or has several lines; consider a file target instead of an environment variable"
            }
            Self::CommonWord => "the value is a common word or very short; masking it would also mask ordinary output",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all_targets() -> [Target; 4] {
        [
            Target::EnvironmentVariable,
            Target::File { path: "/run/secrets/x".parse().unwrap(), mode: Default::default() },
            Target::Registry { host: "ghcr.io".parse().unwrap(), username: "bob".parse().unwrap() },
            Target::ApiOnly,
        ]
    }

    #[test]
    fn bounds_values_for_every_target() {
        for target in all_targets() {
            assert_eq!(check_value(&target, b"", 65_536), Err(InvalidValue::Empty));
            assert_eq!(check_value(&target, b"x", 65_536), Ok(()));
            assert_eq!(check_value(&target, &[b'x'; 65_536], 65_536), Ok(()));
            let error = check_value(&target, &[b'x'; 65_537], 65_536).unwrap_err();
            assert_eq!(error.to_string(), "value must be at most 65536 bytes (got 65537)");
        }
    }

    #[test]
    fn takes_only_text_for_variables() {
        let [variable, others @ ..] = all_targets();
        for (value, error) in [
            (&b"a\0b"[..], InvalidValue::Nul),
            (b"\xff\xfe", InvalidValue::NotUtf8),
            (b"ok\xc3", InvalidValue::NotUtf8),
            (b"\xed\xa0\x80", InvalidValue::NotUtf8), // a surrogate
        ] {
            assert_eq!(check_value(&variable, value, 100), Err(error));
            for target in &others {
                assert_eq!(check_value(target, value, 100), Ok(()));
            }
        }
        assert_eq!(check_value(&variable, "schlüssel\n".as_bytes(), 100), Ok(()));
    }

    #[test]
    fn warns_of_what_surprises_in_a_variable() {
        use ValueWarning::*;
        for (value, warnings) in [
            ("lin_api_0123456789", &[][..]),
            ("lin_api_0123456789\n", &[TrailingNewline]),
            ("lin_api_0123456789\r\n", &[TrailingNewline]),
            ("lin_api_\u{200B}123", &[InvisibleCharacter]),
            ("\u{FEFF}lin_api_123", &[InvisibleCharacter]),
            (" lin_api_123", &[InvisibleCharacter]),
            ("lin_api_123 \n", &[TrailingNewline, InvisibleCharacter]),
            ("lin_api\r_123", &[InvisibleCharacter]),
            ("with inner spaces", &[]),
            ("first line\nsecond line", &[KeyMaterialInEnv]),
            ("first line\r\nsecond line\n", &[TrailingNewline, KeyMaterialInEnv]),
            ("-----BEGIN PRIVATE KEY-----abc", &[KeyMaterialInEnv]),
            ("True", &[CommonWord]),
            ("production", &[CommonWord]),
            ("abcde", &[CommonWord]),
            ("\n", &[TrailingNewline, CommonWord]),
        ] {
            assert_eq!(value_warnings(&Target::EnvironmentVariable, value.as_bytes()), warnings, "{value:?}");
        }
    }

    #[test]
    fn lets_files_end_and_hide_as_they_like() {
        let [_, file, registry, api_only] = all_targets();
        let value = b"-----BEGIN CERTIFICATE-----\nabc \n";
        assert_eq!(value_warnings(&file, value), []);
        for target in [registry, api_only] {
            assert_eq!(
                value_warnings(&target, value),
                [ValueWarning::TrailingNewline, ValueWarning::InvisibleCharacter]
            );
        }
        assert_eq!(value_warnings(&file, b"\xff\0\0\0\0\0\0"), []);
    }
}
