//! The two kinds of document that are imported.

use std::fmt;
use std::ops::Deref;

use secrets_core::dotenv::{self, Entry, mark_overridden};
use serde::Deserializer as _;
use serde::de::{MapAccess, Visitor};

use crate::crypto::SecretBytes;
use crate::error::{Error, Reason};

/// Names and values.
pub enum Document {
    /// A `.env`.
    Dotenv(SecretBytes),
    /// A JSON object of strings.
    Json(SecretBytes),
}

/// The entries of a document, in its order; wiped when dropped.
pub(super) struct Entries(Vec<Entry>);

impl Document {
    /// How long it is, in bytes.
    pub fn len(&self) -> usize {
        match self {
            Self::Dotenv(bytes) | Self::Json(bytes) => bytes.len(),
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
            Self::Json(bytes) => json(bytes.expose()),
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

fn json(text: &[u8]) -> Result<Entries, Error> {
    let mut reader = serde_json::Deserializer::from_slice(text.strip_prefix("\u{feff}".as_bytes()).unwrap_or(text));
    reader.deserialize_map(Members).and_then(|entries| reader.end().map(|()| entries)).map_err(|error| {
        // The error's own text may quote a value; its line does not.
        let rule = format!("line {}, column {}: expected a JSON object of strings", error.line(), error.column());
        unreadable("json", error.line(), &rule)
    })
}

fn unreadable(field: &'static str, line: usize, rule: &dyn fmt::Display) -> Error {
    Error::field(Reason::ImportSyntax, field, rule).with("line", line.to_string())
}

/// The members of an object, in their order, those included whose name comes again.
struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Entries;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of strings")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entries, A::Error> {
        let mut entries = Entries(Vec::new());
        while let Some((key, value)) = map.next_entry::<String, String>()? {
            let place = entries.0.len() + 1;
            entries.0.push(Entry::new(place, key, value));
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

    fn read(text: &str) -> Result<Vec<Read>, Error> {
        let entries = Document::Json(SecretBytes::from(text.as_bytes().to_vec())).entries()?;
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
    fn what_is_no_object_of_strings_is_refused_by_line_and_not_by_content() {
        for (text, line) in [
            ("", "1"),
            ("[]", "1"),
            ("{\"A\": \"x\"\n, \"B\": 421337}", "2"),
            ("{\"A\": null}", "1"),
            ("{\"A\": {\"B\": \"x\"}}", "1"),
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
    fn a_dotenv_is_refused_by_line_and_not_by_content() {
        let document = Document::Dotenv(SecretBytes::from(b"A=1\nhunter2\n".to_vec()));
        let failure = document.entries().err().unwrap();
        assert_eq!(failure.reason(), Reason::ImportSyntax);
        assert!(failure.metadata().contains(&("line", "2".to_owned())) && !failure.message().contains("hunter2"));
    }
}
