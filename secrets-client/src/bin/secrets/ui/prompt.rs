//! Questions on the terminal: hidden values, and yes or no.

use std::fs::File;
use std::io::{BufRead as _, BufReader, IsTerminal as _, Write as _};
use std::os::fd::AsFd;

use rustix::termios::{InputModes, LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

use super::error::{CliError, ExitCode};
use super::escape::escape;

/// Whether stdin is a person.
pub(crate) fn stdin_is_terminal() -> bool {
    std::io::stdin().is_terminal()
}

/// Asks for one line on stdin's terminal, without showing it unless `echo`.
pub(crate) fn line(question: &str, echo: bool) -> Result<Zeroizing<Vec<u8>>, CliError> {
    let mut stderr = std::io::stderr().lock();
    let _ = write!(stderr, "{}", escape(question)).and_then(|()| stderr.flush());
    let stdin = std::io::stdin();
    let line = {
        let _mode = KeyMode::enter(stdin.as_fd()).map_err(failed)?;
        read_keys(stdin.as_fd(), |shown| {
            let _ = if echo { stderr.write_all(shown).and_then(|()| stderr.flush()) } else { Ok(()) };
        })
    };
    let _ = writeln!(stderr);
    line
}

/// Asks for a yes; everything else is a no. `from_terminal` asks the terminal itself while stdin is being read as data.
pub(crate) fn confirm(question: &str, from_terminal: bool) -> Result<bool, CliError> {
    let refused = || CliError::usage("this question needs a terminal").hint("--yes answers it");
    let mut answer = String::new();
    let ask = || {
        let mut stderr = std::io::stderr().lock();
        let _ = write!(stderr, "{} [y/N] ", escape(question)).and_then(|()| stderr.flush());
    };
    let read = if from_terminal {
        let terminal = File::open("/dev/tty").map_err(|_| refused())?;
        if !std::io::stderr().is_terminal() {
            return Err(refused());
        }
        ask();
        BufReader::new(terminal).read_line(&mut answer)
    } else {
        if !stdin_is_terminal() {
            return Err(refused());
        }
        ask();
        std::io::stdin().lock().read_line(&mut answer)
    };
    if read.map_err(failed)? == 0 {
        let _ = writeln!(std::io::stderr().lock());
    }
    Ok(matches!(answer.trim(), "y" | "Y" | "yes" | "Yes" | "YES"))
}

fn failed(error: impl Into<std::io::Error>) -> CliError {
    CliError::new(ExitCode::Failed, format!("terminal: {}", error.into()))
}

/// A terminal that hands over each key at once, also Ctrl-C, until this is dropped. A terminal's own line editing would
/// cut a long value after 4,095 bytes, and a Ctrl-C would leave it without echo.
struct KeyMode<Fd: AsFd> {
    terminal: Fd,
    before: Termios,
}

impl<Fd: AsFd> KeyMode<Fd> {
    fn enter(terminal: Fd) -> rustix::io::Result<Self> {
        let before = tcgetattr(&terminal)?;
        let mut keys = before.clone();
        keys.local_modes.remove(LocalModes::ICANON | LocalModes::ISIG | LocalModes::IEXTEN | LocalModes::ECHO);
        keys.input_modes.insert(InputModes::ICRNL);
        keys.special_codes[SpecialCodeIndex::VMIN] = 1;
        keys.special_codes[SpecialCodeIndex::VTIME] = 0;
        tcsetattr(&terminal, OptionalActions::Drain, &keys)?;
        Ok(Self { terminal, before })
    }
}

impl<Fd: AsFd> Drop for KeyMode<Fd> {
    fn drop(&mut self) {
        // Flush: what is left of a paste of several lines must not become a command of the shell.
        let _ = tcsetattr(&self.terminal, OptionalActions::Flush, &self.before);
    }
}

/// Reads a line; `show` is given what changes on the screen where the line is shown.
fn read_keys(terminal: impl AsFd, mut show: impl FnMut(&[u8])) -> Result<Zeroizing<Vec<u8>>, CliError> {
    let mut line = Line::default();
    let mut keys = Zeroizing::new([0_u8; 4096]);
    loop {
        let count = match rustix::io::read(&terminal, keys.as_mut_slice()) {
            Ok(count) => count,
            Err(rustix::io::Errno::INTR) => continue,
            Err(error) => return Err(failed(error)),
        };
        match line.type_keys(keys.get(..count).unwrap_or_default(), &mut show) {
            State::Typing if count > 0 => {}
            State::Typing | State::Done => return Ok(line.text),
            State::Interrupted => return Err(CliError::new(ExitCode::Interrupted, "interrupted")),
            State::SeveralLines => {
                return Err(CliError::usage("the value has several lines")
                    .hint("give it on stdin, `… < file`, or with --value-file PATH"));
            }
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum State {
    Typing,
    Done,
    Interrupted,
    SeveralLines,
}

/// A line as it is typed.
struct Line {
    text: Zeroizing<Vec<u8>>,
    /// What of a key's sequence has come, as an arrow sends one: it is no text.
    sequence: Sequence,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Sequence {
    None,
    /// Behind an ESC.
    Begun,
    /// Behind `ESC [` or `ESC O`, which a letter or `~` ends.
    Parameters,
}

impl Default for Line {
    fn default() -> Self {
        // As long as a value may be, so that growing leaves no copies behind.
        Self { text: Zeroizing::new(Vec::with_capacity(64 * 1024 + 1)), sequence: Sequence::None }
    }
}

impl Line {
    /// Takes keys as a terminal's own line editing would; keys that mean nothing to it are no text either.
    fn type_keys(&mut self, keys: &[u8], show: &mut impl FnMut(&[u8])) -> State {
        const INTERRUPT: u8 = 0x03;
        const END: u8 = 0x04;
        const KILL: u8 = 0x15;
        const ERASE_WORD: u8 = 0x17;
        const ESCAPE: u8 = 0x1b;
        for (at, &key) in keys.iter().enumerate() {
            match (self.sequence, key) {
                (Sequence::None, ESCAPE) => self.sequence = Sequence::Begun,
                (Sequence::Begun, b'[' | b'O') => self.sequence = Sequence::Parameters,
                (Sequence::Parameters, 0x20..=0x3f) => {}
                (Sequence::Begun | Sequence::Parameters, _) => self.sequence = Sequence::None,
                (_, b'\n' | b'\r') if keys.len() > at + 1 => return State::SeveralLines,
                (_, b'\n' | b'\r' | END) => return State::Done,
                (_, INTERRUPT) => return State::Interrupted,
                (_, KILL) => while self.erase(show).is_some() {},
                (_, ERASE_WORD) => self.erase_word(show),
                (_, 0x7f | 0x08) => drop(self.erase(show)),
                (_, b'\t' | 0x20..) => {
                    self.text.push(key);
                    show(&[key]);
                }
                _ => {}
            }
        }
        State::Typing
    }

    /// Takes back one character, however many bytes it has; its first one.
    fn erase(&mut self, show: &mut impl FnMut(&[u8])) -> Option<u8> {
        while let Some(byte) = self.text.pop() {
            if byte & 0b1100_0000 != 0b1000_0000 {
                show(b"\x08 \x08");
                return Some(byte);
            }
        }
        None
    }

    /// Takes back the last word and the spaces behind it.
    fn erase_word(&mut self, show: &mut impl FnMut(&[u8])) {
        while self.text.last() == Some(&b' ') {
            self.erase(show);
        }
        while self.text.last().is_some_and(|last| *last != b' ') {
            self.erase(show);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(keys: &[u8]) -> (State, Vec<u8>) {
        let mut line = Line::default();
        let state = line.type_keys(keys, &mut |_| {});
        (state, line.text.to_vec())
    }

    #[test]
    fn takes_a_line_with_its_corrections() {
        assert_eq!(typed(b"lin_123\n"), (State::Done, b"lin_123".to_vec()));
        assert_eq!(typed(b"old\x15lim\x7fn\x08n\r"), (State::Done, b"lin".to_vec()));
        assert_eq!(typed("k\u{e4}\x7f1\n".as_bytes()), (State::Done, b"k1".to_vec()));
        assert_eq!(typed(b"\x7f\x04"), (State::Done, vec![]));
    }

    #[test]
    fn keys_that_are_no_text_stay_out_of_the_line() {
        assert_eq!(typed(b"abc def \x17h\n"), (State::Done, b"abc h".to_vec()));
        assert_eq!(typed(b"a\x1b[Db\x1bOCc\x1b[1;5Dd\x1cx\x00\ty\n"), (State::Done, b"abcdx\ty".to_vec()));
        let mut line = Line::default();
        for keys in [&b"a\x1b"[..], b"[", b"3", b"~b"] {
            assert_eq!(line.type_keys(keys, &mut |_| {}), State::Typing);
        }
        assert_eq!(line.text.as_slice(), b"ab");
    }

    #[test]
    fn what_is_taken_back_disappears_where_the_line_is_shown() {
        let (mut line, mut screen) = (Line::default(), Vec::new());
        line.type_keys(b"ab\x7fc\x15d", &mut |shown| screen.extend_from_slice(shown));
        assert_eq!(screen, b"ab\x08 \x08c\x08 \x08\x08 \x08d");
    }

    #[test]
    fn keeps_a_line_longer_than_a_terminal_would() {
        let long = vec![b'x'; 20_000];
        let mut line = Line::default();
        assert_eq!(line.type_keys(&long, &mut |_| {}), State::Typing);
        assert_eq!(line.type_keys(b"\n", &mut |_| {}), State::Done);
        assert_eq!(line.text.len(), 20_000);
    }

    #[test]
    fn refuses_a_paste_of_several_lines() {
        assert_eq!(typed(b"-----BEGIN\nAAAA\n").0, State::SeveralLines);
    }

    #[test]
    fn ends_at_ctrl_c() {
        assert_eq!(typed(b"lin\x03").0, State::Interrupted);
    }
}
