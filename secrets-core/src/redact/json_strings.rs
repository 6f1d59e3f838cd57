//! The strings within a value that is JSON, as programs take them out of it: `jq -r .private_key`.
//!
//! It is no parser: what looks like an object or an array is read for its quoted strings, and what they stand in does not
//! matter, so that JSON with comments, or with a comma too many, serves as well.

use super::encoding::{Spelling, room_for};

/// Of one value; those behind are masked as part of it only.
const MAX_STRINGS: usize = 256;

/// The strings in `value` that are no keys, without their escapes, in order; none if it is no JSON.
pub(super) fn strings(value: &[u8]) -> Vec<Spelling> {
    let text = value.trim_ascii();
    let is_json = matches!((text.first(), text.last()), (Some(b'{'), Some(b'}')) | (Some(b'['), Some(b']')));
    let mut strings = Vec::new();
    let mut rest = if is_json { text } else { &[] };
    while strings.len() < MAX_STRINGS {
        let Some(inside) = rest.iter().position(|&byte| byte == b'"').and_then(|at| rest.get(at + 1..)) else { break };
        let Some((string, behind)) = end_of_string(inside).and_then(|end| inside.split_at_checked(end)) else { break };
        rest = behind.get(1..).unwrap_or_default();
        let is_key = rest.trim_ascii_start().starts_with(b":");
        if !is_key {
            strings.extend(unescape(string));
        }
    }
    strings
}

/// Where the quote is that ends the string in front.
fn end_of_string(text: &[u8]) -> Option<usize> {
    let mut is_escaped = false;
    text.iter().position(|&byte| {
        let ends = byte == b'"' && !is_escaped;
        is_escaped = byte == b'\\' && !is_escaped;
        ends
    })
}

/// None if an escape is none that JSON has.
fn unescape(string: &[u8]) -> Option<Spelling> {
    let mut text = room_for(string, 1);
    let mut rest = string;
    while let Some((&byte, behind)) = rest.split_first() {
        rest = behind;
        if byte != b'\\' {
            text.push(byte);
            continue;
        }
        let (&name, behind) = rest.split_first()?;
        rest = behind;
        match name {
            b'"' | b'\\' | b'/' => text.push(name),
            b'n' => text.push(b'\n'),
            b'r' => text.push(b'\r'),
            b't' => text.push(b'\t'),
            b'b' => text.push(8),
            b'f' => text.push(12),
            b'u' => text.extend_from_slice(unicode(&mut rest)?.encode_utf8(&mut [0; 4]).as_bytes()),
            _ => return None,
        }
    }
    Some(text)
}

/// The character of `\uXXXX`, or of the two in a row that a character beyond the first 65,536 takes.
fn unicode(rest: &mut &[u8]) -> Option<char> {
    let first = unit(rest)?;
    if !(0xD800..=0xDBFF).contains(&first) {
        return char::from_u32(u32::from(first));
    }
    *rest = rest.strip_prefix(b"\\u")?;
    char::decode_utf16([first, unit(rest)?]).next()?.ok()
}

fn unit(rest: &mut &[u8]) -> Option<u16> {
    let (digits, behind) = rest.split_at_checked(4)?;
    *rest = behind;
    digits.iter().try_fold(0, |unit, &digit| Some(unit << 4 | char::from(digit).to_digit(16)? as u16))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &str) -> Vec<String> {
        strings(value.as_bytes()).iter().map(|string| String::from_utf8(string.to_vec()).unwrap()).collect()
    }

    #[test]
    fn reads_the_strings_that_are_no_keys() {
        for (value, expected) in [
            (r#"{"a": "one", "b" : ["two", {"c":"three"}], "d": 4}"#, &["one", "two", "three"][..]),
            (" [\"one\",\n\"\"] \n", &["one", ""]),
            (r#"{"a":"q\"uo\\te\/\n\t\u00e9\ud83d\ude00"}"#, &["q\"uo\\te/\n\té😀"]),
            (r#"{"a": "one", /* what */ "b": "two",}"#, &["one", "two"]),
            // Not what JSON has: left out, and what follows is read all the same.
            (r#"{"a":"\x41","b":"\ud83dx","c":"\u12","d":"\u+123","e":"four"}"#, &["four"]),
            (r#"{"a":"unended}"#, &[]),
            (r#"{"a":"one\"}"#, &[]),
            ("{", &[]),
            ("\"one\"", &[]),
            ("key = \"one\"", &[]),
            ("", &[]),
        ] {
            assert_eq!(read(value), expected, "{value}");
        }
    }

    #[test]
    fn reads_no_more_than_so_many() {
        let value = format!("[{}]", vec!["\"one\""; MAX_STRINGS + 1].join(","));
        assert_eq!(strings(value.as_bytes()).len(), MAX_STRINGS);
    }
}
