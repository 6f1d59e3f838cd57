use secrets_core::{NamePolicy, SecretId, dotenv};
use zeroize::Zeroizing;

use super::Unfit;

/// Writes a line in the part of the syntax that the readers of all languages agree on.
pub(super) fn write(name: &str, value: &[u8], text: &mut Vec<u8>) -> Result<(), Unfit> {
    let name = SecretId::parse(name, NamePolicy::Relaxed).map_err(|error| error.to_string())?;
    let line = dotenv::write(&[(&name, value)]).map_err(|error| error.problem.to_string())?;
    text.extend(Zeroizing::new(line).as_bytes());
    Ok(())
}
