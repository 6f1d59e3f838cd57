//! Questions on the terminal: values, and yes or no.
//!
//! A value may be pasted. A terminal that can marks what is pasted ([`mode`]), so that a value of several lines is taken whole.
//! Of another one the lines come as if they were typed, in pieces: such lines are a key in PEM, which is read to its end, or they
//! are refused. Nothing of them is left for the shell, and no first line is taken for the value.

mod line;
mod mode;
mod pem;
mod screen;

use std::fs::File;
use std::io::{BufRead as _, BufReader, IsTerminal as _, Write as _};
use std::os::fd::{AsFd as _, BorrowedFd};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use zeroize::Zeroizing;

use self::line::{Finish, Line, State};
use self::mode::KeyMode;
use self::screen::Screen;
use super::error::{CliError, ExitCode};
use super::escape::escape;
use super::output::text;

/// A line end that comes with other keys, or as soon after them, may be one within a paste, and then more follows within
/// [`PASTE_INTERVAL`]; another one is Enter, unless more follows within [`KEY_INTERVAL`].
const KEY_INTERVAL: Duration = Duration::from_millis(50);
const PASTE_INTERVAL: Duration = Duration::from_millis(300);
/// As long as what is left of a refused paste is read.
const MAX_DRAIN_TIME: Duration = Duration::from_secs(60);

/// Whether stdin is a person.
pub(crate) fn stdin_is_terminal() -> bool {
    std::io::stdin().is_terminal()
}

/// Asks for a value on stdin's terminal, which shows it where `echo`. It may have several lines, if it was pasted.
pub(crate) fn value(question: &str, echo: bool) -> Result<Zeroizing<Vec<u8>>, CliError> {
    ask(question, echo, "give it on stdin, `… < file`, or with --value-file PATH")
}

/// Asks for a code on stdin's terminal, hidden.
pub(crate) fn code(question: &str) -> Result<Zeroizing<Vec<u8>>, CliError> {
    let code = ask(question, false, "it has one line; `… < file` reads it from a file")?;
    if code.trim_ascii().contains(&b'\n') {
        return Err(CliError::usage("a code or a token has one line, and this has several; nothing was taken"));
    }
    Ok(code)
}

/// For who handles signals itself from now on: see [`mode::stop_listening`].
pub(crate) fn leave_signals() {
    mode::stop_listening();
}

/// `elsewhere` says how else to give what a prompt does not take.
fn ask(question: &str, echo: bool, elsewhere: &str) -> Result<Zeroizing<Vec<u8>>, CliError> {
    let stdin = std::io::stdin();
    let mut screen = Screen::open().map_err(failed)?;
    let marks_pastes = if screen.obeys_sequences() { screen.output().ok() } else { None };
    let mode = KeyMode::enter(stdin.as_fd(), marks_pastes).map_err(failed)?;
    let way = match (echo, screen.obeys_sequences()) {
        (true, _) => "",
        (false, true) => " (hidden; Ctrl-R shows it)",
        (false, false) => " (hidden)",
    };
    screen.ask(&format!("{}{way}: ", escape(question)));
    let mut line = Line::new(echo);
    let read = read(stdin.as_fd(), &mut line, &mut screen);
    line.is_shown &= echo;
    screen.show(if read.is_ok() { answer(&line) } else { Zeroizing::default() }.as_str());
    drop(mode);
    screen.end();
    read.map(|()| line.into_text()).map_err(|refusal| refusal.explain(elsewhere))
}

/// Reads keys until they are a value. Of a paste that is refused nothing is left for the shell.
fn read(keyboard: BorrowedFd<'_>, line: &mut Line, screen: &mut Screen) -> Result<(), Refusal> {
    let mut keys = Zeroizing::new([0_u8; 4096]);
    let ended = read_value(keyboard, &mut keys, line, screen);
    if let Err(Refusal::SeveralLines | Refusal::ControlCharacter | Refusal::TooLong) = ended {
        let end = Instant::now() + MAX_DRAIN_TIME;
        while Instant::now() < end && matches!(read_keys(keyboard, &mut keys, Some(PASTE_INTERVAL)), Ok(Keys::Typed(_)))
        {
        }
    }
    ended
}

fn read_value(
    keyboard: BorrowedFd<'_>,
    keys: &mut Zeroizing<[u8; 4096]>,
    line: &mut Line,
    screen: &mut Screen,
) -> Result<(), Refusal> {
    let mut last_key: Option<Instant> = None;
    let mut interval = KEY_INTERVAL;
    loop {
        let ended = match read_keys(keyboard, keys, line.is_entered().then_some(interval))? {
            Keys::Silence => false,
            Keys::Closed => return Err(Refusal::Closed),
            Keys::Typed(typed) => {
                let is_fast = typed.len() > 1 || last_key.is_some_and(|last| last.elapsed() < KEY_INTERVAL);
                interval = if is_fast { PASTE_INTERVAL } else { KEY_INTERVAL };
                last_key = Some(Instant::now());
                match line.type_keys(typed) {
                    State::Ended => true,
                    State::Interrupted => return Err(Refusal::Interrupted),
                    State::TooLong => return Err(Refusal::TooLong),
                    State::ControlCharacter => return Err(Refusal::ControlCharacter),
                    State::Typing if line.is_settled() => {
                        screen.show(&answer(line));
                        continue;
                    }
                    State::Typing => continue,
                }
            }
        };
        match line.finish(ended) {
            Finish::Done => return Ok(()),
            Finish::GoesOn => screen.show("until its END line; Ctrl-C stops"),
            Finish::SeveralLines => return Err(Refusal::SeveralLines),
            Finish::CutShort => return Err(Refusal::CutShort),
        }
    }
}

