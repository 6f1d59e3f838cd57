//! The process between the runner and a program on a pseudo-terminal.
//!
//! A pseudo-terminal is the terminal of a session of its own, and the kernel lets a program stop (Ctrl-Z) only if its
//! parent is in the same session: somebody has to be there to continue it. So the runner starts this program once more,
//! which leads that session, starts the program in it, reports to the runner what becomes of it, and executes the runner's commands.
//!
//! The two talk over a socket, which is the monitor's stdin, in frames of a letter and a number. The first comes with the
//! program's stdin, stdout and stderr, so that they need no other way. Its arguments are the program's, and its environment
//! too; nothing else of the runner's reaches it.

use std::ffi::OsString;
use std::io::{self, IoSlice, IoSliceMut, Read as _, Write as _};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitCode, Stdio};

use rustix::io::Errno;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags,
    recvmsg, sendmsg,
};
use rustix::process::{Pid, Signal, WaitOptions, WaitStatus, kill_process, kill_process_group};
use rustix::termios::{tcgetpgrp, tcsetpgrp};
use tokio::sync::mpsc;

/// The first argument of a monitor.
pub(crate) const ARGUMENT: &str = "__monitor";

/// What the monitor reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MonitorEvent {
    Started,
    /// The program could not be executed.
    NotExecuted(Errno),
    /// The session could not be set up.
    NotPrepared(Errno),
    /// A signal stopped it.
    Stopped(i32),
    /// It is stopped until it gets the keyboard.
    WantsKeyboard,
    Exited(i32),
    Killed(i32),
    /// The monitor itself is gone.
    Gone,
}

/// What the runner asks of the monitor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MonitorCommand {
    /// Give the program the keyboard from the start.
    StartInForeground,
    /// Give it the keyboard when it asks.
    StartInBackground,
    /// Send a signal to the program.
    Signal(i32),
    /// Send a signal to the program and what it started, as a terminal does.
    SignalGroup(i32),
    /// Continue what was stopped.
    Continue,
    /// The keyboard is the program's.
    GiveKeyboard,
}

/// A monitor, from the runner's side. Dropped, its session ends.
pub(crate) struct Monitor {
    pub(crate) pid: Option<Pid>,
    commands: UnixStream,
    events: mpsc::UnboundedReceiver<MonitorEvent>,
}

impl Monitor {
    /// Starts a program with these words and this environment on the terminal `stdio.1`.
    pub(crate) fn start(
        words: &[OsString],
        environment: &[(OsString, OsString)],
        stdio: [BorrowedFd<'_>; 3],
        foreground: bool,
    ) -> io::Result<Self> {
        let (commands, theirs) = UnixStream::pair()?;
        let child = Command::new("/proc/self/exe")
            .arg0("secrets")
            .arg(ARGUMENT)
            .args(words)
            .env_clear()
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::null())
            .spawn()?;
        let command = if foreground { MonitorCommand::StartInForeground } else { MonitorCommand::StartInBackground };
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(3))];
        let mut ancillary = SendAncillaryBuffer::new(&mut space);
        ancillary.push(SendAncillaryMessage::ScmRights(&stdio));
        sendmsg(&commands, &[IoSlice::new(&command.frame())], &mut ancillary, SendFlags::NOSIGNAL)?;

        let (sender, events) = mpsc::unbounded_channel();
        let mut reader = commands.try_clone()?;
        std::thread::spawn(move || {
            loop {
                let events =
                    read_frame(&mut reader).ok().and_then(MonitorEvent::from_frame).unwrap_or(MonitorEvent::Gone);
                if sender.send(events).is_err() || events == MonitorEvent::Gone {
                    break;
                }
            }
        });
        Ok(Self { pid: i32::try_from(child.id()).ok().and_then(Pid::from_raw), commands, events })
    }

    /// The next event. Cancelling it loses none.
    pub(crate) async fn next_event(&mut self) -> MonitorEvent {
        self.events.recv().await.unwrap_or(MonitorEvent::Gone)
    }

    /// Sends a command. A monitor that is gone has reported that, or will.
    pub(crate) fn send(&self, command: MonitorCommand) {
        let _ = (&self.commands).write_all(&command.frame());
    }
}

