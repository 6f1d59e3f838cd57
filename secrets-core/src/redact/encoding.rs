//! The ways in which a value is written in other formats.
//!
//! Each format has a file with a function that calls its argument with every spelling it knows; spellings that come out
//! alike are looked for once. To add a format, add its file and its line in [`all`], and tell of it in the list at [`super`].

mod base64;
mod hex;
mod json;
mod percent;
mod shell;
mod xml;

use zeroize::Zeroizing;

/// A spelling; wiped when dropped.
pub(super) type Spelling = Zeroizing<Vec<u8>>;

/// `piece` itself and every spelling of it, each once.
pub(super) fn all(piece: &[u8]) -> Vec<Spelling> {
    let mut spellings = vec![Zeroizing::new(piece.to_vec())];
    let mut add = |spelling: Spelling| {
        if !spellings.contains(&spelling) {
            spellings.push(spelling);
        }
    };
    base64::spellings(piece, &mut add);
    hex::spellings(piece, &mut add);
    percent::spellings(piece, &mut add);
    if let Ok(text) = std::str::from_utf8(piece) {
        json::spellings(text, &mut add);
        xml::spellings(text, &mut add);
    }
    shell::spellings(piece, &mut add);
    spellings
}

/// A spelling in the making that leaves no copy behind when it grows, as it never does: `longest` times the `piece`.
fn room_for(piece: &[u8], longest: usize) -> Spelling {
    Zeroizing::new(Vec::with_capacity(piece.len() * longest))
}

const LOWER: &[u8; 16] = b"0123456789abcdef";
const UPPER: &[u8; 16] = b"0123456789ABCDEF";

/// The two hexadecimal digits of `byte`.
fn hex_digits(byte: u8, digits: &[u8; 16]) -> [u8; 2] {
    [byte >> 4, byte & 15].map(|digit| digits.get(usize::from(digit)).copied().unwrap_or(b'0'))
}
