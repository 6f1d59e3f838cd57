//! What a program printed, and the code that it ended with.

use std::process::Output;

use serde_json::Value;

/// The output of a program that has ended.
#[derive(Debug)]
pub(crate) struct ProgramOutput {
    /// -1 when a signal ended it.
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl From<Output> for ProgramOutput {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl ProgramOutput {
    #[track_caller]
    pub(crate) fn expect_success(self, line: &str) -> Self {
        assert_eq!(self.code, 0, "{line}: {self:?}");
        self
    }

    /// Expects this code, and a line on stderr that begins with `error: `.
    #[track_caller]
    pub(crate) fn expect_failure(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self:?}");
        assert!(self.stderr.lines().any(|line| line.starts_with("error: ")), "{self:?}");
        self
    }

    /// The only line on stdout: a credential, alone.
    #[track_caller]
    pub(crate) fn line(&self) -> String {
        assert_eq!(self.stdout.lines().count(), 1, "{self:?}");
        self.stdout.trim_end().to_owned()
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The cells of the table's row that begins with `name`, without a column's inner spaces being lost.
    #[track_caller]
    pub(crate) fn row(&self, name: &str) -> Vec<String> {
        let row = self.stdout.lines().find(|line| line.split_whitespace().next() == Some(name));
        let row = row.unwrap_or_else(|| panic!("no row {name}: {self:?}"));
        row.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).map(str::to_owned).collect()
    }

    /// The first cell of the row that holds the word `name`: what a person copies from a list.
    #[track_caller]
    pub(crate) fn row_of(&self, name: &str) -> String {
        let row = self.stdout.lines().find(|line| line.split_whitespace().any(|word| word == name));
        let row = row.unwrap_or_else(|| panic!("no row with {name}: {self:?}"));
        row.split_whitespace().next().unwrap().to_owned()
    }

    /// Expects each of the texts on stdout or stderr.
    #[track_caller]
    pub(crate) fn expect_text(self, texts: &[&str]) -> Self {
        for text in texts {
            assert!(self.stdout.contains(text) || self.stderr.contains(text), "no {text}: {self:?}");
        }
        self
    }

    /// Expects the text on neither.
    #[track_caller]
    pub(crate) fn reject_text(self, text: &str) -> Self {
        assert!(!self.stdout.contains(text) && !self.stderr.contains(text), "{self:?}");
        self
    }
}
