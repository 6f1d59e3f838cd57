//! The terminal's mode while a value is asked for, and the way back, however the question ends.

use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use rustix::process::Signal;
use rustix::termios::{InputModes, LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr};
use signal_hook::iterator::{Handle, Signals};
use signal_hook::low_level::emulate_default_handler;

use crate::ui::signals::IgnoredSignals;

/// Asks a terminal to mark what is pasted, and to leave it again.
const MARK_PASTES: &[u8] = b"\x1b[?2004h";
const DO_NOT_MARK_PASTES: &[u8] = b"\x1b[?2004l";

/// What would end this process while it asks.
const TERMINATING_SIGNALS: [Signal; 4] = [Signal::TERM, Signal::INT, Signal::QUIT, Signal::HUP];

/// How the terminal is to be left, while it is asked.
static BEFORE: Mutex<Option<Before>> = Mutex::new(None);

/// What ends this process at a signal, once something was asked.
static LISTENER: OnceLock<Option<Handle>> = OnceLock::new();

/// A terminal that hands over each key at once, also Ctrl-C, and marks pastes where it can, until this is dropped. A
/// terminal's own line editing would cut a long value after 4,095 bytes, and a Ctrl-C would leave it without echo.
pub(super) struct KeyMode(());

struct Before {
    keyboard: OwnedFd,
    modes: Termios,
    marks_pastes: Option<File>,
}

impl KeyMode {
    /// `marks_pastes` is where a terminal is asked to mark pastes.
    pub(super) fn enter(keyboard: impl AsFd, marks_pastes: Option<File>) -> io::Result<Self> {
        listen();
        let keyboard = keyboard.as_fd().try_clone_to_owned()?;
        let modes = tcgetattr(&keyboard)?;
        let mut keys = modes.clone();
        keys.local_modes.remove(LocalModes::ICANON | LocalModes::ISIG | LocalModes::IEXTEN | LocalModes::ECHO);
        keys.input_modes.remove(InputModes::ICRNL | InputModes::INLCR | InputModes::IGNCR);
        keys.special_codes[SpecialCodeIndex::VMIN] = 1;
        keys.special_codes[SpecialCodeIndex::VTIME] = 0;
        let mut before = lock();
        tcsetattr(&keyboard, OptionalActions::Drain, &keys)?;
        if let Some(mut terminal) = marks_pastes.as_ref() {
            let _ = terminal.write_all(MARK_PASTES);
        }
        *before = Some(Before { keyboard, modes, marks_pastes });
        Ok(Self(()))
    }
}

impl Drop for KeyMode {
    fn drop(&mut self) {
        restore();
    }
}

/// Leaves the terminal as it was.
fn restore() {
    let mut before = lock();
    let Some(Before { keyboard, modes, marks_pastes }) = before.take() else { return };
    if let Some(mut terminal) = marks_pastes {
        let _ = terminal.write_all(DO_NOT_MARK_PASTES);
    }
    // Flush: what is left of a paste of several lines must not become a command of the shell.
    let _ = tcsetattr(&keyboard, OptionalActions::Flush, &modes);
}

fn lock() -> MutexGuard<'static, Option<Before>> {
    BEFORE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Leaves the terminal as it was before a signal ends this process.
fn listen() {
    LISTENER.get_or_init(|| {
        let ignored = IgnoredSignals::read();
        let heard = TERMINATING_SIGNALS.iter().filter(|signal| !ignored.contains(**signal)).map(|s| s.as_raw());
        let mut signals = Signals::new(heard).ok()?;
        let handle = signals.handle();
        let thread = std::thread::Builder::new().spawn(move || {
            for signal in signals.forever() {
                restore();
                let _ = emulate_default_handler(signal);
            }
        });
        thread.ok().map(|_| handle)
    });
}

/// Lets signals no longer end this process by themselves: for who handles them from now on, and asks nothing any more.
pub(super) fn stop_listening() {
    if let Some(Some(handle)) = LISTENER.get() {
        handle.close();
    }
}
