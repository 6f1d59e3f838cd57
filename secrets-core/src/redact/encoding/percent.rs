//! Percent-encoding: RFC 3986, the WHATWG's URL standard and ECMAScript's two functions, HTML forms.

use super::{LOWER, Spelling, UPPER, hex_digits, room_for};

/// What is left as it is beside letters and digits, and whether `+` stands for a space.
const RULES: [(&[u8], bool); 8] = [
    (b"-_.~", false),                  // RFC 3986's unreserved characters
    (b"-_.~", true),                   // Python's quote_plus, Go's QueryEscape
    (b"-_.", false),                   // PHP's and Perl's older ones
    (b"-_.~/", false),                 // Python's quote, for paths
    (b"-_.!~*'()", false),             // encodeURIComponent
    (b"-_.!~*'();,/?:@&=+$#", false),  // encodeURI
    (b"-_.!~*'();,/?:@&=+$[]", false), // what a URL's query leaves as it is
    (b"*-._", true),                   // HTML forms, Java's URLEncoder
];

pub(super) fn spellings(piece: &[u8], add: &mut impl FnMut(Spelling)) {
    for digits in [UPPER, LOWER] {
        add(encode(piece, digits, false, |_| false));
        for (kept, is_form) in RULES {
            add(encode(piece, digits, is_form, |byte| byte.is_ascii_alphanumeric() || kept.contains(&byte)));
        }
    }
}

fn encode(piece: &[u8], digits: &[u8; 16], is_form: bool, is_kept: impl Fn(u8) -> bool) -> Spelling {
    let mut spelling = room_for(piece, 3);
    for &byte in piece {
        match byte {
            b' ' if is_form => spelling.push(b'+'),
            _ if is_kept(byte) => spelling.push(byte),
            _ => {
                spelling.push(b'%');
                spelling.extend(hex_digits(byte, digits));
            }
        }
    }
    spelling
}
