//! What a terminal shows behind a question: nothing, what is typed, or how much there is of it.

use std::fs::File;
use std::io::{IsTerminal as _, Write as _};
use std::os::fd::AsFd as _;

use rustix::termios::tcgetwinsize;
use zeroize::Zeroizing;

/// The terminal behind stderr or, where that is none, behind stdin.
pub(super) struct Screen {
    output: File,
    obeys_sequences: bool,
    columns: usize,
    rows: usize,
    /// Where the answer begins.
    column: usize,
    /// What stands there, and how many rows it has behind its first one.
    shown: Zeroizing<String>,
    rows_below: usize,
}

impl Screen {
    pub(super) fn open() -> std::io::Result<Self> {
        let (stdin, stderr) = (std::io::stdin(), std::io::stderr());
        let terminal = if stderr.is_terminal() { stderr.as_fd() } else { stdin.as_fd() };
        let output = terminal.try_clone_to_owned()?;
        let size = tcgetwinsize(&output).ok().filter(|size| size.ws_row > 1 && size.ws_col > 1);
        let (rows, columns) = size.map_or((24, 80), |size| (size.ws_row.into(), size.ws_col.into()));
        Ok(Self {
            output: output.into(),
            obeys_sequences: std::env::var_os("TERM").is_some_and(|term| !term.is_empty() && term != "dumb"),
            columns,
            rows,
            column: 0,
            shown: Zeroizing::default(),
            rows_below: 0,
        })
    }

    /// Whether it takes sequences that ask for something or move the cursor.
    pub(super) fn obeys_sequences(&self) -> bool {
        self.obeys_sequences
    }

    /// What writes to the same terminal.
    pub(super) fn output(&self) -> std::io::Result<File> {
        self.output.try_clone()
    }

    /// Writes the question, which is escaped; the answer stands behind it.
    pub(super) fn ask(&mut self, question: &str) {
        self.write(question);
        self.column = cells(question) % self.columns;
    }

    /// Shows `text` as the answer in place of what stands there; it is escaped and has one line.
    pub(super) fn show(&mut self, text: &str) {
        if *self.shown == text {
            return;
        }
        let mut changes = Zeroizing::new(String::with_capacity(4 * (self.shown.len() + text.len()) + 64));
        if self.obeys_sequences {
            self.erase(&mut changes);
            self.lay_out(&fitting(text, self.capacity()), &mut changes);
        } else {
            let same = common(&self.shown, text);
            for _ in self.shown.get(same..).unwrap_or_default().chars() {
                changes.push_str("\x08 \x08");
            }
            changes.push_str(text.get(same..).unwrap_or_default());
        }
        self.write(&changes);
        self.shown = Zeroizing::new(text.to_owned());
    }

    /// Ends the line; nothing is shown behind it.
    pub(super) fn end(&mut self) {
        self.write("\n");
    }

    fn write(&self, text: &str) {
        let _ = (&self.output).write_all(text.as_bytes());
    }

    /// How much fits, so that nothing scrolls away that has to be erased.
    fn capacity(&self) -> usize {
        (self.columns * (self.rows - 1)).saturating_sub(self.column)
    }

    fn erase(&self, changes: &mut String) {
        if self.shown.is_empty() {
            return;
        }
        if self.rows_below > 0 {
            changes.push_str(&format!("\x1b[{}A", self.rows_below));
        }
        changes.push('\r');
        if self.column > 0 {
            changes.push_str(&format!("\x1b[{}C", self.column));
        }
        changes.push_str("\x1b[J");
    }

    /// Writes rows that end where this says so, not where a terminal does.
    fn lay_out(&mut self, text: &str, changes: &mut String) {
        let mut column = self.column;
        self.rows_below = 0;
        for character in text.chars() {
            if column + width(character) > self.columns {
                changes.push_str("\r\n");
                column = 0;
                self.rows_below += 1;
            }
            changes.push(character);
            column += width(character);
        }
    }
}

/// `text`, or its beginning and its end with `…` between them where it has more than `capacity` cells.
fn fitting(text: &str, capacity: usize) -> Zeroizing<String> {
    if cells(text) <= capacity {
        return Zeroizing::new(text.to_owned());
    }
    // Each row may have a cell at its end that a wide character leaves free.
    let half = (capacity / 2).saturating_sub(2) / 2;
    let head = text.char_indices().nth(half).map_or(text.len(), |(at, _)| at);
    let tail = text.char_indices().rev().nth(half).map_or(0, |(at, _)| at).max(head);
    let mut fitted = Zeroizing::new(String::with_capacity(text.len() + 4));
    fitted.push_str(text.get(..head).unwrap_or_default());
    fitted.push('…');
    fitted.push_str(text.get(tail..).unwrap_or_default());
    fitted
}

fn cells(text: &str) -> usize {
    text.chars().map(width).sum()
}

/// As many cells as a character may have.
fn width(character: char) -> usize {
    if character.is_ascii() || character == '…' { 1 } else { 2 }
}

/// How many bytes both begin with, in whole characters.
fn common(one: &str, other: &str) -> usize {
    one.chars().zip(other.chars()).take_while(|(a, b)| a == b).map(|(a, _)| a.len_utf8()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn screen(obeys_sequences: bool) -> (Screen, tempfile::NamedTempFile) {
        let file = tempfile::NamedTempFile::new().unwrap();
        let screen = Screen {
            output: file.reopen().unwrap(),
            obeys_sequences,
            columns: 10,
            rows: 3,
            column: 0,
            shown: Zeroizing::default(),
            rows_below: 0,
        };
        (screen, file)
    }

    fn written(file: &tempfile::NamedTempFile) -> String {
        std::fs::read_to_string(file).unwrap()
    }

    #[test]
    fn shows_and_hides_what_has_several_rows() {
        let (mut screen, file) = screen(true);
        screen.ask("Value: ");
        screen.show("abcdef");
        screen.show("");
        screen.show("x");
        assert_eq!(written(&file), "Value: abc\r\ndef\x1b[1A\r\x1b[7C\x1b[Jx");
    }

    #[test]
    fn shows_no_more_than_it_can_hide_again() {
        let (mut screen, file) = screen(true);
        screen.ask("Value: ");
        screen.show(&"ab".repeat(50));
        assert!(screen.rows_below < 2 && written(&file).contains('…'), "{:?}", written(&file));
        assert!(fitting(&"\u{4e2d}".repeat(50), 13).chars().count() < 7);
        assert_eq!(*fitting("abcdef", 6), "abcdef");
    }

    #[test]
    fn takes_back_what_changed_where_nothing_else_is_obeyed() {
        let (mut screen, file) = screen(false);
        screen.ask("Value: ");
        screen.show("one two");
        screen.show("one \u{e4}");
        screen.show("");
        assert_eq!(written(&file).replace("\x08 \x08", "<"), "Value: one two<<<\u{e4}<<<<<");
    }
}
