//! A program on a pseudo-terminal of its own, which stands for ours.
//!
//! The program has the keyboard from the start if its stdin is the terminal; our terminal is raw then, and what is typed
//! goes to the program's, which turns Ctrl-C into a signal there. Otherwise the keyboard may be meant for somebody else
//! in our pipeline, and stays theirs until the program asks for it, as for a password: the kernel stops it for that, and
//! the [monitor](mod@super::monitor) reports that.
//!
//! # What was rejected
//!
//! - *A pipe, also where stdout is a terminal*: programs ask what stdout is, and then do without colours, line editing and
//!   progress, write in blocks of 4 KiB, and refuse to be an editor or a shell.
//! - *Our terminal itself, unmasked*: a value is printed by accident above all where a person tries something out, and a
//!   terminal's output is recorded and shared.
//! - *A pseudo-terminal for the keyboard whenever stdout is a terminal*: in `ssh host cat | secrets run -- less` the keyboard is
//!   at first ssh's, for a password; taking it would steal what is typed for another program.
//! - *To prepare the session between fork and exec*: that needs `unsafe` code, in which almost nothing may be called, and
//!   nobody would be left in the session as the program's parent, without which the kernel does not let it stop. The
//!   [monitor](mod@super::monitor) is this program started once more, in safe code.

use std::ffi::OsString;
use std::io::{self, IsTerminal as _};
use std::os::fd::{AsFd as _, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustix::process::{Pid, Signal};

use super::job_control::{stop_our_group, stops_jobs};
use super::monitor::{Monitor, MonitorCommand, MonitorEvent};
use super::program::{Program, StartError, is_too_large};
use super::pty::Pty;
use super::streams::{OutputStream, Streams};
use crate::output_masking::forward::{self, TerminalOutput};
use crate::output_masking::masking::Masking;
use crate::output_masking::terminal::Terminal;
use crate::ui::error::{CliError, ExitCode};

/// How often to check, at most [`MAX_SETTLE_CHECKS`] times, whether what a program wrote before it stopped is shown.
const SETTLE_INTERVAL: Duration = Duration::from_millis(10);
const MAX_SETTLE_CHECKS: u32 = 30;

pub(crate) struct PtyChild {
    monitor: Monitor,
    master: Arc<OwnedFd>,
    terminal: Arc<Terminal>,
    keyboard: Keyboard,
    /// Closed when the program has ended.
    ended: Arc<OwnedFd>,
    terminal_output: Arc<TerminalOutput>,
}

/// Whose the keyboard is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Keyboard {
    /// Not the program's, so far.
    Others,
    /// The program is stopped until it has it.
    Wanted,
    Programs,
}

impl PtyChild {
    /// Starts `program` with these words on a pseudo-terminal like `terminal`.
    pub(super) async fn start(
        program: &Program,
        words: &[OsString],
        masking: &Masking,
        streams: &mut Streams,
    ) -> Result<Self, StartError> {
        let not_prepared = |error: io::Error| match is_too_large(&error) {
            // The monitor has the program's arguments and environment.
            true => StartError::NotExecuted(error),
            false => {
                StartError::NotPrepared(CliError::new(ExitCode::NotStarted, format!("a pseudo-terminal: {error}")))
            }
        };
        let terminal = Terminal::from_stdout().map_err(not_prepared)?;
        let Pty { master, slave } = Pty::like(&terminal).map_err(not_prepared)?;
        let stdin = io::stdin();
        let types = stdin.is_terminal();
        let foreground = types && terminal.make_raw();
        let (stderr, for_stderr) = if Streams::share_destination() {
            (None, slave.try_clone().map_err(not_prepared)?)
        } else {
            let (stderr, for_stderr) = forward::pipe().map_err(not_prepared)?;
            (Some(stderr), for_stderr)
        };
        let stdio = [if types { slave.as_fd() } else { stdin.as_fd() }, slave.as_fd(), for_stderr.as_fd()];
        let mut monitor = Monitor::start(words, &program.environment, stdio, foreground).map_err(not_prepared)?;
        drop((slave, for_stderr)); // or we would wait for ourselves to close them
        match monitor.next_event().await {
            MonitorEvent::Started => {}
            MonitorEvent::NotExecuted(error) => return Err(StartError::NotExecuted(error.into())),
            MonitorEvent::NotPrepared(error) => return Err(not_prepared(error.into())),
            _ => return Err(not_prepared(io::ErrorKind::UnexpectedEof.into())),
        }
        let (master, terminal) = (Arc::new(master), Arc::new(terminal));
        let terminal_output =
            Arc::new(TerminalOutput { terminal: Arc::clone(&terminal), busy: AtomicBool::new(false) });
        let mut started =
            Self { monitor, master, terminal, keyboard: Keyboard::Others, ended: streams.ended(), terminal_output };
        if foreground {
            started.forward_keys();
        }
        let shown = started.master.try_clone().map_err(not_prepared)?;
        streams.forward(shown, OutputStream::Stdout, masking, Some(Arc::clone(&started.terminal_output)));
        if let Some(stderr) = stderr {
            streams.forward(stderr, OutputStream::Stderr, masking, None);
        }
        Ok(started)
    }

