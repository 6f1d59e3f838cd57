//! What a command prints: data on stdout, as aligned tables or as JSON, and everything else on stderr.
//!
//! JSON has one stable shape: a thing is an object with the field names of the `.proto` files, a list is an array of
//! them; enumerations are their names without prefix (`WORKSPACE`), times RFC 3339, absent things `null`. A change prints
//! what it changed. A credential that was made is the member `token` or `code`.

mod held_warnings;
pub(crate) mod json;
mod pager;
mod progress;
pub(crate) mod table;
pub(crate) mod text;
pub(crate) mod warning;

use std::future::Future;
use std::io::{IsTerminal as _, Write as _};

use clap::ValueEnum;
use secrets_client::v1;
use serde_json::Value;
use zeroize::Zeroizing;

use self::pager::Pager;
use self::table::Table;
use super::error::{CliError, ExitCode};
use super::escape::{self, escape};
use super::line_end::line_end;

/// What stdout is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Aligned columns for a person.
    #[default]
    Table,
    /// JSON for a program.
    Json,
}

/// Where and how a command prints.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    format: Format,
    /// Columns of the terminal that stdout is, if it is one.
    width: Option<usize>,
    color_out: bool,
    color_err: bool,
}

impl Output {
    pub(crate) fn new(format: Format) -> Self {
        let (stdout, stderr) = (std::io::stdout(), std::io::stderr());
        let color = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
            && std::env::var_os("TERM").is_none_or(|term| term != "dumb");
        let width = stdout
            .is_terminal()
            .then(|| rustix::termios::tcgetwinsize(&stdout).map_or(0, |size| usize::from(size.ws_col)));
        Self {
            format,
            width: width.filter(|columns| *columns >= 20),
            color_out: color && stdout.is_terminal(),
            color_err: color && stderr.is_terminal(),
        }
    }

    pub(crate) fn is_json(&self) -> bool {
        self.format == Format::Json
    }

    /// Columns of the terminal that stdout is, if it is one.
    pub(crate) fn width(&self) -> Option<usize> {
        self.width
    }

    /// Whether stdout is one.
    pub(crate) fn is_on_terminal(&self) -> bool {
        std::io::stdout().is_terminal()
    }

    pub(crate) fn colors_results(&self) -> bool {
        self.color_out
    }

    pub(crate) fn colors_errors(&self) -> bool {
        self.color_err
    }

    /// Prints a list: its rows as a table, or the `json` of it. An empty table is a note that says so.
    pub(crate) fn list(&self, table: &Table, json: Value, empty: &str) -> Result<(), CliError> {
        if self.is_json() {
            self.json(&json)
        } else if table.is_empty() {
            self.note(empty);
            Ok(())
        } else {
            self.styled(&table.render(self.width, self.color_out))
        }
    }

    /// Prints a list as [`list`](Self::list) does; what is longer than the screen, if that is wanted, through a pager.
    pub(crate) fn long_list(&self, table: &Table, json: &Value, empty: &str, is_paged: bool) -> Result<(), CliError> {
        let text = match (self.is_json(), table.is_empty()) {
            (true, _) => escape::json(&format!("{json:#}\n")),
            (false, true) => {
                self.note(empty);
                return Ok(());
            }
            (false, false) => table.render(self.width, self.color_out),
        };
        let pager = Pager::from_environment().filter(|_| is_paged && pager::is_longer_than_screen(&text));
        match pager.map(|pager| pager.show(&text)) {
            Some(Ok(true)) => Ok(()),
            Some(Err(error)) => Err(CliError::new(ExitCode::Failed, format!("pager: {error}"))),
            Some(Ok(false)) | None => self.styled(&text),
        }
    }

    /// Prints parts as one line with commas between, or as several on a terminal that is too narrow.
    pub(crate) fn sentence(&self, parts: &[String]) -> Result<(), CliError> {
        let mut text = String::new();
        let mut column = 0;
        for (at, part) in parts.iter().enumerate() {
            let length = table::width(part) + 2;
            let full = self.width.is_some_and(|width| column > 0 && column + length > width);
            text.push_str(if full {
                "\n  "
            } else if at > 0 {
                " "
            } else {
                ""
            });
            text.push_str(&escape(part));
            text.push_str(if at + 1 < parts.len() { "," } else { "\n" });
            column = if full { length + 2 } else { column + length };
        }
        self.text(&text)
    }

