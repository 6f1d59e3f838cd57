//! Who calls the hostile service, in a home of their own.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::support::{HostileService, ProgramOutput, isolated_command};

/// Somebody with a token and a home directory.
pub(crate) struct Caller {
    home: tempfile::TempDir,
    endpoint: String,
}

impl Caller {
    pub(crate) fn of(service: &HostileService) -> Self {
        Self::at(&service.endpoint)
    }

    pub(crate) fn at(endpoint: &str) -> Self {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir(home.path().join(".runtime")).unwrap();
        Self { home, endpoint: endpoint.to_owned() }
    }

    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    /// `secrets` with the words of `line`, in the home directory.
    pub(crate) fn command(&self, line: &str) -> Command {
        self.command_words(&line.split(' ').collect::<Vec<_>>())
    }

    pub(crate) fn command_words(&self, words: &[&str]) -> Command {
        let mut command = isolated_command(Path::new(env!("CARGO_BIN_EXE_secrets")));
        command.args(words).current_dir(self.home()).env("HOME", self.home());
        command.env("SECRETS_ENDPOINT", &self.endpoint).env("SECRETS_ORGANIZATION", "acme");
        command.env("SECRETS_TOKEN", "sper_00000000").env("XDG_RUNTIME_DIR", self.home().join(".runtime"));
        command
    }

    pub(crate) fn run(&self, line: &str) -> ProgramOutput {
        ProgramOutput::from(self.command(line).output().unwrap())
    }

    pub(crate) fn run_words(&self, words: &[&str]) -> ProgramOutput {
        ProgramOutput::from(self.command_words(words).output().unwrap())
    }

    pub(crate) fn run_with_stdin(&self, stdin: &[u8], line: &str) -> ProgramOutput {
        let mut command = self.command(line);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let _ = child.stdin.take().unwrap().write_all(stdin); // it may end before it reads
        ProgramOutput::from(child.wait_with_output().unwrap())
    }

    /// Everything below the home directory, but what the runner itself keeps.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        let mut ahead = vec![self.home().to_owned()];
        while let Some(directory) = ahead.pop() {
            for entry in std::fs::read_dir(directory).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() && !path.ends_with(".runtime") {
                    ahead.push(path.clone());
                }
                found.push(path);
            }
        }
        found.retain(|path| !path.ends_with(".runtime"));
        found
    }
}

/// Whether a terminal would obey something in a text, or a reader not see it.
#[track_caller]
pub(crate) fn expect_harmless(text: &str) {
    let is_harmful = |c: char| {
        (c.is_control() && c != '\n')
            || matches!(c,
                '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
                | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
    };
    assert!(!text.chars().any(is_harmful), "{text:?}");
}
