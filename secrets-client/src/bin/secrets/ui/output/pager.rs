//! A pager for what is longer than the screen, as git finds one: `SECRETS_PAGER`, else `PAGER`, else `less`; none when it is empty or
//! `cat`, and none on a terminal that can do nothing.
//!
//! Only the audit log goes through it: it has no end, and what is newest, which comes first, would leave the screen. Other
//! lists have names that a person types next, and stay where they can be read meanwhile. To page another one:
//! [`Output::long_list`](super::Output::long_list), and `--no-pager` for the command. What is paged has no values: a pager can keep
//! files.

use std::ffi::OsString;
use std::io::{ErrorKind, IsTerminal as _, Write as _};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use rustix::process::Signal;
use signal_hook::SigId;

use super::table;
use crate::ui::signals::IgnoredSignals;

/// How `less` is to be, unless the person says so: colours as they are, and all of it stays on the screen.
const LESS: &str = "FRX";
/// What a shell ends with that can't start what it was told to.
const NOT_STARTED: [i32; 2] = [126, 127];

/// What pages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Pager {
    /// `less`, if it is installed.
    Less,
    /// What the person has chosen, as a shell reads it. Nothing that came from the service is ever part of it.
    Chosen(OsString),
}

impl Pager {
    pub(super) fn from_environment() -> Option<Self> {
        Self::choose(|name| std::env::var_os(name))
    }

    fn choose(variable: impl Fn(&str) -> Option<OsString>) -> Option<Self> {
        if variable("TERM").is_none_or(|term| term.is_empty() || term == "dumb") {
            return None;
        }
        match variable("SECRETS_PAGER").or_else(|| variable("PAGER")) {
            None => Some(Self::Less),
            Some(chosen) if chosen.is_empty() || chosen == "cat" => None,
            Some(chosen) => Some(Self::Chosen(chosen)),
        }
    }

    /// Shows a text, and waits until the person has read it. False where the pager can't be started, for whatever reason: nothing
    /// was shown then.
    pub(super) fn show(&self, text: &str) -> std::io::Result<bool> {
        let _interrupts = Interrupts::leave_to_the_pager();
        let Ok(mut pager) = self.command().spawn() else { return Ok(false) };
        let fed = feed(&mut pager, text);
        // However much it was given: it has the terminal until it ends.
        let ended = pager.wait()?;
        fed?;
        // However it ends otherwise, it was there, and read as much as somebody wanted to see.
        Ok(!ended.code().is_some_and(|code| matches!(self, Self::Chosen(_)) && NOT_STARTED.contains(&code)))
    }

    fn command(&self) -> Command {
        let mut command = match self {
            Self::Less => Command::new("less"),
            Self::Chosen(chosen) => {
                let mut shell = Command::new("/bin/sh");
                shell.arg("-c").arg(chosen);
                shell
            }
        };
        for (name, value) in [("LESS", LESS), ("LV", "-c")] {
            if std::env::var_os(name).is_none() {
                command.env(name, value);
            }
        }
        // It needs no more than what it is given to show.
        command.env_remove("SECRETS_TOKEN");
        command.stdin(Stdio::piped());
        command
    }
}

/// Gives a pager what it shows. One that was left early does not read to the end.
fn feed(pager: &mut Child, text: &str) -> std::io::Result<()> {
    let Some(mut input) = pager.stdin.take() else { return Ok(()) };
    match input.write_all(text.as_bytes()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error),
        _ => Ok(()),
    }
}

/// While a pager has the terminal, what the person types means the pager: Ctrl-C ends a search in `less`, and if it ended us, the
/// shell and the pager would read from the terminal at the same time.
struct Interrupts(Vec<SigId>);

impl Interrupts {
    fn leave_to_the_pager() -> Self {
        let ignored = IgnoredSignals::read();
        // A handler, which a program that is started does not inherit; what is ignored it would.
        let taken = [Signal::INT, Signal::QUIT].into_iter().filter(|signal| !ignored.contains(*signal));
        Self(taken.filter_map(|signal| signal_hook::flag::register(signal.as_raw(), Arc::default()).ok()).collect())
    }
}

impl Drop for Interrupts {
    fn drop(&mut self) {
        for id in self.0.drain(..) {
            signal_hook::low_level::unregister(id);
        }
    }
}

/// Whether a text does not fit the terminal that stdout is, with a line below it for the prompt.
pub(super) fn is_longer_than_screen(text: &str) -> bool {
    let stdout = std::io::stdout();
    stdout.is_terminal()
        && rustix::termios::tcgetwinsize(&stdout)
            .is_ok_and(|size| size.ws_row > 0 && lines(text, usize::from(size.ws_col)) >= usize::from(size.ws_row))
}

/// How many lines of a terminal with so many columns a text takes.
fn lines(text: &str, columns: usize) -> usize {
    text.lines().map(|line| table::width(&without_colors(line)).max(1).div_ceil(columns.max(1))).sum()
}

/// A line without what a table puts around a cell.
fn without_colors(line: &str) -> String {
    let mut parts = line.split("\x1b[");
    let first = parts.next().unwrap_or_default();
    std::iter::once(first).chain(parts.map(|part| part.split_once('m').map_or("", |(_, rest)| rest))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(variables: &[(&str, &str)]) -> Option<Pager> {
        Pager::choose(|name| {
            let found = variables.iter().find(|(variable, _)| *variable == name);
            found.map(|(_, value)| OsString::from(value))
        })
    }

    #[test]
    fn is_what_the_person_has_chosen() {
        let term = ("TERM", "xterm");
        assert_eq!(chosen(&[term]), Some(Pager::Less));
        assert_eq!(chosen(&[term, ("PAGER", "more")]), Some(Pager::Chosen("more".into())));
        let own = ("SECRETS_PAGER", "less -S");
        assert_eq!(chosen(&[term, ("PAGER", "more"), own]), Some(Pager::Chosen("less -S".into())));
        for none in
            [&[term, ("PAGER", "")][..], &[term, ("PAGER", "cat")], &[term, ("SECRETS_PAGER", ""), ("PAGER", "more")]]
        {
            assert_eq!(chosen(none), None, "{none:?}");
        }
        for term in [&[][..], &[("TERM", "")], &[("TERM", "dumb"), own]] {
            assert_eq!(chosen(term), None, "{term:?}");
        }
    }

    #[test]
    fn counts_lines_as_a_terminal_breaks_them() {
        assert_eq!(lines("", 80), 0);
        assert_eq!(lines("a\n\nb\n", 80), 3);
        assert_eq!(lines(&"x".repeat(81), 80), 2);
        assert_eq!(lines(&"日".repeat(41), 80), 2);
        assert_eq!(lines(&format!("\x1b[1m{}\x1b[0m", "x".repeat(80)), 80), 1);
    }

    #[test]
    fn one_that_cannot_be_started_has_shown_nothing() {
        // More than a program can be started with, and an argument that none can have.
        for command in ["x".repeat(16 << 20), "a\0b".to_owned()] {
            assert!(!Pager::Chosen(command.into()).show("text").unwrap());
        }
    }

    #[test]
    fn one_that_is_not_there_has_shown_nothing_and_one_that_is_left_early_has() {
        let show = |command: &str, text: &str| Pager::Chosen(command.into()).show(text).unwrap();
        assert!(!show("/nonexistent/pager 2>/dev/null", "text"));
        for command in ["exit 0", "exit 3", "head -n 1 >/dev/null", "kill -9 $$"] {
            assert!(show(command, &"line\n".repeat(100_000)), "{command}");
        }
    }
}
