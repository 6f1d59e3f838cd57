//! Writing `.env` documents.

use crate::name::SecretId;

/// A secret that can't be written to a document. Names it, never its value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("value of `{name}` can't be written to a `.env` file: {problem}")]
pub struct Unwritable {
    /// The secret.
    pub name: SecretId,
    /// Why not.
    pub problem: UnwritableProblem,
}

/// Why a value can't be written to a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnwritableProblem {
    /// It is not UTF-8.
    #[error("it is not UTF-8")]
    NotUtf8,
    /// It has a NUL byte.
    #[error("it has a NUL byte")]
    Nul,
    /// It has a carriage return.
    #[error("it has a carriage return, which readers of such files take differently")]
    CarriageReturn,
    /// It has quotes, backslashes or `${` such that readers take every form of it differently, or a shell would run it.
    #[error("readers of such files disagree about its quotes, backslashes or `${{`")]
    Ambiguous,
}

/// Writes a document from which [`super::parse()`], the libraries of other languages, Node's `--env-file` and shells read
/// every value as it is, or refuses.
///
/// They agree on little: a bare value; single quotes around what has no quote in it, nor a backslash before a backslash
/// or at its end (which escape in Python); double quotes around what has none of `"`, `\`, `$` and the backtick. A carriage
/// return has no form: as it stands it becomes a line feed, and `\r` stays two characters for shells and `--env-file`.
/// `${…}` is replaced by Python's `dotenv` whatever the quotes are. So nothing in a value can run where a shell reads the
/// document.
pub fn write(secrets: &[(&SecretId, &[u8])]) -> Result<String, Unwritable> {
    // Made at once in its full size, so that no part of it stays behind in memory when it grows.
    let size = secrets.iter().map(|(name, value)| name.as_str().len() + value.len() + "=\"\"\n".len()).sum();
    let mut document = String::with_capacity(size);
    for &(name, value) in secrets {
        let fails = |problem| Unwritable { name: name.clone(), problem };
        let value = std::str::from_utf8(value).map_err(|_| fails(UnwritableProblem::NotUtf8))?;
        document.push_str(name.as_str());
        document.push('=');
        match form(value).map_err(fails)? {
            Form::Bare => document.push_str(value),
            Form::Single => document.extend(["'", value, "'"]),
            Form::Double => document.extend(["\"", value, "\""]),
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
    let is_replaced = value.split_once("${").is_some_and(|(_, behind)| behind.contains('}'));
    if value.contains('\0') {
        Err(UnwritableProblem::Nul)
    } else if value.contains('\r') {
        Err(UnwritableProblem::CarriageReturn)
    } else if value.bytes().all(is_plain) && !value.is_empty() && value != "=" {
        // Those two could be the end of the value above.
        Ok(Form::Bare)
    } else if is_replaced {
        Err(UnwritableProblem::Ambiguous)
    } else if !value.contains('\'') && !value.contains("\\\\") && !value.ends_with('\\') {
        Ok(Form::Single)
    } else if !value.contains(['"', '\\', '$', '`']) {
        Ok(Form::Double)
    } else {
        Err(UnwritableProblem::Ambiguous)
    }
}

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
            ("", "A=''\n"),
            ("=", "A='='\n"),
            ("sk_test-1./:@%+,=", "A=sk_test-1./:@%+,=\n"),
            ("with space", "A='with space'\n"),
            ("#x", "A='#x'\n"),
            ("$(id) `id` \\ \"", "A='$(id) `id` \\ \"'\n"),
            ("${", "A='${'\n"),
            ("C:\\temp", "A='C:\\temp'\n"),
            ("two\nlines\n", "A='two\nlines\n'\n"),
            ("it's\ntwo", "A=\"it's\ntwo\"\n"),
            ("ключ", "A='ключ'\n"),
        ] {
            assert_eq!(written(value).as_deref(), Ok(document), "{value:?}");
        }
    }

    #[test]
    fn refuses_what_it_cannot_write() {
        assert_eq!(written("a\0"), Err(UnwritableProblem::Nul));
        for value in ["a\r\nb", "\r", "it's\r", "${A}\r"] {
            assert_eq!(written(value), Err(UnwritableProblem::CarriageReturn), "{value:?}");
        }
        for value in ["it's `id`", "it's $5", "it's \"", "it's \\", "a\\\\b", "a\\", "${HOME}", "a ${b:-c}"] {
            assert_eq!(written(value), Err(UnwritableProblem::Ambiguous), "{value}");
        }
        let error = write(&[(&name("OK"), b"x"), (&name("RAW"), b"\xff")]).unwrap_err();
        assert_eq!(error.to_string(), "value of `RAW` can't be written to a `.env` file: it is not UTF-8");
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
                    let refused = |value: &str| {
                        value.contains(['\0', '\r', '\\']) || value.contains("${")
                            || (value.contains('\'') && value.contains(['"', '$', '`']))
                    };
                    prop_assert!(values.iter().any(|(key, value)| *key == error.name.as_str() && refused(value)));
                }
            }
        }
    }
}
