//! A value as it is typed or pasted: what each key does to it, and whether Enter ends it.

use zeroize::Zeroizing;

use super::pem::{Pem, pem};

/// More than a value may have with the end of its last line, in bytes.
const MAX_BYTES: usize = 64 * 1024 + 3;
/// What a terminal sends before and behind a paste, once it was asked to: `ESC [ 200 ~` and `ESC [ 201 ~`.
const PASTE_BEGINS: &[u8] = b"200";
const PASTE_ENDS: &[u8] = b"201";

/// What has come of the keys so far.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum State {
    Typing,
    /// Ctrl-D.
    Ended,
    /// Ctrl-C.
    Interrupted,
    TooLong,
    /// A paste has what no text has.
    ControlCharacter,
}

/// What Enter or Ctrl-D means behind the text that is there.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Finish {
    Done,
    /// The text is the beginning of a key in PEM.
    GoesOn,
    /// Lines have come as keys, so that they may be what was typed for somebody else.
    SeveralLines,
    /// A key in PEM has no end.
    CutShort,
}

#[derive(Debug)]
pub(super) struct Line {
    text: Zeroizing<Vec<u8>>,
    sequence: Sequence,
    /// Whether what comes is pasted, by the terminal's word.
    is_pasting: bool,
    /// Whether the last key was a carriage return, which may have a line feed behind it.
    after_return: bool,
    /// Line ends behind the text that were typed, or pasted where a terminal does not tell it.
    line_ends: usize,
    /// Whether text came behind such a line end.
    has_typed_lines: bool,
    /// Whether the text is shown.
    pub(super) is_shown: bool,
}

/// What of a key's sequence has come, as an arrow sends one: it is no text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sequence {
    None,
    /// Behind an ESC.
    Begun,
    /// Behind `ESC [` or `ESC O`, which a letter or `~` ends; with the first parameter's first bytes.
    Parameters([u8; 4], usize),
}

impl Line {
    pub(super) fn new(is_shown: bool) -> Self {
        Self {
            // In full size, so that growing leaves no copies behind.
            text: Zeroizing::new(Vec::with_capacity(MAX_BYTES)),
            sequence: Sequence::None,
            is_pasting: false,
            after_return: false,
            line_ends: 0,
            has_typed_lines: false,
            is_shown,
        }
    }

    pub(super) fn text(&self) -> &[u8] {
        &self.text
    }

    pub(super) fn into_text(self) -> Zeroizing<Vec<u8>> {
        self.text
    }

    /// Whether Enter was pressed, unless it is a line end within a paste: then more follows at once.
    pub(super) fn is_entered(&self) -> bool {
        self.line_ends > 0
    }

    /// Whether no paste is under way.
    pub(super) fn is_settled(&self) -> bool {
        !self.is_pasting && !self.has_typed_lines && !self.is_entered()
    }

    /// Whether there is a line behind the first one.
    pub(super) fn has_several_lines(&self) -> bool {
        self.text.trim_ascii_end().contains(&b'\n')
    }

    /// How many lines there are, the last one perhaps without its end.
    pub(super) fn lines(&self) -> usize {
        let ends = self.text.iter().filter(|byte| **byte == b'\n').count();
        ends + usize::from(!self.text.is_empty() && !self.text.ends_with(b"\n"))
    }

    /// Takes keys as a terminal's own line editing would; keys that mean nothing to it are no text either.
    pub(super) fn type_keys(&mut self, keys: &[u8]) -> State {
        for &key in keys {
            let state = if self.is_pasting { self.paste_key(key) } else { self.type_key(key) };
            if state != State::Typing {
                return state;
            }
        }
        State::Typing
    }

    fn type_key(&mut self, key: u8) -> State {
        const INTERRUPT: u8 = 0x03;
        const END: u8 = 0x04;
        const SHOW: u8 = 0x12;
        const KILL: u8 = 0x15;
        const ERASE_WORD: u8 = 0x17;
        if self.advance_sequence(key) {
            return State::Typing;
        }
        let after_return = std::mem::replace(&mut self.after_return, key == b'\r');
        match key {
            b'\n' if after_return => {}
            b'\n' | b'\r' => self.line_ends += 1,
            END => return State::Ended,
            INTERRUPT => return State::Interrupted,
            SHOW => self.is_shown = !self.is_shown,
            KILL => {
                self.text.clear();
                (self.line_ends, self.has_typed_lines) = (0, false);
            }
            ERASE_WORD => self.erase_word(),
            0x7f | 0x08 => self.erase(),
            b'\t' | 0x20.. => {
                self.push_line_ends();
                return self.push(key);
            }
            _ => {}
        }
        State::Typing
    }

