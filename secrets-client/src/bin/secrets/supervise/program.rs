//! A program as it is started.

use std::ffi::OsString;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use crate::output_masking::masking::Masking;
use crate::ui::error::{CliError, ExitCode};

/// What is started.
pub(crate) struct Program {
    /// The program and its arguments.
    pub(crate) words: Vec<OsString>,
    /// All of its environment.
    pub(crate) environment: Vec<(OsString, OsString)>,
    /// What is masked in its output; none leaves it our own streams.
    pub(crate) masking: Option<Masking>,
    /// Whether it leads a process group of its own, so that all it starts can be ended with it. Only where no terminal
    /// reaches ours: its keys would not reach the program, which could not read from it either.
    pub(crate) leads_group: bool,
}

impl Program {
    /// It, with its environment and nothing else of ours.
    pub(crate) fn command(&self) -> Command {
        let mut words = self.words.iter();
        let mut command = Command::new(words.next().map(OsString::as_os_str).unwrap_or_default());
        command.args(words).env_clear().envs(self.environment.iter().map(|(name, value)| (name, value)));
        if self.leads_group {
            command.process_group(0);
        }
        command
    }

    /// Becomes the program. Returns only if that failed.
    pub(crate) fn execute(&self) -> CliError {
        self.not_started(&self.command().exec())
    }

    /// What is said if it can't be executed.
    pub(crate) fn not_started(&self, error: &io::Error) -> CliError {
        let program = self.words.first().map(|word| word.to_string_lossy()).unwrap_or_default();
        match error.kind() {
            io::ErrorKind::NotFound if program.contains('/') => CliError::new(
                ExitCode::NoSuchProgram,
                format!("`{program}`: there is no such program, or what its `#!` names"),
            ),
            io::ErrorKind::NotFound => {
                CliError::new(ExitCode::NoSuchProgram, format!("`{program}`: command not found"))
            }
            _ => CliError::new(ExitCode::NotExecutable, format!("`{program}`: {error}")),
        }
    }
}
