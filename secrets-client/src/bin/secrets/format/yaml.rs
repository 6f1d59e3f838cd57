use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use secrets_core::SecretId;
use zeroize::Zeroizing;

use super::Unfit;

/// Writes a line of a mapping. A value that is not UTF-8 is `!!binary`, which YAML 1.1 and the readers of 1.2 know.
///
/// The name is quoted as well: `NO` and `ON` alone would be no texts.
pub(super) fn write(name: &SecretId, value: &[u8], text: &mut Vec<u8>) -> Result<(), Unfit> {
    quoted(name.as_str(), text);
    text.extend(b": ");
    match std::str::from_utf8(value) {
        Ok(value) => quoted(value, text),
        Err(_) => {
            text.extend(b"!!binary \"");
            text.extend(Zeroizing::new(BASE64_STANDARD.encode(value)).as_bytes());
            text.push(b'"');
        }
    }
    text.push(b'\n');
    Ok(())
}

/// In double quotes, on one line, with nothing in it that a reader might take for a line's end or not let pass.
fn quoted(value: &str, text: &mut Vec<u8>) {
    text.push(b'"');
    for c in value.chars() {
        match c {
            '"' | '\\' => text.extend([b'\\', c as u8]),
            ' '..='~' => text.push(c as u8),
            '\n' => text.extend(br"\n"),
            '\r' => text.extend(br"\r"),
            '\t' => text.extend(br"\t"),
            c if c.is_alphanumeric() => text.extend(c.encode_utf8(&mut [0; 4]).as_bytes()),
            c if c <= '\u{ffff}' => text.extend(format!("\\u{:04X}", u32::from(c)).as_bytes()),
            c => text.extend(format!("\\U{:08X}", u32::from(c)).as_bytes()),
        }
    }
    text.push(b'"');
}
