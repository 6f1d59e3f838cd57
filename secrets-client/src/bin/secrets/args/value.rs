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
    /// Keep a newline at the end of the input, as a file always does
    #[arg(long)]
    raw: bool,
    /// Show the value while it is typed
    #[arg(long)]
    echo: bool,
}

impl ValueArgs {
    /// Whether a flag says where the value comes from.
    pub(crate) fn is_explicit(&self) -> bool {
        self.value_file.is_some() || self.raw || self.echo
    }

    /// Whether a person is asked for the value.
    pub(crate) fn is_asked_for(&self) -> bool {
        self.value_file.is_none() && prompt::stdin_is_terminal()
    }

    /// Whether it comes from a file.
    pub(crate) fn has_file(&self) -> bool {
        self.value_file.is_some()
    }

    /// Takes the value from this file.
    pub(crate) fn take_from(&mut self, path: PathBuf) {
        self.value_file = Some(path);
    }

    /// Reads the value; `prompt` is what a person is asked. What will be a file has the bytes that are given; of any other value,
    /// one newline is taken from the end.
    pub(crate) fn read(&self, prompt: &str, is_file: bool) -> Result<Zeroizing<Vec<u8>>, CliError> {
        let failed = |source: &str, error| CliError::new(ExitCode::Failed, format!("{source}: {error}"));
        let value = match &self.value_file {
            None if prompt::stdin_is_terminal() => prompt::value(prompt, self.echo)?,
            Some(path) if path.as_os_str() != "-" => {
                let source = format!("`{}`", path.display());
                let file = std::fs::File::open(path).map_err(|error| failed(&source, error))?;
                read(file).map_err(|error| failed(&source, error))?
            }
            _ => read(std::io::stdin().lock()).map_err(|error| failed("stdin", error))?,
        };
        check(if self.raw || is_file { value } else { without_newline(value) })
    }
}

/// Refuses a value that is too long for every organization, before anything is sent.
fn check(value: Zeroizing<Vec<u8>>) -> Result<Zeroizing<Vec<u8>>, CliError> {
    let max = Limits::default().value_bytes;
    if value.len() as u64 > max {
        return Err(CliError::new(ExitCode::Failed, format!("the value must be at most {max} bytes")));
    }
    Ok(value)
}

/// Reads a value, and not more of it than shows that it is too long.
fn read(source: impl Read) -> std::io::Result<Zeroizing<Vec<u8>>> {
    let enough = Limits::default().value_bytes + 3;
    let mut value = Zeroizing::new(Vec::with_capacity(usize::try_from(enough).unwrap_or(0) + 1));
    source.take(enough).read_to_end(&mut value)?;
    Ok(value)
}

/// Takes one newline, `\n` or `\r\n`, from the end: what `echo` and editors add.
fn without_newline(mut value: Zeroizing<Vec<u8>>) -> Zeroizing<Vec<u8>> {
    let newline = if value.ends_with(b"\r\n") { 2 } else { usize::from(value.ends_with(b"\n")) };
    let length = value.len() - newline;
    value.truncate(length);
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stripped(value: &[u8]) -> Vec<u8> {
        without_newline(Zeroizing::new(value.to_vec())).to_vec()
    }

    #[test]
    fn takes_one_newline_from_the_end() {
        assert_eq!(stripped(b"lin_123\n"), b"lin_123");
        assert_eq!(stripped(b"a\r\n"), b"a");
        assert_eq!(stripped(b"a\n\n"), b"a\n");
        assert_eq!(stripped(b"a"), b"a");
        assert_eq!(stripped(b"\n"), b"");
    }

    #[test]
    fn keeps_the_newline_of_what_will_be_a_file_or_when_told_to() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(&file, "key\n").unwrap();
        let args = |raw| ValueArgs { value_file: Some(file.path().to_owned()), raw, echo: false };
        for (raw, is_file, read) in [(false, false, &b"key"[..]), (true, false, b"key\n"), (false, true, b"key\n")] {
            assert_eq!(args(raw).read("", is_file).unwrap().as_slice(), read);
        }
    }

    #[test]
    fn stops_reading_what_is_too_long() {
        assert!(read(std::io::repeat(b'x')).unwrap().len() > 65_536);
        let long = Zeroizing::new(vec![b'x'; 65_537]);
        assert!(check(long).is_err());
        let full = Zeroizing::new(vec![b'x'; 65_536]);
        assert!(check(full).is_ok());
    }
}
