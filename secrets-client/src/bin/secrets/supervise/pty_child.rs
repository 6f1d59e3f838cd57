//! A program on a pseudo-terminal of its own, which stands for ours.
//!
//! The program has the keyboard from the start if its stdin is the terminal; our terminal is raw then, and what is typed
//! goes to the program's, which turns Ctrl-C into a signal there. Otherwise the keyboard may be meant for somebody else
//! in our pipeline, and stays theirs until the program asks for it, as for a password: the kernel stops it for that, and
//! the [monitor](mod@super::monitor) tells.

use std::io::{self, IsTerminal as _};
use std::os::fd::{AsFd as _, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustix::process::{Pid, Signal};

use super::job_control::{stop_our_group, stops_jobs};
use super::monitor::{Monitor, News, Order};
use super::program::Program;
use super::pty::Pty;
use super::streams::{Streams, To};
use crate::output_masking::forward::{self, Screen};
use crate::output_masking::masking::Masking;
use crate::output_masking::terminal::Terminal;
use crate::ui::error::{CliError, Exit};

/// How often, and how many times, is looked whether what a program wrote before it stopped is shown.
const SETTLING: (Duration, u32) = (Duration::from_millis(10), 30);

pub(crate) struct OnTerminal {
    monitor: Monitor,
    master: Arc<OwnedFd>,
    terminal: Arc<Terminal>,
    keyboard: Keyboard,
    /// Closed when the program has ended.
    ended: Arc<OwnedFd>,
    screen: Arc<Screen>,
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

impl OnTerminal {
    /// Starts `program` on a pseudo-terminal like `terminal`.
    pub(crate) async fn start(program: &Program, masking: &Masking, streams: &mut Streams) -> Result<Self, CliError> {
        let unprepared = |error: io::Error| CliError::new(Exit::NotStarted, format!("a pseudo-terminal: {error}"));
        let terminal = Terminal::of_stdout().map_err(unprepared)?;
        let Pty { master, slave } = Pty::like(&terminal).map_err(unprepared)?;
        let stdin = io::stdin();
        let types = stdin.is_terminal();
        let foreground = types && terminal.make_raw();
        let (stderr, for_stderr) = if Streams::go_to_the_same_place() {
            (None, slave.try_clone().map_err(unprepared)?)
        } else {
            let (stderr, for_stderr) = forward::pipe().map_err(unprepared)?;
            (Some(stderr), for_stderr)
        };
        let stdio = [if types { slave.as_fd() } else { stdin.as_fd() }, slave.as_fd(), for_stderr.as_fd()];
        let mut monitor =
            Monitor::start(&program.words, &program.environment, stdio, foreground).map_err(unprepared)?;
        drop((slave, for_stderr)); // or we would wait for ourselves to close them
        match monitor.news().await {
            News::Started => {}
            News::NotExecuted(error) => return Err(program.not_started(&error.into())),
            News::NotPrepared(error) => return Err(unprepared(error.into())),
            _ => return Err(unprepared(io::ErrorKind::UnexpectedEof.into())),
        }
        let (master, terminal) = (Arc::new(master), Arc::new(terminal));
        let screen = Arc::new(Screen { terminal: Arc::clone(&terminal), busy: AtomicBool::new(false) });
        let mut started =
            Self { monitor, master, terminal, keyboard: Keyboard::Others, ended: streams.ended(), screen };
        if foreground {
            started.carry_keys();
        }
        let shown = started.master.try_clone().map_err(unprepared)?;
        streams.carry(shown, To::Stdout, masking, Some(Arc::clone(&started.screen)));
        if let Some(stderr) = stderr {
            streams.carry(stderr, To::Stderr, masking, None);
        }
        Ok(started)
    }

    pub(crate) async fn news(&mut self) -> News {
        self.monitor.news().await
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
        self.monitor.order(Order::Signal(signal.as_raw()));
    }

    /// A signal reached the runner.
    pub(crate) fn receive(&mut self, signal: Signal) {
        match signal {
            Signal::WINCH => self.resize(),
            Signal::CONT => self.resume(),
            Signal::TSTP => self.monitor.order(Order::SignalGroup(signal.as_raw())),
            // While our terminal is not raw it sends these, and means all that it runs.
            Signal::INT | Signal::QUIT if self.keyboard != Keyboard::Programs => {
                self.monitor.order(Order::SignalGroup(signal.as_raw()));
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
            self.monitor.order(Order::Continue);
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
        self.monitor.order(Order::Continue);
    }

    /// Gives the program the keyboard that it waits for, if it is ours.
    fn give_keyboard(&mut self) -> bool {
        if !self.terminal.make_raw() {
            return false;
        }
        self.carry_keys();
        self.monitor.order(Order::GiveKeyboard);
        true
    }

    fn carry_keys(&mut self) {
        self.keyboard = Keyboard::Programs;
        let (terminal, master, ended) = (Arc::clone(&self.terminal), Arc::clone(&self.master), Arc::clone(&self.ended));
        std::thread::spawn(move || terminal.carry_keys(&master, &ended));
    }

    /// Waits, not for long, until what the program wrote is shown.
    fn settle(&self) {
        for _ in 0..SETTLING.1 {
            std::thread::sleep(SETTLING.0);
            let waiting = rustix::io::ioctl_fionread(&*self.master).is_ok_and(|count| count > 0);
            if !waiting && !self.screen.busy.load(Ordering::Acquire) {
                break;
            }
        }
    }
}
