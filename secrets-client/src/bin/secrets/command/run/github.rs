//! Masking hints for the logs of GitHub's runners.
//!
//! A runner that reads the workflow command `::add-mask::VALUE` shows `***` for that value from then on, whatever step
//! prints it: also what this program can't mask, because it was written past it, by a later step for instance.
//!
//! The commands go to stderr, which a runner reads as well: stdout may go into a file, which would hold the values then,
//! and the runner would never see them.

use std::io::{IsTerminal as _, Write as _};

use secrets_client::ResolvedSecret;
use secrets_core::redact::MIN_MASKED_BYTES;
use zeroize::Zeroizing;

use crate::output_masking::masking::is_masked;
use crate::ui::error::{CliError, ExitCode};
use crate::ui::output::Output;

/// Prints the commands for those of these secrets that are to be masked.
pub(super) fn print_hints<'a>(
    output: &Output,
    secrets: impl Iterator<Item = &'a ResolvedSecret>,
) -> Result<(), CliError> {
    let mut stderr = std::io::stderr();
    if stderr.is_terminal() {
        return Err(CliError::usage("--ci github would print the values on this terminal"));
    }
    for secret in secrets.filter(|secret| is_masked(secret)) {
        match hints(secret.expose(), MIN_MASKED_BYTES) {
            Some(hints) => stderr
                .write_all(hints.as_bytes())
                .map_err(|error| CliError::new(ExitCode::Failed, format!("stderr: {error}")))?,
            None => output.warn(&format!("{} is not text, which a log can't mask", secret.secret_id())),
        }
    }
    Ok(())
}

/// The commands for a value, and for each of its lines: a log is masked line by line. None for a value that is not text,
/// which a log can't hold.
fn hints(value: &[u8], shortest: usize) -> Option<Zeroizing<String>> {
    let text = std::str::from_utf8(value).ok()?;
    let mut hints = Zeroizing::new(String::new());
    let lines = text.split(['\r', '\n']).map(str::trim);
    let mut pieces: Vec<&str> = std::iter::once(text.trim()).chain(lines).filter(|p| p.len() >= shortest).collect();
    pieces.dedup();
    for piece in pieces {
        hints.push_str("::add-mask::");
        for c in piece.chars() {
            match c {
                '%' => hints.push_str("%25"),
                '\r' => hints.push_str("%0D"),
                '\n' => hints.push_str("%0A"),
                c => hints.push(c),
            }
        }
        hints.push('\n');
    }
    Some(hints)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_what_a_command_can_not_hold() {
        assert_eq!(*hints(b"100%sure", 6).unwrap(), "::add-mask::100%25sure\n");
        assert_eq!(
            *hints(b"first line\r\nsecond line\n}\n", 6).unwrap(),
            "::add-mask::first line%0D%0Asecond line%0A}\n::add-mask::first line\n::add-mask::second line\n"
        );
    }

    #[test]
    fn gives_none_for_what_would_mask_half_the_log() {
        assert_eq!(*hints(b"yes\n", 6).unwrap(), "");
        assert!(hints(&[0xff; 8], 6).is_none());
    }
}
