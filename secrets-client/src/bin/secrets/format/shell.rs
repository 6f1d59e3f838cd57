use secrets_core::SecretId;

use super::Unfit;

/// Writes an `export` that every shell of the Bourne family reads. In single quotes nothing means anything, so nothing of
/// a value can run; nor of a name, which has letters, digits and `_` alone.
pub(super) fn write(name: &SecretId, value: &[u8], text: &mut Vec<u8>) -> Result<(), Unfit> {
    if value.contains(&0) {
        return Err("it has a NUL byte".to_owned());
    }
    text.extend(b"export ");
    text.extend(name.as_str().as_bytes());
    text.extend(b"='");
    for byte in value {
        match byte {
            b'\'' => text.extend(br"'\''"),
            byte => text.push(*byte),
        }
    }
    text.extend(b"'\n");
    Ok(())
}
