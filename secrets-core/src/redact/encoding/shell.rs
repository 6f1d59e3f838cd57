//! What shells read, and what they write with `set -x` and `printf %q`.

use super::{LOWER, Spelling, UPPER, hex_digits, room_for};

/// What bash's `printf %q` puts a backslash before; zsh's is among the others.
const BASH: &[u8] = b" !\"$&'()*,;<>?[\\]^`{|}";

pub(super) fn spellings(piece: &[u8], add: &mut impl FnMut(Spelling)) {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || !byte.is_ascii();
    // Within single quotes: only their end needs something.
    for quote in [&br"'\''"[..], br#"'"'"'"#] {
        add(replace(piece, 5, |byte| (byte == b'\'').then_some(quote)));
    }
    // Within double quotes.
    add(backslash(piece, |byte| b"$`\"\\".contains(&byte)));
    add(backslash(piece, |byte| b"$`\"\\!".contains(&byte)));
    // Without quotes.
    add(backslash(piece, |byte| BASH.contains(&byte)));
    add(backslash(piece, |byte| BASH.contains(&byte) || b"#~=".contains(&byte)));
    add(backslash(piece, |byte| !is_word(byte) && !b"%+-./:=@".contains(&byte)));
    add(backslash(piece, |byte| !is_word(byte)));
    // Within `$'…'`, where control characters have names or numbers, and others numbers at most.
    for number in [octal, |byte| hexadecimal(byte, LOWER), |byte| hexadecimal(byte, UPPER)] {
        for (is_ascii, quotes) in [(false, &b"'"[..]), (false, b"'\""), (true, b"'"), (true, b"'\"")] {
            add(c_string(piece, is_ascii, quotes, number));
        }
    }
}

fn replace(piece: &[u8], longest: usize, replaced: impl Fn(u8) -> Option<&'static [u8]>) -> Spelling {
    let mut spelling = room_for(piece, longest);
    for &byte in piece {
        match replaced(byte) {
            Some(text) => spelling.extend_from_slice(text),
            None => spelling.push(byte),
        }
    }
    spelling
}

fn backslash(piece: &[u8], is_escaped: impl Fn(u8) -> bool) -> Spelling {
    let mut spelling = room_for(piece, 2);
    for &byte in piece {
        if is_escaped(byte) {
            spelling.push(b'\\');
        }
        spelling.push(byte);
    }
    spelling
}

fn c_string(piece: &[u8], is_ascii: bool, quotes: &[u8], number: fn(u8) -> [u8; 4]) -> Spelling {
    let mut spelling = room_for(piece, 4);
    for &byte in piece {
        let name = match byte {
            7 => Some(b'a'),
            8 => Some(b'b'),
            b'\t' => Some(b't'),
            b'\n' => Some(b'n'),
            11 => Some(b'v'),
            12 => Some(b'f'),
            b'\r' => Some(b'r'),
            27 => Some(b'E'),
            b'\\' => Some(byte),
            _ if quotes.contains(&byte) => Some(byte),
            _ => None,
        };
        match name {
            Some(name) => spelling.extend([b'\\', name]),
            None if byte.is_ascii_control() || (is_ascii && !byte.is_ascii()) => spelling.extend(number(byte)),
            None => spelling.push(byte),
        }
    }
    spelling
}

fn octal(byte: u8) -> [u8; 4] {
    [b'\\', b'0' + (byte >> 6), b'0' + (byte >> 3 & 7), b'0' + (byte & 7)]
}

fn hexadecimal(byte: u8, digits: &[u8; 16]) -> [u8; 4] {
    let [high, low] = hex_digits(byte, digits);
    [b'\\', b'x', high, low]
}