impl Drop for Monitor {
    fn drop(&mut self) {
        let _ = self.commands.shutdown(std::net::Shutdown::Both);
    }
}

/// The monitor itself: `words` are the program and its arguments.
pub(crate) fn main(words: impl Iterator<Item = OsString>) -> ExitCode {
    match monitor(words) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn monitor(mut words: impl Iterator<Item = OsString>) -> io::Result<()> {
    let mut runner = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    let (start, [stdin, stdout, stderr]) = receive_first(&runner)?;
    let terminal = stdout.try_clone()?;
    if let Err(error) = rustix::process::setsid().and_then(|_| rustix::process::ioctl_tiocsctty(&terminal)) {
        return runner.write_all(&MonitorEvent::NotPrepared(error).frame());
    }
    // In a group of its own, so that the terminal's signals reach it and not us.
    let mut command = Command::new(words.next().unwrap_or_default());
    command.args(words).stdin(stdin).stdout(stdout).stderr(stderr).process_group(0);
    let spawned = command.spawn();
    drop(command); // and with it our ends of the program's pipes
    let program = match spawned {
        Ok(child) => i32::try_from(child.id()).ok().and_then(Pid::from_raw),
        Err(error) => {
            let error = Errno::from_io_error(&error).unwrap_or(Errno::NOENT);
            return runner.write_all(&MonitorEvent::NotExecuted(error).frame());
        }
    };
    let Some(program) = program else { return Err(io::ErrorKind::InvalidData.into()) };
    if start == MonitorCommand::StartInForeground {
        let _ = tcsetpgrp(&terminal, program);
    }
    runner.write_all(&MonitorEvent::Started.frame())?;
    execute_commands(runner.try_clone()?, terminal.try_clone()?, program);
    loop {
        let (pid, status) = match rustix::process::wait(WaitOptions::UNTRACED) {
            Ok(Some(waited)) => waited,
            Ok(None) | Err(Errno::INTR) => continue,
            Err(error) => return Err(error.into()),
        };
        if pid != program {
            continue;
        }
        let in_foreground = tcgetpgrp(&terminal) == Ok(program);
        let Some(events) = MonitorEvent::from_status(status, in_foreground) else {
            // It asked for the keyboard before it had it, and has it now.
            let _ = kill_process_group(program, Signal::CONT);
            continue;
        };
        runner.write_all(&events.frame())?;
        if matches!(events, MonitorEvent::Exited(_) | MonitorEvent::Killed(_)) {
            return Ok(());
        }
    }
}

/// Executes the runner's commands, in a thread of its own. When the runner is gone, so is the terminal.
fn execute_commands(mut runner: UnixStream, terminal: OwnedFd, program: Pid) {
    std::thread::spawn(move || {
        while let Some(command) = read_frame(&mut runner).ok().and_then(MonitorCommand::from_frame) {
            match command {
                MonitorCommand::Signal(number) => {
                    let _ = Signal::from_named_raw(number).map(|signal| kill_process(program, signal));
                }
                MonitorCommand::SignalGroup(number) => {
                    let _ = Signal::from_named_raw(number).map(|signal| kill_process_group(program, signal));
                }
                MonitorCommand::GiveKeyboard => {
                    let _ = tcsetpgrp(&terminal, program);
                    let _ = kill_process_group(program, Signal::CONT);
                }
                MonitorCommand::Continue => {
                    let _ = kill_process_group(program, Signal::CONT);
                }
                MonitorCommand::StartInForeground | MonitorCommand::StartInBackground => {}
            }
        }
        let _ = kill_process_group(program, Signal::HUP);
        let _ = kill_process_group(program, Signal::CONT);
    });
}

fn receive_first(runner: &UnixStream) -> io::Result<(MonitorCommand, [OwnedFd; 3])> {
    let mut frame = [0; FRAME_BYTES];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(3))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let mut received = [IoSliceMut::new(&mut frame)];
    recvmsg(runner, &mut received, &mut ancillary, RecvFlags::CMSG_CLOEXEC)?;
    let mut stdio = Vec::new();
    for message in ancillary.drain() {
        if let RecvAncillaryMessage::ScmRights(files) = message {
            stdio.extend(files);
        }
    }
    match (MonitorCommand::from_frame(frame), <[OwnedFd; 3]>::try_from(stdio)) {
        (Some(command), Ok(stdio)) => Ok((command, stdio)),
        _ => Err(io::ErrorKind::InvalidData.into()),
    }
}

