//! What of a value is looked for.

use super::{MIN_MASKED_BYTES, is_common_word};

/// What is the same in every key of a service account, and in the logs of every program that uses one.
const PUBLIC_ADDRESSES: &[&str] = &[
    "https://accounts.google.com/o/oauth2/auth",
    "https://oauth2.googleapis.com/token",
    "https://www.googleapis.com/oauth2/v1/certs",
];

pub(super) enum Fragments<'a> {
    /// The value is too short to be masked at all.
    TooShort,
    Fragments {
        /// The value, and those of its lines that differ from it and are not trivial.
        fragments: Vec<&'a [u8]>,
        /// Whether lines were left out because they are too short.
        short_lines: bool,
    },
}

pub(super) fn split(value: &[u8]) -> Fragments<'_> {
    if value.trim_ascii().len() < MIN_MASKED_BYTES {
        return Fragments::TooShort;
    }
    let mut fragments = vec![value];
    let mut short_lines = false;
    for line in lines(value).map(trim) {
        if line == value || !has_word(line) {
            continue;
        }
        if line.len() < MIN_MASKED_BYTES {
            short_lines = true;
        } else if !is_ordinary(line) {
            fragments.push(line);
        }
    }
    Fragments::Fragments { fragments, short_lines }
}

/// What of a string within a value: nothing if it is short or ordinary, as other programs print `service_account` too.
pub(super) fn of_string(string: &[u8]) -> Vec<&[u8]> {
    let string = trim(string);
    match split(string) {
        Fragments::Fragments { fragments, .. } if has_word(string) && !is_ordinary(string) && !is_public(string) => {
            fragments
        }
        Fragments::Fragments { .. } | Fragments::TooShort => Vec::new(),
    }
}

/// What is no text has no lines.
fn lines(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    let is_text = !value.iter().any(|byte| byte.is_ascii_control() && !b"\t\n\x0B\x0C\r\x1B".contains(byte));
    value.split(move |byte| is_text && b"\n\r".contains(byte))
}

/// Without the white space around it, and without asterisks, as `***` could stand in no such line's place.
fn trim(line: &[u8]) -> &[u8] {
    let is_kept = |byte: &u8| !byte.is_ascii_whitespace() && *byte != b'*';
    let first = line.iter().position(is_kept).unwrap_or(line.len());
    let end = line.iter().rposition(is_kept).map_or(first, |last| last + 1);
    line.get(first..end).unwrap_or_default()
}

/// Whether more than punctuation stands in it.
fn has_word(line: &[u8]) -> bool {
    line.iter().any(|byte| byte.is_ascii_alphanumeric() || !byte.is_ascii())
}

fn is_public(string: &[u8]) -> bool {
    PUBLIC_ADDRESSES.iter().any(|address| address.as_bytes() == string)
}

/// Whether many programs print such a line.
fn is_ordinary(line: &[u8]) -> bool {
    is_frame(line) || std::str::from_utf8(line).is_ok_and(is_common_word)
}

/// Whether this is the first or the last line of a PEM file (RFC 7468), and nothing more: a whole key begins and ends like them.
fn is_frame(line: &[u8]) -> bool {
    let label = [&b"-----BEGIN "[..], b"-----END "].iter().find_map(|frame| line.strip_prefix(*frame));
    let is_label = |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b' ';
    label.and_then(|label| label.strip_suffix(b"-----")).is_some_and(|label| label.iter().all(is_label))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(value: &str) -> Option<(Vec<&str>, bool)> {
        match split(value.as_bytes()) {
            Fragments::TooShort => None,
            Fragments::Fragments { fragments, short_lines } => Some((
                fragments.into_iter().map(|fragment| std::str::from_utf8(fragment).unwrap()).collect(),
                short_lines,
            )),
        }
    }

    #[test]
    fn takes_the_value_and_its_lines() {
        for (value, fragments, short_lines) in [
            ("abcdef", &["abcdef"][..], false),
            ("abcdef\n", &["abcdef\n", "abcdef"], false),
            ("  abcdef  ", &["  abcdef  ", "abcdef"], false),
            ("first line\r\nsecond line", &["first line\r\nsecond line", "first line", "second line"], false),
            ("first line\n\n}\n==========\n", &["first line\n\n}\n==========\n", "first line"], false),
            ("user: bob\npin: 1234\n007", &["user: bob\npin: 1234\n007", "user: bob", "pin: 1234"], true),
            ("mykey1\npassword\n20260101", &["mykey1\npassword\n20260101", "mykey1"], false),
            (
                "-----BEGIN KEY-----\nMC4CAQAw\nQ==\n-----END KEY-----\n",
                &["-----BEGIN KEY-----\nMC4CAQAw\nQ==\n-----END KEY-----\n", "MC4CAQAw"],
                true,
            ),
            ("* first item\n** second *\n", &["* first item\n** second *\n", "first item", "second"], false),
            ("one line\0and\nno other\n", &["one line\0and\nno other\n", "one line\0and\nno other"], false),
            ("production", &["production"], false),
            ("https://oauth2.googleapis.com/token", &["https://oauth2.googleapis.com/token"], false),
        ] {
            assert_eq!(masked(value), Some((fragments.to_vec(), short_lines)), "{value:?}");
        }
    }

    #[test]
    fn takes_of_a_string_what_is_not_ordinary() {
        for (string, fragments) in [
            ("abcdef", &["abcdef"][..]),
            ("-----BEGIN KEY-----\nMC4CAQAw\n", &["-----BEGIN KEY-----\nMC4CAQAw", "MC4CAQAw"]),
            (
                "-----BEGIN KEY-----\nMC4CAQAw\n-----END KEY-----\n",
                &["-----BEGIN KEY-----\nMC4CAQAw\n-----END KEY-----", "MC4CAQAw"],
            ),
            ("-----BEGIN KEY----- MC4CAQAw -----END KEY-----", &["-----BEGIN KEY----- MC4CAQAw -----END KEY-----"]),
            ("-----BEGIN EC PRIVATE KEY-----", &[]),
            ("-----END X509 CRL-----", &[]),
            ("*.example.com", &[".example.com"]),
            ("abcde", &[]),
            ("service_account", &[]),
            (" production\n", &[]),
            ("======", &[]),
            ("https://oauth2.googleapis.com/token", &[]),
            ("https://oauth2.googleapis.com/token/s3cr3t", &["https://oauth2.googleapis.com/token/s3cr3t"]),
        ] {
            assert_eq!(of_string(string.as_bytes()), fragments.iter().map(|it| it.as_bytes()).collect::<Vec<_>>());
        }
    }

    #[test]
    fn takes_nothing_short() {
        for value in ["", "abcde", "abcde\n", "\n\n\n\n\n\n\n", "  ab    "] {
            assert_eq!(masked(value), None, "{value:?}");
        }
    }
}
