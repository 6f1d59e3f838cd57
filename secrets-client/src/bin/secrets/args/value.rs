//! Where a value comes from: a hidden prompt, stdin or a file, never an argument.

use std::io::Read;
use std::path::PathBuf;

use clap::Args;
use secrets_core::Limits;
use zeroize::Zeroizing;

use crate::ui::error::{CliError, ExitCode};
use crate::ui::prompt;

/// How the value is given.
#[derive(Args, Debug, Default)]
pub(crate) struct ValueArgs {
    /// Read the value from this file, or from stdin with `-`
    #[arg(long, value_name = "PATH")]
    value_file: Option<PathBuf>,
    /// Keep a newline at the end of the input, where one is removed otherwise
    #[arg(long)]
    raw: bool,
    /// Show the value while it is typed
    #[arg(long)]
    echo: bool,
}

/// A value, and whether a newline was removed from its end.
pub(crate) struct EnteredValue {
    pub(crate) value: Zeroizing<Vec<u8>>,
    pub(crate) newline_removed: bool,
}

impl ValueArgs {
    /// Whether a flag says where the value comes from.
    pub(crate) fn is_explicit(&self) -> bool {
        self.value_file.is_some() || self.raw || self.echo
    }

    /// Reads the value; `prompt` is what a person is asked.
    pub(crate) fn read(&self, prompt: &str) -> Result<EnteredValue, CliError> {
        let failed = |source: &str, error| CliError::new(ExitCode::Failed, format!("{source}: {error}"));
        let value = match &self.value_file {
            None if prompt::stdin_is_terminal() => {
                let hidden = if self.echo { ": " } else { " (hidden): " };
                let value = prompt::line(&format!("{prompt}{hidden}"), self.echo)?;
                return check(EnteredValue { value, newline_removed: false });
            }
            Some(path) if path.as_os_str() != "-" => {
                let source = format!("`{}`", path.display());
                let file = std::fs::File::open(path).map_err(|error| failed(&source, error))?;
                read(file).map_err(|error| failed(&source, error))?
            }
            _ => read(std::io::stdin().lock()).map_err(|error| failed("stdin", error))?,
        };
        check(if self.raw { EnteredValue { value, newline_removed: false } } else { without_newline(value) })
    }
}

/// Refuses a value that is too long for every organization, before anything is sent.
fn check(given: EnteredValue) -> Result<EnteredValue, CliError> {
    let max = Limits::default().value_bytes;
    if given.value.len() as u64 > max {
        return Err(CliError::new(ExitCode::Failed, format!("the value must be at most {max} bytes")));
    }
    Ok(given)
}

/// Reads a value, and not more of it than shows that it is too long.
fn read(source: impl Read) -> std::io::Result<Zeroizing<Vec<u8>>> {
    let enough = Limits::default().value_bytes + 3;
    let mut value = Zeroizing::new(Vec::with_capacity(usize::try_from(enough).unwrap_or(0) + 1));
    source.take(enough).read_to_end(&mut value)?;
    Ok(value)
}

/// Takes one newline, `\n` or `\r\n`, from the end: what `echo` and editors add.
fn without_newline(mut value: Zeroizing<Vec<u8>>) -> EnteredValue {
    let newline = if value.ends_with(b"\r\n") { 2 } else { usize::from(value.ends_with(b"\n")) };
    let length = value.len() - newline;
    value.truncate(length);
    EnteredValue { value, newline_removed: newline > 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stripped(value: &[u8]) -> (Vec<u8>, bool) {
        let given = without_newline(Zeroizing::new(value.to_vec()));
        (given.value.to_vec(), given.newline_removed)
    }

    #[test]
    fn takes_one_newline_from_the_end() {
        assert_eq!(stripped(b"lin_123\n"), (b"lin_123".to_vec(), true));
        assert_eq!(stripped(b"a\r\n"), (b"a".to_vec(), true));
        assert_eq!(stripped(b"a\n\n"), (b"a\n".to_vec(), true));
        assert_eq!(stripped(b"a"), (b"a".to_vec(), false));
        assert_eq!(stripped(b"\n"), (vec![], true));
    }

    #[test]
    fn reads_a_file_and_keeps_its_newline_when_told_to() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(&file, "key\n").unwrap();
        let args = |raw| ValueArgs { value_file: Some(file.path().to_owned()), raw, echo: false };
        assert_eq!(args(false).read("").unwrap().value.as_slice(), b"key");
        assert_eq!(args(true).read("").unwrap().value.as_slice(), b"key\n");
    }

    #[test]
    fn stops_reading_what_is_too_long() {
        assert!(read(std::io::repeat(b'x')).unwrap().len() > 65_536);
        let long = Zeroizing::new(vec![b'x'; 65_537]);
        assert!(check(EnteredValue { value: long, newline_removed: false }).is_err());
        let full = Zeroizing::new(vec![b'x'; 65_536]);
        assert!(check(EnteredValue { value: full, newline_removed: false }).is_ok());
    }
}
