//! A program as it is started.

use std::ffi::OsString;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use super::masking::Masking;
use crate::exit::{Exit, Failure};

/// What is started.
pub(super) struct Program {
    /// The program and its arguments.
    pub(super) words: Vec<OsString>,
    /// All of its environment.
    pub(super) environment: Vec<(OsString, OsString)>,
    /// What is masked in its output; none leaves it our own streams.
    pub(super) masking: Option<Masking>,
}

impl Program {
    /// It, with its environment and nothing else of ours.
    pub(super) fn command(&self) -> Command {
        let mut words = self.words.iter();
        let mut command = Command::new(words.next().map(OsString::as_os_str).unwrap_or_default());
        command.args(words).env_clear().envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Becomes the program. Returns only if that failed.
    pub(super) fn execute(&self) -> Failure {
        self.not_started(&self.command().exec())
    }

    /// What is said if it can't be executed.
    pub(super) fn not_started(&self, error: &io::Error) -> Failure {
        let exit = match error.kind() {
            io::ErrorKind::NotFound => Exit::NoSuchProgram,
            _ => Exit::NotExecutable,
        };
        let program = self.words.first().map(|word| word.to_string_lossy()).unwrap_or_default();
        Failure::new(exit, format!("`{program}`: {error}"))
    }
}
