//! The server's program, run to its end.

use std::process::{Command, Output, Stdio};

/// The server's program, in an environment that has nothing of this one's configuration.
pub fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_secrets-server"));
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("SECRETS_")) {
        command.env_remove(name);
    }
    command
}

/// Runs the server's program to its end.
pub fn run(arguments: &[&str]) -> ProgramOutput {
    ProgramOutput::from(command(arguments).output().unwrap())
}

/// What a program printed, and the code that it ended with.
pub struct ProgramOutput {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl From<Output> for ProgramOutput {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}
