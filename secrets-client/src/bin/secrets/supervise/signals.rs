//! The signals that reach the runner, in the order in which it takes them.

use std::io;

use rustix::process::Signal;
use signal_hook::iterator::SignalsInfo;
use signal_hook::iterator::exfiltrator::origin::{Origin, WithOrigin};
use signal_hook::low_level::siginfo::Cause;
use tokio::sync::mpsc;

use crate::ui::prompt;
use crate::ui::signals::IgnoredSignals;

/// What is passed on to the program, or has a meaning for the runner itself. Of what would end a process, nothing is
/// left out that somebody sends: whatever ended the runner alone would leave the program and its files behind.
const HANDLED_SIGNALS: [Signal; 17] = [
    Signal::TERM,
    Signal::INT,
    Signal::QUIT,
    Signal::HUP,
    Signal::USR1,
    Signal::USR2,
    Signal::ALARM,
    Signal::VTALARM,
    Signal::PROF,
    Signal::IO,
    Signal::POWER,
    Signal::STKFLT,
    Signal::XCPU,
    Signal::WINCH,
    Signal::TSTP,
    Signal::CONT,
    Signal::CHILD,
];

/// What ends a process that does not say otherwise, and is sent for that.
const TERMINATING_SIGNALS: [Signal; 5] = [Signal::TERM, Signal::INT, Signal::QUIT, Signal::HUP, Signal::POWER];

/// A signal that reached the runner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ReceivedSignal {
    pub(crate) signal: Signal,
    /// Whether nobody sent it but the kernel. Ctrl-C, Ctrl-\, Ctrl-Z and a new size come so, and then to every process of
    /// our group.
    pub(crate) from_kernel: bool,
}

/// The signals received from now on.
pub(crate) struct Signals {
    received: mpsc::UnboundedReceiver<ReceivedSignal>,
    /// Whether one came that ends processes.
    asked_to_end: bool,
}

impl Signals {
    /// Receives what is passed on, but for the signals that whoever started us wants ignored (`nohup`): the program
    /// ignores them as well, which a handler here would undo.
    pub(crate) fn listen() -> io::Result<Self> {
        prompt::leave_signals();
        let ignored = IgnoredSignals::read();
        let is_ignored = |signal: Signal| ignored.contains(signal) && signal != Signal::CHILD;
        let listened = HANDLED_SIGNALS.iter().filter(|signal| !is_ignored(**signal)).map(|signal| signal.as_raw());
        let mut origins = SignalsInfo::<WithOrigin>::new(listened)?;
        let (sender, received) = mpsc::unbounded_channel();
        std::thread::spawn(move || {
            for arrival in origins.forever().filter_map(|origin| ReceivedSignal::from_origin(&origin)) {
                if sender.send(arrival).is_err() {
                    break;
                }
            }
        });
        Ok(Self { received, asked_to_end: false })
    }

    /// The next signal. Cancelling it loses none.
    pub(crate) async fn next(&mut self) -> ReceivedSignal {
        match self.received.recv().await {
            Some(arrival) => {
                self.asked_to_end |= TERMINATING_SIGNALS.contains(&arrival.signal);
                arrival
            }
            None => std::future::pending().await,
        }
    }

    /// Forgets that it was asked to end.
    pub(crate) fn forget(&mut self) {
        self.asked_to_end = false;
    }

    /// Whether a signal that ends processes was received since it was forgotten.
    pub(crate) fn asked_to_end(&self) -> bool {
        self.asked_to_end
    }

    /// The next signal that would end a process; what else comes is dropped. For the time when no program is there yet,
    /// or no longer.
    pub(crate) async fn ending(&mut self) -> Signal {
        loop {
            let ReceivedSignal { signal, .. } = self.next().await;
            if TERMINATING_SIGNALS.contains(&signal) {
                return signal;
            }
        }
    }
}

impl ReceivedSignal {
    fn from_origin(origin: &Origin) -> Option<Self> {
        let signal = Signal::from_named_raw(origin.signal)?;
        Some(Self { signal, from_kernel: matches!(origin.cause, Cause::Kernel) })
    }
}

/// The code of a process that `signal` ended, as shells give it.
pub(crate) fn exit_code(signal: Signal) -> u8 {
    u8::try_from(128 + signal.as_raw()).unwrap_or(u8::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_codes_as_shells_do() {
        assert_eq!((exit_code(Signal::TERM), exit_code(Signal::INT)), (143, 130));
    }
}
