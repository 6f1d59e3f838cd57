//! The two kinds of document that are imported.

use std::fmt;
use std::ops::Deref;

use secrets_core::dotenv::{self, Entry, ValueKind, mark_overridden};
use serde::Deserializer as _;
use serde::de::{Error as _, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::crypto::SecretBytes;
use crate::error::{Error, Reason};

/// Names and values.
pub enum Document {
    /// A `.env`.
    Dotenv(SecretBytes),
    /// A JSON object of strings, and of numbers and booleans where they are taken as they are spelled.
    Json { text: SecretBytes, stringify: bool },
}

/// The entries of a document, in its order; wiped when dropped.
pub(super) struct Entries(Vec<Entry>);

impl Document {
    /// How long it is, in bytes.
    pub fn len(&self) -> usize {
        match self {
            Self::Dotenv(bytes) | Self::Json { text: bytes, .. } => bytes.len(),
        }
    }

    /// Whether it has no bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Reads the entries. A document that can't be read is refused with the line, never with what stands there.
    pub(super) fn entries(&self) -> Result<Entries, Error> {
        // Exposed to be taken apart into values that are wiped in their turn.
        match self {
            Self::Dotenv(bytes) => {
                dotenv::parse(bytes.expose()).map(Entries).map_err(|error| unreadable("dotenv", error.line, &error))
            }
            Self::Json { text, stringify } => json(text.expose(), *stringify),
        }
    }
}

impl Deref for Entries {
    type Target = [Entry];

    fn deref(&self) -> &[Entry] {
        &self.0
    }
}

impl Drop for Entries {
    fn drop(&mut self) {
        for entry in self.0.drain(..) {
            drop(SecretBytes::from(entry.into_value()));
        }
    }
}

fn json(text: &[u8], stringify: bool) -> Result<Entries, Error> {
    let mut reader = serde_json::Deserializer::from_slice(text.strip_prefix("\u{feff}".as_bytes()).unwrap_or(text));
    reader.deserialize_map(Members { stringify }).and_then(|entries| reader.end().map(|()| entries)).map_err(|error| {
        // The error's own text may quote a value; its line does not.
        let rule = format!("line {}, column {}: expected a JSON object of strings", error.line(), error.column());
        unreadable("json", error.line(), &rule)
    })
}

fn unreadable(field: &'static str, line: usize, rule: &dyn fmt::Display) -> Error {
    Error::field(Reason::ImportSyntax, field, rule).with("line", line.to_string())
}

/// The members of an object, in their order, those included whose name comes again.
struct Members {
    stringify: bool,
}

impl<'de> Visitor<'de> for Members {
    type Value = Entries;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of strings")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entries, A::Error> {
        let mut entries = Entries(Vec::new());
        while let Some((key, value)) = map.next_entry::<String, &RawValue>()? {
            let place = entries.0.len() + 1;
            let text = value.get();
            let kind = match text.bytes().next() {
                Some(b'"') => {
                    let text = serde_json::from_str(text).map_err(|_| A::Error::custom("not a text"))?;
                    entries.0.push(Entry::new(place, key, text));
                    continue;
                }
                Some(b'n') => {
                    entries.0.push(Entry::new(place, key, String::new()));
                    continue;
                }
                Some(b'{') => ValueKind::Object,
                Some(b'[') => ValueKind::List,
                Some(b't' | b'f') => ValueKind::Boolean,
                _ => ValueKind::Number,
            };
            let as_spelled = self.stringify && matches!(kind, ValueKind::Boolean | ValueKind::Number);
            entries.0.push(match as_spelled {
                true => Entry::new(place, key, text.to_owned()),
                false => Entry::not_text(place, key, kind),
            });
        }
        mark_overridden(&mut entries.0);
        Ok(entries)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Place, name, value, and the place of the entry that overrides it.
    type Read = (usize, String, String, Option<usize>);

    fn document(text: &str, stringify: bool) -> Document {
        Document::Json { text: SecretBytes::from(text.as_bytes().to_vec()), stringify }
    }

    fn read(text: &str) -> Result<Vec<Read>, Error> {
        let entries = document(text, false).entries()?;
        Ok(entries.iter().map(|e| (e.line(), e.key().to_owned(), e.value().to_owned(), e.overridden_by())).collect())
    }

    #[test]
    fn json_members_keep_their_order_and_a_repeated_one_is_flagged() {
        let entries = read("\u{feff}{\"B\": \"1\", \"A\": \"\\u00e9\", \"B\": \"3\"}").unwrap();
        let expected = [
            (1, "B".to_owned(), "1".to_owned(), Some(3)),
            (2, "A".to_owned(), "é".to_owned(), None),
            (3, "B".to_owned(), "3".to_owned(), None),
        ];
        assert_eq!(entries, expected);
        assert_eq!(read("{}").unwrap(), []);
    }

    #[test]
    fn what_is_no_object_is_refused_by_line_and_not_by_content() {
        for (text, line) in [
            ("", "1"),
            ("[]", "1"),
            ("{\"A\": \"x\"\n, \"B\": 421337x}", "2"),
            ("{\"A\": \"421337\\ud800\"}", "1"),
            ("{\"A\": {\"B\": \"421337}}", "1"),
            ("{\"A\": 421337", "1"),
            ("{\"A\": \"x\"} 421337", "1"),
            ("{\"A\": \"x\",\n\n\"421337", "3"),
        ] {
            let failure = read(text).unwrap_err();
            assert_eq!(failure.reason(), Reason::ImportSyntax, "{text}");
            assert!(!failure.message().contains("421337"), "{failure}");
            assert!(failure.metadata().contains(&("line", line.to_owned())), "{text}: {failure}");
        }
    }

    #[test]
    fn numbers_and_booleans_are_no_texts_unless_they_are_taken_as_they_are_spelled() {
        let text = r#"{"PORT": 5432, "RATE": -1.50e+03, "DEBUG": true, "NONE": null, "LIST": [1], "MAP": {"A": "x"}, "T": "1"}"#;
        let entries = document(text, false).entries().unwrap();
        let kinds: Vec<_> = entries.iter().map(|entry| (entry.key(), entry.kind(), entry.value())).collect();
        use ValueKind::*;
        let expected = [
            ("PORT", Number, ""),
            ("RATE", Number, ""),
            ("DEBUG", Boolean, ""),
            ("NONE", Text, ""),
            ("LIST", List, ""),
            ("MAP", Object, ""),
            ("T", Text, "1"),
        ];
        assert_eq!(kinds, expected);
        let entries = document(text, true).entries().unwrap();
        let kinds: Vec<_> = entries.iter().map(|entry| (entry.key(), entry.kind(), entry.value())).collect();
        let expected = [
            ("PORT", Text, "5432"),
            ("RATE", Text, "-1.50e+03"),
            ("DEBUG", Text, "true"),
            ("NONE", Text, ""),
            ("LIST", List, ""),
            ("MAP", Object, ""),
            ("T", Text, "1"),
        ];
        assert_eq!(kinds, expected);
    }

    #[test]
    fn a_document_of_deep_lists_is_read_without_a_deep_stack() {
        let deep = format!("{{\"A\": {}{}}}", "[".repeat(400_000), "]".repeat(400_000));
        assert_eq!(document(&deep, true).entries().unwrap()[0].kind(), ValueKind::List);
    }

    #[test]
    fn a_dotenv_is_refused_by_line_and_not_by_content() {
        let document = Document::Dotenv(SecretBytes::from(b"A=1\nhunter2\n".to_vec()));
        let failure = document.entries().err().unwrap();
        assert_eq!(failure.reason(), Reason::ImportSyntax);
        assert!(failure.metadata().contains(&("line", "2".to_owned())) && !failure.message().contains("hunter2"));
    }
}
