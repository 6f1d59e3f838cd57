//! The inside of a JSON string (RFC 8259), which other languages' string literals share.

use super::{LOWER, Spelling, UPPER, hex_digits, room_for};

pub(super) fn spellings(text: &str, add: &mut impl FnMut(Spelling)) {
    for digits in [LOWER, UPPER] {
        for is_ascii in [false, true] {
            for is_for_html in [false, true] {
                for escapes_slash in [false, true] {
                    for short_controls in [true, false] {
                        add(encode(text, digits, is_ascii, is_for_html, escapes_slash, short_controls));
                    }
                }
            }
        }
    }
}

/// With `is_ascii`, other characters as UTF-16 in `\u`; with `is_for_html`, also `<`, `>`, `&` and the line separators
/// (as Go does), and `'`.
fn encode(
    text: &str,
    digits: &[u8; 16],
    is_ascii: bool,
    is_for_html: bool,
    escapes_slash: bool,
    short_controls: bool,
) -> Spelling {
    let mut spelling = room_for(text.as_bytes(), 6);
    for c in text.chars() {
        let short = match c {
            '"' | '\\' => Some(c),
            '/' if escapes_slash => Some(c),
            '\n' => Some('n'),
            '\r' => Some('r'),
            '\t' => Some('t'),
            '\u{8}' if short_controls => Some('b'),
            '\u{C}' if short_controls => Some('f'),
            _ => None,
        };
        let mut utf16 = [0; 2];
        match short {
            Some(short) => spelling.extend([b'\\', short as u8]),
            None if c < ' '
                || (is_ascii && c >= '\u{7F}')
                || (is_for_html && matches!(c, '<' | '>' | '&' | '\u{2028}' | '\u{2029}')) =>
            {
                for unit in c.encode_utf16(&mut utf16) {
                    spelling.extend(b"\\u");
                    spelling.extend(unit.to_be_bytes().into_iter().flat_map(|byte| hex_digits(byte, digits)));
                }
            }
            None => spelling.extend(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    spelling
}
