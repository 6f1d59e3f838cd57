//! Hexadecimal digits.

use super::{LOWER, Spelling, UPPER, hex_digits, room_for};

pub(super) fn spellings(piece: &[u8], add: &mut impl FnMut(Spelling)) {
    for digits in [LOWER, UPPER] {
        let mut spelling = room_for(piece, 2);
        spelling.extend(piece.iter().flat_map(|&byte| hex_digits(byte, digits)));
        add(spelling);
    }
}