    pub(crate) async fn next_event(&mut self) -> MonitorEvent {
        self.monitor.next_event().await
    }

    pub(crate) fn is_monitor(&self, pid: Pid) -> bool {
        self.monitor.pid == Some(pid)
    }

    /// Whether our terminal is in a mode in which a line does not begin at its left by itself.
    pub(crate) fn is_raw(&self) -> bool {
        self.terminal.is_raw()
    }

    /// Sends the program a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        self.monitor.send(MonitorCommand::Signal(signal.as_raw()));
    }

    /// A signal reached the runner.
    pub(crate) fn receive(&mut self, signal: Signal) {
        match signal {
            Signal::WINCH => self.resize(),
            Signal::CONT => self.resume(),
            Signal::TSTP => self.monitor.send(MonitorCommand::SignalGroup(signal.as_raw())),
            // While our terminal is not raw it sends these, and means all that it runs.
            Signal::INT | Signal::QUIT if self.keyboard != Keyboard::Programs => {
                self.monitor.send(MonitorCommand::SignalGroup(signal.as_raw()));
            }
            signal => self.signal(signal),
        }
    }

    /// The program has stopped: shows what it still wrote, gives the terminal back, and stops with all that our shell
    /// started together with us. Where nobody could continue us, the program goes on at once, as it would without us.
    pub(crate) fn stopped(&mut self, signal: i32) {
        self.settle();
        self.terminal.suspend();
        if stop_our_group() {
            return; // SIGCONT says when to go on
        }
        self.terminal.resume();
        if self.keyboard == Keyboard::Programs {
            self.terminal.make_raw();
        }
        if stops_jobs(signal) {
            self.monitor.send(MonitorCommand::Continue);
        }
    }

    /// The program has stopped to get the keyboard. In the background, so do we, until we are in the foreground.
    pub(crate) fn wants_keyboard(&mut self) {
        self.keyboard = Keyboard::Wanted;
        if !self.give_keyboard() {
            self.settle();
            stop_our_group();
        }
    }

    /// Gives the terminal back as it was.
    pub(crate) fn end(&self) {
        self.terminal.suspend();
    }

    fn resize(&self) {
        if let Ok(size) = self.terminal.size() {
            let _ = rustix::termios::tcsetwinsize(&*self.master, size);
        }
    }

    /// We were continued.
    fn resume(&mut self) {
        self.terminal.resume();
        self.resize();
        if self.keyboard == Keyboard::Wanted {
            if !self.give_keyboard() {
                stop_our_group(); // still in the background
            }
            return;
        }
        if self.keyboard == Keyboard::Programs {
            self.terminal.make_raw();
        }
        self.monitor.send(MonitorCommand::Continue);
    }

    /// Gives the program the keyboard that it waits for, if it is ours.
    fn give_keyboard(&mut self) -> bool {
        if !self.terminal.make_raw() {
            return false;
        }
        self.forward_keys();
        self.monitor.send(MonitorCommand::GiveKeyboard);
        true
    }

    fn forward_keys(&mut self) {
        self.keyboard = Keyboard::Programs;
        let (terminal, master, ended) = (Arc::clone(&self.terminal), Arc::clone(&self.master), Arc::clone(&self.ended));
        std::thread::spawn(move || terminal.forward_keys(&master, &ended));
    }

    /// Waits, not for long, until what the program wrote is shown.
    fn settle(&self) {
        for _ in 0..MAX_SETTLE_CHECKS {
            std::thread::sleep(SETTLE_INTERVAL);
            let waiting = rustix::io::ioctl_fionread(&*self.master).is_ok_and(|count| count > 0);
            if !waiting && !self.terminal_output.busy.load(Ordering::Acquire) {
                break;
            }
        }
    }
}
