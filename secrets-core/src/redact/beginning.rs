//! Which beginnings of values tell something of them.

use super::MIN_MASKED_BYTES;
use super::common_word::begins_common_word;

/// Longer beginnings are never ordinary.
const MAX_ORDINARY_BYTES: usize = 64;
/// A word and its punctuation, as in `Password: `, have so many bytes more than the word.
const MAX_PUNCTUATION_BYTES: usize = 3;

/// Openings that thousands of values share.
const OPENINGS: &[&str] = &[
    "-----BEGIN ",
    "Basic ",
    "Bearer ",
    "amqp://",
    "amqps://",
    "clickhouse://",
    "file:///",
    "ftp://",
    "ftps://",
    "git://",
    "git@github.com:",
    "http://",
    "https://",
    "jdbc:mysql://",
    "jdbc:postgresql://",
    "ldap://",
    "ldaps://",
    "mariadb://",
    "mongodb+srv://",
    "mongodb://",
    "mysql://",
    "postgres://",
    "postgresql://",
    "redis://",
    "rediss://",
    "sftp://",
    "smtp://",
    "smtps://",
    "sqlserver://",
    "ssh-ed25519 ",
    "ssh-rsa ",
    "ssh://",
    "wss://",
];

/// Whether `beginning`, with which a pattern begins, must not be shown: it has as many bytes as are masked of anything, and
/// is none that other text has as well.
pub(super) fn is_telling(beginning: &[u8]) -> bool {
    beginning.len() >= MIN_MASKED_BYTES && !is_ordinary(beginning)
}

fn is_ordinary(text: &[u8]) -> bool {
    let is_short = text.len() <= MAX_ORDINARY_BYTES;
    repeats_itself(text) || (is_short && (begins_opening(text) || is_frame(text) || is_word(text) || is_layout(text)))
}

fn begins_opening(text: &[u8]) -> bool {
    OPENINGS.iter().any(|opening| opening.as_bytes().starts_with(text))
}

/// The first line of a PEM text, or the beginning of it.
fn is_frame(text: &[u8]) -> bool {
    text.strip_prefix(b"-----BEGIN ").is_some_and(|label| {
        let label = label.strip_suffix(b"\n").unwrap_or(label);
        let label = label.strip_suffix(b"\r").unwrap_or(label);
        let end = label.iter().position(|&byte| byte == b'-').unwrap_or(label.len());
        let (words, dashes) = label.split_at_checked(end).unwrap_or_default();
        let is_letter = |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b' ';
        words.iter().all(is_letter) && b"-----".starts_with(dashes)
    })
}

/// A common word, or the beginning of one while it is typed, with a little punctuation.
fn is_word(text: &[u8]) -> bool {
    let is_letter = |byte: &u8| byte.is_ascii_alphanumeric();
    let first = text.iter().position(is_letter).unwrap_or(text.len());
    let end = text.iter().rposition(is_letter).map_or(first, |last| last + 1);
    let word = text.get(first..end).unwrap_or_default();
    text.len() - word.len() <= MAX_PUNCTUATION_BYTES
        && word.iter().any(u8::is_ascii_alphabetic)
        && std::str::from_utf8(word).is_ok_and(begins_common_word)
}

/// White space, and how documents open.
fn is_layout(text: &[u8]) -> bool {
    text.iter().all(|byte| byte.is_ascii_whitespace() || b"{[(\"'".contains(byte))
}

/// One byte again and again, as between paragraphs, in a bar of progress or in a file of zeros.
fn repeats_itself(text: &[u8]) -> bool {
    text.iter().zip(text.iter().skip(1)).all(|(a, b)| a == b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_openings_that_others_share_from_parts_of_a_value() {
        for ordinary in [
            "",
            "lin_a",
            "https:",
            "postgresql://",
            "Bearer ",
            "-----BEGIN",
            "-----BEGIN RSA PRI",
            "-----BEGIN OPENSSH PRIVATE KEY-----\r\n",
            "Password: ",
            "passwo",
            "PRODUCTION",
            "{\n    \"",
            "======",
            "      \n   ",
            "aaaaaa",
            "\0\0\0\0\0\0",
        ] {
            assert!(!is_telling(ordinary.as_bytes()), "{ordinary:?}");
        }
        for telling in [
            "lin_ap",
            "https://h",
            "postgresql://a",
            "Bearer x",
            "-----BEGIN KEY-----\nM",
            "-----BEGIN KEY-----x",
            "Password: h",
            "password1",
            "123456",
            "aaaaab",
            "a!\"#$%",
            "!\"#$%&",
            "-----=",
        ] {
            assert!(is_telling(telling.as_bytes()), "{telling:?}");
        }
        assert!(!is_telling(&[0; 100_000]));
        assert!(is_telling(&b" \n".repeat(MAX_ORDINARY_BYTES)));
    }
}
