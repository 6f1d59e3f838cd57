//! People who type commands.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{ProgramOutput, TestServer, isolated_command};

/// A person with a home directory and a configuration of their own.
pub(crate) struct Person<'a> {
    pub(super) server: &'a TestServer,
    pub(crate) home: PathBuf,
    pub(crate) environment: Vec<(String, String)>,
}

impl Person<'_> {
    /// The same person with a variable set.
    #[must_use]
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// `secrets` with the words of `line`, in the person's home.
    pub(crate) fn command(&self, line: &str) -> Command {
        self.command_words(&line.split(' ').collect::<Vec<_>>())
    }

    pub(crate) fn command_words(&self, words: &[&str]) -> Command {
        self.program(Path::new(env!("CARGO_BIN_EXE_secrets")), words)
    }

    /// Another program in the environment that `secrets` has here.
    pub(crate) fn program(&self, program: &Path, words: &[&str]) -> Command {
        let mut command = isolated_command(program);
        command.args(words).current_dir(&self.home).env("HOME", &self.home);
        command.env("SECRETS_ENDPOINT", &self.server.endpoint).env("XDG_RUNTIME_DIR", self.home.join(".runtime"));
        command.envs(self.environment.iter().cloned());
        command
    }

    /// Runs `secrets` with the words of `line` to its end.
    pub(crate) fn run(&self, line: &str) -> ProgramOutput {
        ProgramOutput::from(self.command(line).output().unwrap())
    }

    pub(crate) fn run_words(&self, words: &[&str]) -> ProgramOutput {
        ProgramOutput::from(self.command_words(words).output().unwrap())
    }

    /// `secrets … < stdin`
    pub(crate) fn run_with_stdin(&self, stdin: &[u8], line: &str) -> ProgramOutput {
        let mut child =
            self.command(line).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let _ = child.stdin.take().unwrap().write_all(stdin); // it may be refused before it is read
        ProgramOutput::from(child.wait_with_output().unwrap())
    }

    /// Runs a command that must succeed.
    pub(crate) fn run_ok(&self, line: &str) -> ProgramOutput {
        self.run(line).expect_success(line)
    }

    /// Stores a secret, which must succeed; `line` begins with its name.
    pub(crate) fn set(&self, value: &str, line: &str) -> ProgramOutput {
        self.run_with_stdin(value.as_bytes(), &format!("set {line}")).expect_success(line)
    }
}