    /// Prints a thing: its fields a line each, or the `json` of it.
    pub(crate) fn fields(&self, fields: &[(&str, String)], json: &Value) -> Result<(), CliError> {
        if self.is_json() {
            return self.json(json);
        }
        let longest = fields.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
        let lines: String = fields
            .iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| format!("{name:longest$}  {}\n", escape(value)))
            .collect();
        self.text(&lines)
    }

    /// Says on stderr what was done, and prints the `json` of it where a program reads.
    pub(crate) fn done(&self, sentence: &str, json: &Value) -> Result<(), CliError> {
        self.note(sentence);
        if self.is_json() { self.json(json) } else { Ok(()) }
    }

    /// Prints a credential alone on stdout with the words around it on stderr, or the `json`, which holds it too. It is shown
    /// this once, so that a reader that is gone is a failure.
    pub(crate) fn credential(&self, sentence: &str, credential: &str, json: &Value) -> Result<(), CliError> {
        self.note(sentence);
        let text = Zeroizing::new(if self.is_json() { format!("{json:#}\n") } else { format!("{credential}\n") });
        // The credential itself has nothing that would be escaped; what else the service says of it may.
        let text = if self.is_json() { Zeroizing::new(escape::json(&text)) } else { text };
        write_out(text.as_bytes()).map_err(not_written)
    }

    pub(crate) fn json(&self, json: &Value) -> Result<(), CliError> {
        self.styled(&escape::json(&format!("{json:#}\n")))
    }

    /// Prints lines.
    pub(crate) fn text(&self, text: &str) -> Result<(), CliError> {
        self.styled(&escape::lines(text))
    }

    /// Prints lines with colours, whose every part is escaped.
    pub(crate) fn styled(&self, text: &str) -> Result<(), CliError> {
        self.bytes(text.as_bytes())
    }

    /// Writes to stdout what was asked for byte by byte. A reader that has read enough, as `head` does, is no failure.
    pub(crate) fn bytes(&self, bytes: &[u8]) -> Result<(), CliError> {
        match write_out(bytes) {
            Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(not_written(error)),
            _ => Ok(()),
        }
    }

    /// A line for the person, on stderr.
    pub(crate) fn note(&self, line: &str) {
        let _ = write!(std::io::stderr().lock(), "{}{}", escape(line), line_end());
    }

    /// The same while something may be under way whose progress stands in the line.
    pub(crate) fn note_in_between(&self, line: &str) {
        let mut stderr = std::io::stderr();
        let erase = if stderr.is_terminal() { "\r\x1b[K" } else { "" };
        let _ = write!(stderr, "{erase}{}{}", escape(line), line_end());
    }

    /// A warning for the person, on stderr: at once, or after what was done where a command holds them back.
    pub(crate) fn warn(&self, line: &str) {
        if held_warnings::take(line) {
            return;
        }
        let (yellow, plain) = if self.color_err { ("\x1b[33m", "\x1b[0m") } else { ("", "") };
        let _ = write!(std::io::stderr().lock(), "{yellow}warning:{plain} {}{}", escape(line), line_end());
    }

    /// Waits for what may take a while, and says so to a person who waits.
    pub(crate) async fn during<F: Future>(&self, what: &str, work: F) -> F::Output {
        progress::during(std::io::stderr().is_terminal(), what, work).await
    }

    pub(crate) fn warnings(&self, warnings: &[v1::Warning]) {
        for warning in warning::lines(warnings) {
            self.warn(&warning);
        }
    }
}

fn write_out(bytes: &[u8]) -> std::io::Result<()> {
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(bytes)?;
    stdout.flush()
}

fn not_written(error: std::io::Error) -> CliError {
    CliError::new(ExitCode::Failed, format!("stdout: {error}"))
}
