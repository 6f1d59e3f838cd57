//! The inside of a JSON string (RFC 8259), whose escapes other languages' string literals share.

use super::{LOWER, Spelling, UPPER, hex_digits, room_for};

/// What an encoder escapes beside what it must.
#[derive(Clone, Copy)]
struct Escapes {
    /// `/`, as PHP does.
    slash: bool,
    /// `<`, `>`, `&` and the line separators, as Go does.
    html: bool,
    /// What is not ASCII, as Python does.
    other: bool,
    /// Backspace and form feed by number, though they have names, as Go did.
    rare_by_number: bool,
}

pub(super) fn spellings(text: &str, add: &mut impl FnMut(Spelling)) {
    // What `text` does not have needs no second spelling.
    let either = |matters: bool| if matters { &[false, true][..] } else { &[false][..] };
    for digits in [LOWER, UPPER] {
        for &slash in either(text.contains('/')) {
            for &html in either(text.contains(is_html)) {
                for &other in either(text.contains(is_other)) {
                    for &rare_by_number in either(text.contains(['\u{8}', '\u{C}'])) {
                        add(encode(text, digits, Escapes { slash, html, other, rare_by_number }));
                    }
                }
            }
        }
    }
}

fn is_html(c: char) -> bool {
    matches!(c, '<' | '>' | '&' | '\u{2028}' | '\u{2029}')
}

fn is_other(c: char) -> bool {
    c >= '\u{7F}'
}

fn encode(text: &str, digits: &[u8; 16], escapes: Escapes) -> Spelling {
    let mut spelling = room_for(text.as_bytes(), 6);
    for c in text.chars() {
        let name = match c {
            '"' | '\\' => Some(c),
            '/' if escapes.slash => Some(c),
            '\n' => Some('n'),
            '\r' => Some('r'),
            '\t' => Some('t'),
            '\u{8}' if !escapes.rare_by_number => Some('b'),
            '\u{C}' if !escapes.rare_by_number => Some('f'),
            _ => None,
        };
        let by_number = c < ' ' || (escapes.other && is_other(c)) || (escapes.html && is_html(c));
        match name {
            Some(name) => spelling.extend([b'\\', name as u8]),
            None if by_number => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    spelling.extend(b"\\u");
                    spelling.extend(unit.to_be_bytes().into_iter().flat_map(|byte| hex_digits(byte, digits)));
                }
            }
            None => spelling.extend(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    spelling
}
