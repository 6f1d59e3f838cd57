//! Base64 (RFC 4648), standard and URL-safe.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use zeroize::Zeroizing;

use super::Spelling;

/// The characters of a line, as MIME and `base64` write them, and as PEM does.
const LINES: [usize; 2] = [76, 64];
/// The shortest end of a value that is looked for in a line of its own.
const MIN_LINE_BYTES: usize = 8;

pub(super) fn spellings(piece: &[u8], add: &mut impl FnMut(Spelling)) {
    for (padding, plain) in [(&STANDARD, &STANDARD_NO_PAD), (&URL_SAFE, &URL_SAFE_NO_PAD)] {
        for before in 0..3 {
            let text = encode(padding, before, piece);
            let bits = 8 * (before + piece.len());
            // The first character that has no bit of what stands before, and the last one that has none of what
            // stands behind.
            let first = (8 * before).div_ceil(6);
            for end in [bits / 6, bits.div_ceil(6), text.len()] {
                add(Zeroizing::new(text.get(first..end).unwrap_or_default().to_vec()));
            }
        }
        let text = encode(plain, 0, piece);
        for characters in LINES {
            for line in text.chunks(characters).filter(|line| line.len() < text.len() && line.len() >= MIN_LINE_BYTES) {
                add(Zeroizing::new(line.to_vec()));
            }
        }
    }
}

/// Encodes `piece` behind as many zero bytes as stand `before` it.
fn encode(engine: &impl Engine, before: usize, piece: &[u8]) -> Spelling {
    let mut bytes = Zeroizing::new(Vec::with_capacity(before + piece.len()));
    bytes.resize(before, 0);
    bytes.extend_from_slice(piece);
    let mut text = Zeroizing::new(vec![0; bytes.len().div_ceil(3) * 4]);
    // The room is enough for every length, padded or not.
    let length = engine.encode_slice(&*bytes, &mut text).unwrap_or(0);
    text.truncate(length);
    text
}
