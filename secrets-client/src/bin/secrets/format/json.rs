use secrets_core::SecretId;
use zeroize::Zeroizing;

use super::Unfit;
use crate::ui::escape;

/// Writes a member of an object.
pub(super) fn write(name: &SecretId, value: &[u8], text: &mut Vec<u8>) -> Result<(), Unfit> {
    let value = std::str::from_utf8(value).map_err(|_| "it is not UTF-8".to_owned())?;
    if !text.is_empty() {
        text.extend(b",\n");
    }
    text.extend(b"  ");
    serde_json::to_writer(&mut *text, name.as_str()).map_err(|error| error.to_string())?;
    text.extend(b": ");
    let value = Zeroizing::new(serde_json::to_string(value).map_err(|error| error.to_string())?);
    text.extend(Zeroizing::new(escape::json(&value)).as_bytes());
    Ok(())
}

/// The object of these members.
pub(super) fn enclose(members: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut text = Zeroizing::new(Vec::with_capacity(members.len() + 8));
    if members.is_empty() {
        text.extend(b"{}\n");
    } else {
        text.extend(b"{\n");
        text.extend(members);
        text.extend(b"\n}\n");
    }
    text
}