/// Bytes of a frame: a letter and a number.
const FRAME_BYTES: usize = 5;

fn frame(letter: u8, number: i32) -> [u8; FRAME_BYTES] {
    let [a, b, c, d] = number.to_le_bytes();
    [letter, a, b, c, d]
}

fn read_frame(stream: &mut UnixStream) -> io::Result<[u8; FRAME_BYTES]> {
    let mut frame = [0; FRAME_BYTES];
    stream.read_exact(&mut frame)?;
    Ok(frame)
}

impl MonitorEvent {
    /// What a program's status means; none if it wants a keyboard that it has.
    fn from_status(status: WaitStatus, in_foreground: bool) -> Option<Self> {
        let wants_keyboard = [Signal::TTIN.as_raw(), Signal::TTOU.as_raw()];
        if let Some(signal) = status.stopping_signal() {
            match (wants_keyboard.contains(&signal), in_foreground) {
                (true, true) => None,
                (true, false) => Some(Self::WantsKeyboard),
                (false, _) => Some(Self::Stopped(signal)),
            }
        } else if let Some(signal) = status.terminating_signal() {
            Some(Self::Killed(signal))
        } else {
            Some(Self::Exited(status.exit_status().unwrap_or(1)))
        }
    }

    fn frame(self) -> [u8; FRAME_BYTES] {
        match self {
            Self::Started => frame(b's', 0),
            Self::NotExecuted(error) => frame(b'f', error.raw_os_error()),
            Self::NotPrepared(error) => frame(b'p', error.raw_os_error()),
            Self::Stopped(signal) => frame(b't', signal),
            Self::WantsKeyboard => frame(b'w', 0),
            Self::Exited(code) => frame(b'x', code),
            Self::Killed(signal) => frame(b'k', signal),
            Self::Gone => frame(b'g', 0),
        }
    }

    fn from_frame([letter, a, b, c, d]: [u8; FRAME_BYTES]) -> Option<Self> {
        let number = i32::from_le_bytes([a, b, c, d]);
        Some(match letter {
            b's' => Self::Started,
            b'f' => Self::NotExecuted(Errno::from_raw_os_error(number)),
            b'p' => Self::NotPrepared(Errno::from_raw_os_error(number)),
            b't' => Self::Stopped(number),
            b'w' => Self::WantsKeyboard,
            b'x' => Self::Exited(number),
            b'k' => Self::Killed(number),
            _ => return None,
        })
    }
}

impl MonitorCommand {
    fn frame(self) -> [u8; FRAME_BYTES] {
        match self {
            Self::StartInForeground => frame(b'f', 0),
            Self::StartInBackground => frame(b'b', 0),
            Self::Signal(signal) => frame(b's', signal),
            Self::SignalGroup(signal) => frame(b'g', signal),
            Self::Continue => frame(b'c', 0),
            Self::GiveKeyboard => frame(b'k', 0),
        }
    }

    fn from_frame([letter, a, b, c, d]: [u8; FRAME_BYTES]) -> Option<Self> {
        let number = i32::from_le_bytes([a, b, c, d]);
        Some(match letter {
            b'f' => Self::StartInForeground,
            b'b' => Self::StartInBackground,
            b's' => Self::Signal(number),
            b'g' => Self::SignalGroup(number),
            b'c' => Self::Continue,
            b'k' => Self::GiveKeyboard,
            _ => return None,
        })
    }
}
