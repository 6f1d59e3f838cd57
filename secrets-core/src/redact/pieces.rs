//! What of a value is looked for.

use super::SHORTEST_MASKED;
use crate::value::is_common_word;

pub(super) enum Pieces<'a> {
    /// The value is too short to be masked at all.
    TooShort,
    Pieces {
        /// The value, and those of its lines that differ from it and are not trivial.
        pieces: Vec<&'a [u8]>,
        /// Whether lines were left out because they are too short.
        short_lines: bool,
    },
}

pub(super) fn of(value: &[u8]) -> Pieces<'_> {
    if value.trim_ascii().len() < SHORTEST_MASKED {
        return Pieces::TooShort;
    }
    let mut pieces = vec![value];
    let mut short_lines = false;
    for line in value.split(|&byte| byte == b'\n' || byte == b'\r').map(<[u8]>::trim_ascii) {
        if line == value || !has_word(line) {
            continue;
        }
        if line.len() < SHORTEST_MASKED {
            short_lines = true;
        } else if !is_ordinary(line) {
            pieces.push(line);
        }
    }
    Pieces::Pieces { pieces, short_lines }
}

/// Whether more than punctuation stands in it.
fn has_word(line: &[u8]) -> bool {
    line.iter().any(|byte| byte.is_ascii_alphanumeric() || !byte.is_ascii())
}

/// Whether many programs print such a line.
fn is_ordinary(line: &[u8]) -> bool {
    let is_frame =
        [&b"-----BEGIN "[..], b"-----END "].iter().any(|frame| line.starts_with(frame)) && line.ends_with(b"-----");
    is_frame || std::str::from_utf8(line).is_ok_and(is_common_word)
}