    /// Takes a key of a paste: all of it is text. A terminal sends a carriage return for each line end.
    fn paste_key(&mut self, key: u8) -> State {
        const INTERRUPT: u8 = 0x03;
        if self.sequence != Sequence::None || key == 0x1b {
            self.advance_sequence(key);
            let is_over = !self.is_pasting || self.sequence != Sequence::None;
            return if is_over { State::Typing } else { State::ControlCharacter };
        }
        let after_return = std::mem::replace(&mut self.after_return, key == b'\r');
        match key {
            b'\n' if after_return => State::Typing,
            b'\n' | b'\r' => self.push(b'\n'),
            INTERRUPT => State::Interrupted,
            b'\t' | 0x20..=0x7e | 0x80.. => self.push(key),
            _ => State::ControlCharacter,
        }
    }

    /// Takes a key that belongs to a sequence; whether it does.
    fn advance_sequence(&mut self, key: u8) -> bool {
        const ESCAPE: u8 = 0x1b;
        self.sequence = match (self.sequence, key) {
            (_, ESCAPE) => Sequence::Begun,
            (Sequence::None, _) => return false,
            (Sequence::Begun, b'[' | b'O') => Sequence::Parameters([0; 4], 0),
            (Sequence::Parameters(mut parameters, length), 0x20..=0x3f) => {
                if let Some(byte) = parameters.get_mut(length) {
                    *byte = key;
                }
                Sequence::Parameters(parameters, length.saturating_add(1))
            }
            (Sequence::Parameters(parameters, length), b'~') => {
                match parameters.get(..length) {
                    Some(PASTE_BEGINS) => {
                        self.push_line_ends();
                        self.is_pasting = true;
                    }
                    Some(PASTE_ENDS) => self.is_pasting = false,
                    _ => {}
                }
                self.after_return = false;
                Sequence::None
            }
            _ => Sequence::None,
        };
        true
    }

    /// What Enter means, or Ctrl-D where it is `ended`, when nothing follows.
    pub(super) fn finish(&mut self, ended: bool) -> Finish {
        match pem(&self.text) {
            Pem::Open if ended => return Finish::CutShort,
            Pem::Open => {
                self.push_line_ends();
                return Finish::GoesOn;
            }
            // Enter ends the last line, as readers of keys want it.
            Pem::Whole if !self.text.ends_with(b"\n") => {
                self.push(b'\n');
            }
            Pem::None if self.has_typed_lines => return Finish::SeveralLines,
            _ => {}
        }
        self.line_ends = 0;
        Finish::Done
    }

    fn push(&mut self, byte: u8) -> State {
        if self.text.len() == MAX_BYTES {
            return State::TooLong;
        }
        self.text.push(byte);
        State::Typing
    }

    /// Makes text of the line ends: they did not end it.
    fn push_line_ends(&mut self) {
        self.has_typed_lines |= self.line_ends > 0;
        for _ in 0..std::mem::take(&mut self.line_ends) {
            self.push(b'\n');
        }
    }

    /// Takes back one character, however many bytes it has.
    fn erase(&mut self) {
        while self.text.pop().is_some_and(|byte| byte & 0b1100_0000 == 0b1000_0000) {}
    }

