use secrets_core::{SecretId, dotenv};
use zeroize::Zeroizing;

use super::Unfit;

/// Writes a line in the part of the syntax that the readers of all languages agree on.
pub(super) fn write(name: &SecretId, value: &[u8], text: &mut Vec<u8>) -> Result<(), Unfit> {
    let line = dotenv::write(&[(name, value)]).map_err(|error| error.problem.to_string())?;
    text.extend(Zeroizing::new(line).as_bytes());
    Ok(())
}
