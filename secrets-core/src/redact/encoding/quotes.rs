//! Strings in which their own quote is written twice: `''` in SQL and PowerShell, `""` in CSV (RFC 4180).

use super::{Spelling, room_for};

pub(super) fn spellings(piece: &[u8], add: &mut impl FnMut(Spelling)) {
    for quote in [b'\'', b'"'] {
        if piece.contains(&quote) {
            add(doubled(piece, quote));
        }
    }
}

fn doubled(piece: &[u8], quote: u8) -> Spelling {
    let mut spelling = room_for(piece, 2);
    for &byte in piece {
        if byte == quote {
            spelling.push(byte);
        }
        spelling.push(byte);
    }
    spelling
}
