use secrets_core::SecretId;

use super::Unfit;

/// Docker gives up a file with a longer line.
const MAX_LINE_BYTES: usize = 65_535;

/// Writes a line for `docker run --env-file`, where all behind the `=` is the value as it is: no quotes, no escapes.
pub(super) fn write(name: &SecretId, value: &[u8], text: &mut Vec<u8>) -> Result<(), Unfit> {
    let why = if value.contains(&b'\n') {
        "it has a newline"
    } else if value.ends_with(b"\r") {
        "it ends with a carriage return"
    } else if std::str::from_utf8(value).is_err() || value.contains(&0) {
        "it is not text"
    } else if name.as_str().len() + 1 + value.len() > MAX_LINE_BYTES {
        "it is too long for a line"
    } else {
        text.extend(name.as_str().as_bytes());
        text.push(b'=');
        text.extend(value);
        text.push(b'\n');
        return Ok(());
    };
    Err(why.to_owned())
}
