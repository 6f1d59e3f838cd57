//! The signals that reach the runner, in the order in which it takes them.

use std::io;

use rustix::process::Signal;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

/// What is passed on to the program, or has a meaning for the runner itself.
const RECEIVED: [Signal; 11] = [
    Signal::TERM,
    Signal::INT,
    Signal::QUIT,
    Signal::HUP,
    Signal::USR1,
    Signal::USR2,
    Signal::ALARM,
    Signal::WINCH,
    Signal::TSTP,
    Signal::CONT,
    Signal::CHILD,
];

/// What ends a process that does not say otherwise.
const ENDING: [Signal; 4] = [Signal::TERM, Signal::INT, Signal::QUIT, Signal::HUP];

/// The signals received from now on.
pub(super) struct Signals {
    received: mpsc::UnboundedReceiver<Signal>,
    /// Whether one came that ends processes.
    asked_to_end: bool,
}

impl Signals {
    /// Receives what is passed on, but for the signals that whoever started us wants ignored (`nohup`): the program
    /// ignores them as well, which a handler here would undo.
    pub(super) fn listen() -> io::Result<Self> {
        let (sender, received) = mpsc::unbounded_channel();
        let ignored = ignored_signals(&std::fs::read_to_string("/proc/self/status").unwrap_or_default());
        for listened in RECEIVED {
            let number = listened.as_raw();
            if ignored & (1 << (number - 1)) != 0 && listened != Signal::CHILD {
                continue;
            }
            let mut stream = signal(SignalKind::from_raw(number))?;
            let sender = sender.clone();
            tokio::spawn(async move { while stream.recv().await.is_some() && sender.send(listened).is_ok() {} });
        }
        Ok(Self { received, asked_to_end: false })
    }

    /// The next signal. Cancelling it loses none.
    pub(super) async fn next(&mut self) -> Signal {
        match self.received.recv().await {
            Some(signal) => {
                self.asked_to_end |= ENDING.contains(&signal);
                signal
            }
            None => std::future::pending().await,
        }
    }

    /// Forgets that it was asked to end.
    pub(super) fn forget(&mut self) {
        self.asked_to_end = false;
    }

    /// Whether a signal that ends processes was received since it was forgotten.
    pub(super) fn asked_to_end(&self) -> bool {
        self.asked_to_end
    }

    /// The next signal that would end a process; what else comes is dropped. For the time when no program is there yet,
    /// or no longer.
    pub(super) async fn ending(&mut self) -> Signal {
        loop {
            let signal = self.next().await;
            if ENDING.contains(&signal) {
                return signal;
            }
        }
    }
}

/// The code of a process that `signal` ended, as shells give it.
pub(super) fn code_of(signal: Signal) -> u8 {
    u8::try_from(128 + signal.as_raw()).unwrap_or(u8::MAX)
}

/// The mask of ignored signals, bit n-1 for signal n, from `/proc/self/status`.
fn ignored_signals(status: &str) -> u64 {
    status
        .lines()
        .find_map(|line| line.strip_prefix("SigIgn:"))
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_mask_of_ignored_signals() {
        let mask = ignored_signals("Name:\tsecrets\nSigIgn:\t0000000000001001\nSigCgt:\tff\n");
        assert_eq!(mask, (1 << (Signal::HUP.as_raw() - 1)) | (1 << 12));
        assert_eq!(ignored_signals(""), 0);
    }

    #[test]
    fn gives_codes_as_shells_do() {
        assert_eq!((code_of(Signal::TERM), code_of(Signal::INT)), (143, 130));
    }
}