    /// Takes back the last word and the spaces behind it.
    fn erase_word(&mut self) {
        while self.text.last().is_some_and(u8::is_ascii_whitespace) {
            self.erase();
        }
        while self.text.last().is_some_and(|last| !last.is_ascii_whitespace()) {
            self.erase();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\nBBBB\n-----END OPENSSH PRIVATE KEY-----\n";

    fn typed(keys: &[u8]) -> (Finish, String) {
        let mut line = Line::new(false);
        assert_eq!(line.type_keys(keys), State::Typing);
        let finish = line.finish(false);
        (finish, String::from_utf8(line.into_text().to_vec()).unwrap())
    }

    #[test]
    fn takes_a_line_with_its_corrections() {
        for (keys, text) in [
            (&b"lin_123\n"[..], "lin_123"),
            (b"old\x15lim\x7fn\x08n\r", "lin"),
            ("k\u{e4}\x7f1\n".as_bytes(), "k1"),
            (b"abc def \x17h\n", "abc h"),
            (b"a\x1b[Db\x1bOCc\x1b[1;5Dd\x1cx\x00\ty\n", "abcdx\ty"),
            (b"\x7f\r", ""),
            (b"lin_123\r\n\r\r", "lin_123"),
        ] {
            assert_eq!(typed(keys), (Finish::Done, text.to_owned()), "{keys:?}");
        }
        assert_eq!(Line::new(false).type_keys(b"lin\x03"), State::Interrupted);
        assert_eq!(Line::new(false).type_keys(b"lin\x04"), State::Ended);
    }

    #[test]
    fn a_key_that_comes_in_pieces_is_no_text() {
        let mut line = Line::new(false);
        for keys in [&b"a\x1b"[..], b"[", b"3", b"~b", b"\x1b[99999999", b"999~c"] {
            assert_eq!(line.type_keys(keys), State::Typing);
        }
        assert_eq!(line.text(), b"abc");
    }

    #[test]
    fn a_paste_is_taken_whole_and_enter_ends_it() {
        for line_end in ["\r", "\n", "\r\n"] {
            let pasted = "{\n\t\"a\": 1\n}\n".replace('\n', line_end);
            let keys = format!("\x1b[200~{pasted}\x1b[201~\r");
            assert_eq!(typed(keys.as_bytes()), (Finish::Done, "{\n\t\"a\": 1\n}\n".to_owned()), "{keys:?}");
            let mut line = Line::new(false);
            for key in keys.as_bytes() {
                assert!(!line.is_entered(), "at {}", line.text().len());
                line.type_keys(&[*key]);
            }
            assert!(line.is_entered() && line.has_several_lines());
            assert_eq!((line.lines(), line.text().len()), (3, 12));
        }
        assert_eq!(typed(b"lin_\x1b[200~123\x1b[201~\x7f4\r").1, "lin_124");
        assert_eq!(typed(b"\x1b[200~a\rb\x1b[201~\x15c\r"), (Finish::Done, "c".to_owned()));
    }

    #[test]
    fn a_paste_has_no_keys_in_it() {
        for pasted in
            [&b"\x1b[200~a\x04"[..], b"\x1b[200~a\x15", b"\x1b[200~a\x7f", b"\x1b[200~a\x1b[Ab", b"\x1b[200~\x1bx"]
        {
            assert_eq!(Line::new(false).type_keys(pasted), State::ControlCharacter, "{pasted:?}");
        }
        assert_eq!(Line::new(false).type_keys(b"\x1b[200~a\x03"), State::Interrupted);
    }

    #[test]
    fn lines_that_come_as_keys_are_a_key_in_pem_or_refused() {
        for line_end in ["\r", "\n", "\r\n"] {
            let keys = KEY.replace('\n', line_end);
            assert_eq!(typed(keys.as_bytes()), (Finish::Done, KEY.to_owned()));
            assert_eq!(typed(keys.trim_end().as_bytes()), (Finish::Done, KEY.to_owned()));
        }
        assert_eq!(typed(b"lin_123\rls\r").0, Finish::SeveralLines);
        assert_eq!(typed(b"{\r\"a\": 1\r}\r").0, Finish::SeveralLines);
        assert_eq!(typed(b"\rls\r").0, Finish::SeveralLines);
    }

    #[test]
    fn a_key_in_pem_ends_nowhere_but_at_its_end() {
        let ends: Vec<_> = KEY.match_indices('\n').map(|(at, _)| at + 1).collect();
        let (last, before) = ends.split_last().unwrap();
        let mut line = Line::new(false);
        let mut begin = 0;
        for end in before {
            assert_eq!(line.type_keys(&KEY.as_bytes()[begin..*end]), State::Typing);
            assert_eq!(line.finish(false), Finish::GoesOn);
            begin = *end;
        }
        assert_eq!(line.finish(true), Finish::CutShort);
        line.type_keys(&KEY.as_bytes()[begin..*last]);
        assert_eq!((line.finish(false), line.text()), (Finish::Done, KEY.as_bytes()));
    }

    #[test]
    fn a_key_shows_what_is_typed_and_hides_it_again() {
        let mut line = Line::new(false);
        line.type_keys(b"a\x12b");
        assert!(line.is_shown);
        line.type_keys(b"\x12");
        assert!(!line.is_shown && line.text() == b"ab");
    }

    #[test]
    fn keeps_a_line_longer_than_a_terminal_would_and_refuses_what_no_value_may_have() {
        let mut line = Line::new(false);
        assert_eq!(line.type_keys(&vec![b'x'; MAX_BYTES]), State::Typing);
        assert_eq!(line.type_keys(b"x"), State::TooLong);
        assert_eq!(Line::new(false).type_keys(&[b"\x1b[200~".to_vec(), vec![b'\r'; 70_000]].concat()), State::TooLong);
    }
}
