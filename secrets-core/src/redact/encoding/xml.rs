//! References in XML and HTML, in text and in attributes.

use std::io::Write;

use super::{Spelling, room_for};

/// What some encoder writes for each character that it does not leave as it is.
const RULES: [&[(char, &str)]; 10] = [
    &[],
    &[('&', "&amp;"), ('<', "&lt;")],
    &[('&', "&amp;"), ('<', "&lt;"), ('>', "&gt;")],
    &[('&', "&amp;"), ('<', "&lt;"), ('"', "&quot;")],
    &[('&', "&amp;"), ('<', "&lt;"), ('>', "&gt;"), ('"', "&quot;")],
    &[('&', "&amp;"), ('<', "&lt;"), ('>', "&gt;"), ('"', "&quot;"), ('\'', "&apos;")],
    &[('&', "&amp;"), ('<', "&lt;"), ('>', "&gt;"), ('"', "&quot;"), ('\'', "&#39;")],
    &[('&', "&amp;"), ('<', "&lt;"), ('>', "&gt;"), ('"', "&quot;"), ('\'', "&#x27;")],
    &[('&', "&amp;"), ('<', "&lt;"), ('>', "&gt;"), ('"', "&#34;"), ('\'', "&#39;")],
    // Go's encoding/xml
    &[
        ('&', "&amp;"),
        ('<', "&lt;"),
        ('>', "&gt;"),
        ('"', "&#34;"),
        ('\'', "&#39;"),
        ('\t', "&#x9;"),
        ('\n', "&#xA;"),
        ('\r', "&#xD;"),
    ],
];

/// How a character that is not ASCII stands.
#[derive(Clone, Copy)]
enum Other {
    AsItIs,
    Decimal,
    Hexadecimal,
}

pub(super) fn spellings(text: &str, add: &mut impl FnMut(Spelling)) {
    let all = [Other::AsItIs, Other::Decimal, Other::Hexadecimal];
    let others = if text.is_ascii() { &all[..1] } else { &all };
    for rule in RULES {
        for other in others {
            add(encode(text, rule, *other));
        }
    }
}

fn encode(text: &str, rule: &[(char, &str)], other: Other) -> Spelling {
    let mut spelling = room_for(text.as_bytes(), 6);
    for c in text.chars() {
        if let Some((_, reference)) = rule.iter().find(|(replaced, _)| *replaced == c) {
            spelling.extend(reference.as_bytes());
            continue;
        }
        // Writing to memory does not fail.
        let _ = match other {
            Other::Decimal if !c.is_ascii() => write!(spelling, "&#{};", u32::from(c)),
            Other::Hexadecimal if !c.is_ascii() => write!(spelling, "&#x{:X};", u32::from(c)),
            _ => spelling.write_all(c.encode_utf8(&mut [0; 4]).as_bytes()),
        };
    }
    spelling
}
