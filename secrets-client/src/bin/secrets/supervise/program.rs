//! A program as it is started.

use std::ffi::OsString;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use rustix::io::Errno;

use super::{script, too_large};
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
    /// `words`, its own or what starts it as a script, with its environment and nothing else of ours.
    pub(super) fn command(&self, words: &[OsString]) -> Command {
        let mut words = words.iter();
        let mut command = Command::new(words.next().map(OsString::as_os_str).unwrap_or_default());
        command.args(words).env_clear().envs(self.environment.iter().map(|(name, value)| (name, value)));
        if self.leads_group {
            command.process_group(0);
        }
        command
    }

    /// Becomes the program. Returns only if that failed.
    pub(crate) fn execute(&self) -> CliError {
        let error = self.command(&self.words).exec();
        match self.as_script(&error) {
            Some(words) => self.not_started(&self.command(&words).exec()),
            None => self.not_started(&error),
        }
    }

    /// The words that start it as a script, if `error` says that it is no program, and it is a script.
    pub(super) fn as_script(&self, error: &io::Error) -> Option<Vec<OsString>> {
        let path = self.environment.iter().find(|(name, _)| name == "PATH");
        script::words(&self.words, path.map(|(_, value)| value.as_os_str()), error)
    }

    /// What is said if it can't be executed.
    fn not_started(&self, error: &io::Error) -> CliError {
        let program = self.words.first().map(|word| word.to_string_lossy()).unwrap_or_default();
        let error = match error.kind() {
            _ if is_too_large(error) => too_large::explain(&self.words, &self.environment),
            io::ErrorKind::NotFound if program.contains('/') => CliError::new(
                ExitCode::NoSuchProgram,
                format!("`{program}`: there is no such program, or what its `#!` names"),
            ),
            io::ErrorKind::NotFound => {
                CliError::new(ExitCode::NoSuchProgram, format!("`{program}`: command not found"))
            }
            _ => CliError::new(ExitCode::NotExecutable, format!("`{program}`: {error}")),
        };
        // A line in quotes is one word, and no shell takes it apart.
        match self.words.as_slice() {
            [_] if program.contains(' ') && error.exit == ExitCode::NoSuchProgram => {
                error.hint("leave out the quotes, or let sh read the line: `secrets run --shell 'LINE'`")
            }
            _ => error,
        }
    }
}

/// Whether `error` says that arguments and environment are larger than the system takes.
pub(super) fn is_too_large(error: &io::Error) -> bool {
    Errno::from_io_error(error) == Some(Errno::TOOBIG)
}

/// Why a program does not run.
pub(super) enum StartError {
    /// The system does not execute it.
    NotExecuted(io::Error),
    /// Something that it needs could not be set up.
    NotPrepared(CliError),
}

impl StartError {
    pub(super) fn explain(self, program: &Program) -> CliError {
        match self {
            Self::NotExecuted(error) => program.not_started(&error),
            Self::NotPrepared(error) => error,
        }
    }
}