/// Why keys are no value.
enum Refusal {
    Interrupted,
    Closed,
    SeveralLines,
    ControlCharacter,
    TooLong,
    CutShort,
    Terminal(Errno),
}

impl Refusal {
    fn explain(self, elsewhere: &str) -> CliError {
        let refused = |why: &str| CliError::usage(format!("{why}; nothing was taken"));
        match self {
            Self::Interrupted => CliError::new(ExitCode::Interrupted, "interrupted"),
            Self::Closed => refused("the terminal was closed").with_exit(ExitCode::Failed),
            Self::SeveralLines => refused("the value has several lines").hint(elsewhere),
            Self::ControlCharacter => refused("what was pasted has a control character").hint(elsewhere),
            Self::TooLong => refused("the value must be at most 65,536 bytes").with_exit(ExitCode::Failed),
            Self::CutShort => refused("the key was cut short: it has no END line"),
            Self::Terminal(error) => failed(error),
        }
    }
}

/// What stands behind the question.
fn answer(line: &Line) -> Zeroizing<String> {
    let mut answer = Zeroizing::new(String::new());
    if line.is_shown {
        answer = Zeroizing::new(escape(&Zeroizing::new(String::from_utf8_lossy(line.text()).into_owned())));
    }
    if line.has_several_lines() {
        let (lines, bytes) = (text::count(line.lines(), "line"), text::count(line.text().len(), "byte"));
        let separator = if answer.is_empty() { "" } else { " " };
        answer = Zeroizing::new(format!("{}{separator}({lines}, {bytes})", *answer));
    }
    answer
}

enum Keys<'a> {
    Typed(&'a [u8]),
    /// None came in time.
    Silence,
    Closed,
}

/// Waits for keys, as long as `patience` where there is one.
fn read_keys<'a>(
    keyboard: BorrowedFd<'_>,
    keys: &'a mut Zeroizing<[u8; 4096]>,
    patience: Option<Duration>,
) -> Result<Keys<'a>, Refusal> {
    let end = patience.map(|patience| Instant::now() + patience);
    loop {
        let left = end.map(|end| end.saturating_duration_since(Instant::now()));
        let timeout = left.and_then(|left| Timespec::try_from(left).ok());
        match poll(&mut [PollFd::new(&keyboard, PollFlags::IN)], timeout.as_ref()) {
            Ok(0) => return Ok(Keys::Silence),
            Ok(_) => {}
            Err(Errno::INTR) => continue,
            Err(error) => return Err(Refusal::Terminal(error)),
        }
        match rustix::io::read(keyboard, keys.as_mut_slice()) {
            Ok(0) | Err(Errno::IO) => return Ok(Keys::Closed),
            Ok(count) => return Ok(Keys::Typed(keys.get(..count).unwrap_or_default())),
            Err(Errno::INTR) => {}
            Err(error) => return Err(Refusal::Terminal(error)),
        }
    }
}

/// Asks for a yes; with everything else the command ends, and `otherwise` says what was not done. `from_terminal` asks the
/// terminal itself while stdin is being read as data.
pub(crate) fn confirm_or_decline(question: &str, from_terminal: bool, otherwise: &str) -> Result<(), CliError> {
    match confirm(question, from_terminal)? {
        true => Ok(()),
        false => Err(CliError::declined(otherwise)),
    }
}

/// Asks for the name of what can't be brought back: a yes is typed too easily.
pub(crate) fn confirm_by_name(question: &str, name: &str, otherwise: &str) -> Result<(), CliError> {
    let answer = ask_in_line(&format!("{question} Type {name} to confirm: "), false)?;
    match answer.trim() {
        typed if typed == name => Ok(()),
        "" => Err(CliError::declined(otherwise)),
        _ => Err(CliError::declined(format!("That is not {name}. {otherwise}"))),
    }
}

/// Asks for a yes; everything else is a no.
pub(crate) fn confirm(question: &str, from_terminal: bool) -> Result<bool, CliError> {
    let answer = ask_in_line(&format!("{question} [y/N] "), from_terminal)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes" | "Yes" | "YES"))
}

/// Asks a person for a line.
pub(crate) fn line(question: &str) -> Result<String, CliError> {
    Ok(ask_in_line(&format!("{question} "), false)?.trim().to_owned())
}

/// Asks for a line that is shown while it is typed.
fn ask_in_line(question: &str, from_terminal: bool) -> Result<String, CliError> {
    let refused = || CliError::usage("this question needs a terminal").hint("--yes answers it");
    let mut answer = String::new();
    let ask = || {
        let mut stderr = std::io::stderr().lock();
        let _ = write!(stderr, "{}", escape(question)).and_then(|()| stderr.flush());
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
    Ok(answer)
}

fn failed(error: impl Into<std::io::Error>) -> CliError {
    CliError::new(ExitCode::Failed, format!("terminal: {}", error.into()))
}
