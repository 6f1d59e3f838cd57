//! Keys and values that tools attach to secrets.

use std::collections::BTreeMap;

use super::first_bad;
use crate::text::{Shown, is_deceptive};

/// The most labels of a secret.
pub(crate) const MAX_LABELS: usize = 64;
const MAX_LABEL_KEY_BYTES: usize = 128;
const MAX_LABEL_VALUE_BYTES: usize = 512;

/// Keys and values for tools: at most 64. A key is 1–128 bytes of letters, digits, `.`, `_`, `-` and `/`, starting and
/// ending with a letter or digit; a value at most 512 bytes without control characters and others that are deceptive.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Labels(BTreeMap<Box<str>, Box<str>>);

/// Why labels are not valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidLabel {
    /// There are more than 64.
    #[error("at most {MAX_LABELS} labels are allowed (got {count})")]
    TooMany {
        /// How many there are.
        count: usize,
    },
    /// A key is given twice.
    #[error("label keys must be unique; one is given twice")]
    Repeated,
    /// A key is empty or longer than 128 bytes.
    #[error("label key must be 1 to {MAX_LABEL_KEY_BYTES} bytes (got {length})")]
    KeyLength {
        /// Its length in bytes.
        length: usize,
    },
    /// A character of a key is not allowed, or not at its position.
    #[error(
        "invalid {} in label key; expected letters, digits and, between its ends, `.`, `_`, `-` and `/`",
        Shown(*found)
    )]
    KeyCharacter {
        /// The first invalid character.
        found: char,
    },
    /// A value is longer than 512 bytes.
    #[error("label value must be at most {MAX_LABEL_VALUE_BYTES} bytes (got {length})")]
    ValueTooLong {
        /// Its length in bytes.
        length: usize,
    },
    /// A value has a control character, or one that hides or reorders text.
    #[error(
        "invalid {} in label value; expected text without control characters and others that hide or reorder it",
        Shown(*found)
    )]
    ValueCharacter {
        /// The first such character.
        found: char,
    },
}

impl Labels {
    /// Accepts up to 64 pairs with different keys.
    pub fn new<K: AsRef<str>, V: AsRef<str>>(pairs: impl IntoIterator<Item = (K, V)>) -> Result<Self, InvalidLabel> {
        let mut labels = BTreeMap::new();
        let mut count = 0;
        for (key, value) in pairs {
            count += 1;
            if count > MAX_LABELS {
                continue; // the message says how many there are
            }
            let (key, value) = (key.as_ref(), value.as_ref());
            check_label(key, value)?;
            if labels.insert(key.into(), value.into()).is_some() {
                return Err(InvalidLabel::Repeated);
            }
        }
        if count > MAX_LABELS { Err(InvalidLabel::TooMany { count }) } else { Ok(Self(labels)) }
    }

    /// The value under `key`.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(|value| &**value)
    }

    /// The pairs, ordered by key.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (&**key, &**value))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn check_label(key: &str, value: &str) -> Result<(), InvalidLabel> {
    if key.is_empty() || key.len() > MAX_LABEL_KEY_BYTES {
        return Err(InvalidLabel::KeyLength { length: key.len() });
    }
    if let Some(found) = first_bad(key, |c| c.is_ascii_alphanumeric(), &['.', '_', '-', '/']) {
        return Err(InvalidLabel::KeyCharacter { found });
    }
    if value.len() > MAX_LABEL_VALUE_BYTES {
        return Err(InvalidLabel::ValueTooLong { length: value.len() });
    }
    match value.chars().find(|&c| is_deceptive(c)) {
        Some(found) => Err(InvalidLabel::ValueCharacter { found }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_labels_by_key() {
        let labels = Labels::new([("team", "core"), ("app.kubernetes.io/name", "")]).unwrap();
        assert_eq!(labels.iter().collect::<Vec<_>>(), [("app.kubernetes.io/name", ""), ("team", "core")]);
        assert_eq!((labels.get("team"), labels.get("x"), labels.len()), (Some("core"), None, 2));
    }

    #[test]
    fn refuses_labels_beyond_their_limits() {
        use InvalidLabel::*;
        let long_key = "k".repeat(129);
        let long_value = "v".repeat(513);
        for (key, value, error) in [
            ("", "v", KeyLength { length: 0 }),
            (&*long_key, "v", KeyLength { length: 129 }),
            ("k y", "v", KeyCharacter { found: ' ' }),
            ("k=", "v", KeyCharacter { found: '=' }),
            (".k", "v", KeyCharacter { found: '.' }),
            ("k", &*long_value, ValueTooLong { length: 513 }),
            ("k", "v\0", ValueCharacter { found: '\0' }),
            ("k", "v\u{E0041}", ValueCharacter { found: '\u{E0041}' }),
            ("k", "v\u{202E}", ValueCharacter { found: '\u{202E}' }),
        ] {
            assert_eq!(Labels::new([(key, value)]), Err(error), "{key:?}");
        }
        assert_eq!(Labels::new([("k", "1"), ("k", "1")]), Err(Repeated));
        let many = |count: usize| Labels::new((0..count).map(|i| (format!("k{i}"), "v")));
        assert_eq!(many(64).unwrap().len(), 64);
        assert_eq!(many(66), Err(TooMany { count: 66 }));
    }
}
