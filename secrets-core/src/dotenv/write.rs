//! Writing `.env` documents.

use std::fmt;

use crate::name::SecretId;

/// A secret that can't stand in a document. Names it, never its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unwritable {
    /// The secret.
    pub name: SecretId,
    /// Why not.
    pub problem: UnwritableProblem,
}

/// Why a value can't stand in a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnwritableProblem {
    /// It is not UTF-8.
    NotUtf8,
    /// It has a NUL byte.
    Nul,
    /// It needs double quotes and has a backtick, which would run as a command where a shell reads the document.
    Backtick,
}

/// Writes a document from which [`super::parse()`] reads every value as it is, or refuses.
///
/// Values stand bare where that is safe, else in single quotes, and only where that is impossible in double quotes: so
/// most other readers agree, and nothing in a value can run where a shell reads the document.
pub fn write(secrets: &[(&SecretId, &[u8])]) -> Result<String, Unwritable> {
    // Made at once in its full size, so that no part of it stays behind in memory when it grows.
    let size = secrets.iter().map(|(name, value)| name.as_str().len() + 2 * value.len() + "=\"\"\n".len()).sum();
    let mut document = String::with_capacity(size);
    for &(name, value) in secrets {
        let fails = |problem| Unwritable { name: name.clone(), problem };
        let value = std::str::from_utf8(value).map_err(|_| fails(UnwritableProblem::NotUtf8))?;
        document.push_str(name.as_str());
        document.push('=');
        match form(value).map_err(fails)? {
            Form::Bare => document.push_str(value),
            Form::Single => document.extend(["'", value, "'"]),
            Form::Double => {
                document.push('"');
                for c in value.chars() {
                    match c {
                        '\\' | '"' | '$' => document.extend(['\\', c]),
                        '\r' => document.push_str("\\r"),
                        _ => document.push(c),
                    }
                }
                document.push('"');
            }
        }
        document.push('\n');
    }
    Ok(document)
}

enum Form {
    Bare,
    Single,
    Double,
}

fn form(value: &str) -> Result<Form, UnwritableProblem> {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"_-./:@%+,=".contains(&b);
    if value.contains('\0') {
        Err(UnwritableProblem::Nul)
    } else if value.bytes().all(is_plain) {
        Ok(Form::Bare)
    } else if !value.contains(['\'', '\r']) {
        Ok(Form::Single)
    } else if value.contains('`') {
        Err(UnwritableProblem::Backtick)
    } else {
        Ok(Form::Double)
    }
}

impl fmt::Display for Unwritable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "value of `{}` can't stand in a `.env`: ", self.name)?;
        f.write_str(match self.problem {
            UnwritableProblem::NotUtf8 => "it is not UTF-8; the JSON format takes it",
            UnwritableProblem::Nul => "it has a NUL byte; the JSON format takes it",
            UnwritableProblem::Backtick => {
                "it has a backtick beside a quote or carriage return, and a shell would run it; the JSON format takes it"
            }
        })
    }
}

impl std::error::Error for Unwritable {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::dotenv::parse;
    use crate::name::NamePolicy;

    fn name(text: &str) -> SecretId {
        SecretId::parse(text, NamePolicy::Relaxed).unwrap()
    }

    fn written(value: &str) -> Result<String, UnwritableProblem> {
        write(&[(&name("A"), value.as_bytes())]).map_err(|error| error.problem)
    }

    #[test]
    fn writes_the_plainest_form_that_holds() {
        for (value, document) in [
            ("", "A=\n"),
            ("sk_test-1./:@%+,=", "A=sk_test-1./:@%+,=\n"),
            ("with space", "A='with space'\n"),
            ("#x", "A='#x'\n"),
            ("$(id) `id` \\ \"", "A='$(id) `id` \\ \"'\n"),
            ("two\nlines\n", "A='two\nlines\n'\n"),
            ("it's $5 \\ \"", "A=\"it's \\$5 \\\\ \\\"\"\n"),
            ("it's\ntwo", "A=\"it's\ntwo\"\n"),
            ("a\r\nb", "A=\"a\\r\nb\"\n"),
            ("ключ", "A='ключ'\n"),
        ] {
            assert_eq!(written(value).as_deref(), Ok(document), "{value:?}");
        }
    }

    #[test]
    fn refuses_what_it_cannot_write() {
        assert_eq!(written("a\0"), Err(UnwritableProblem::Nul));
        assert_eq!(written("it's `id`"), Err(UnwritableProblem::Backtick));
        let error = write(&[(&name("OK"), b"x"), (&name("RAW"), b"\xff")]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "value of `RAW` can't stand in a `.env`: it is not UTF-8; the JSON format takes it"
        );
    }

    proptest! {
        #[test]
        fn reads_back_every_value_it_writes(
            values in prop::collection::vec("[A-Za-z_][A-Za-z0-9_]{0,3}".prop_flat_map(|name| {
                (Just(name), prop_oneof!["\\PC{0,20}", "[ab'\"\\\\$`#= \t\r\n\u{FEFF}nrt]{0,12}", "(?s).{0,12}"])
            }), 0..6),
        ) {
            let secrets: Vec<_> = values.iter().map(|(key, value)| (name(key), value)).collect();
            let borrowed: Vec<_> = secrets.iter().map(|(name, value)| (name, value.as_bytes())).collect();
            match write(&borrowed) {
                Ok(document) => {
                    let read = parse(document.as_bytes()).unwrap();
                    prop_assert_eq!(read.len(), secrets.len());
                    for (entry, (name, value)) in read.iter().zip(&secrets) {
                        prop_assert_eq!(entry.key(), name.as_str());
                        prop_assert_eq!(entry.value(), value.as_str());
                    }
                }
                Err(error) => {
                    let refused = |value: &str| value.contains('\0') || (value.contains('`') && value.contains(['\'', '\r']));
                    prop_assert!(values.iter().any(|(key, value)| *key == error.name.as_str() && refused(value)));
                }
            }
        }
    }
}
