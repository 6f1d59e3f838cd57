//! How lines end: a terminal puts a carriage return before each line feed, and who reads lines may drop one.

use super::{Spelling, room_for};

/// `text` with the other ends of its lines; none if it has but one line.
pub(super) fn others(text: &[u8]) -> Vec<Spelling> {
    if !text.contains(&b'\n') {
        return Vec::new();
    }
    [with_returns(text), without_returns(text)].into_iter().filter(|other| other.as_slice() != text).collect()
}

fn with_returns(text: &[u8]) -> Spelling {
    let mut spelling = room_for(text, 2);
    for &byte in text {
        if byte == b'\n' && spelling.last() != Some(&b'\r') {
            spelling.push(b'\r');
        }
        spelling.push(byte);
    }
    spelling
}

fn without_returns(text: &[u8]) -> Spelling {
    let mut spelling = room_for(text, 1);
    for (index, &byte) in text.iter().enumerate() {
        if byte != b'\r' || text.get(index + 1) != Some(&b'\n') {
            spelling.push(byte);
        }
    }
    spelling
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_lines_as_terminals_do_and_as_files_do() {
        for (text, expected) in [
            ("one line", &[][..]),
            ("a\nb\nc", &["a\r\nb\r\nc"]),
            ("a\r\nb\r\n", &["a\nb\n"]),
            ("a\r\nb\nc\rd", &["a\r\nb\r\nc\rd", "a\nb\nc\rd"]),
        ] {
            let others = others(text.as_bytes());
            let others: Vec<&str> = others.iter().map(|other| std::str::from_utf8(other).unwrap()).collect();
            assert_eq!(others, expected, "{text:?}");
        }
    }
}
