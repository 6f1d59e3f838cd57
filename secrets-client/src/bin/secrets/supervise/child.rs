//! A running program: how it is started, what reaches it, and how it ends.
//!
//! Where its output is masked and stdout is a terminal, the program runs [on a pseudo-terminal](super::pty_child).
//! Elsewhere it is our own child, in our process group, with pipes in place of the streams that are masked; what a
//! terminal sends to the group reaches it without us.

use std::ffi::OsString;
use std::io::{self, IsTerminal as _};
use std::process::Stdio;

use rustix::io::Errno;
use rustix::process::{
    Pid, Signal, WaitOptions, WaitStatus, kill_process, kill_process_group, test_kill_process_group,
};
use tokio::time::{Duration, Instant, sleep};

use super::job_control::{stop_this_process, stops_jobs};
use super::monitor::MonitorEvent;
use super::program::{Program, StartError};
use super::pty_child::PtyChild;
use super::signals::{ReceivedSignal, Signals};
use super::streams::{OutputStream, Streams};
use crate::output_masking::forward;
use crate::output_masking::masking::Masking;
use crate::ui::error::{CliError, ExitCode};
use crate::ui::escape::escape;

/// How often is looked whether what a program left behind has ended.
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// A program that was started. Dropped, the terminal is given back, and a program on a pseudo-terminal loses it.
pub(crate) struct Child {
    process: Process,
    streams: Streams,
    /// The code it ended with.
    code: Option<u8>,
    /// Some of its output could not be written.
    failed: bool,
}

enum Process {
    PlainChild(PlainChild),
    PtyChild(Box<PtyChild>),
}

/// A child of ours.
struct PlainChild {
    pid: Option<Pid>,
    /// The group that it leads, if it does.
    group: Option<Pid>,
    stopped: bool,
}

impl Child {
    /// Starts `program`.
    pub(crate) async fn start(program: &Program) -> Result<Self, CliError> {
        let mut started = Self::start_words(program, &program.words).await;
        if let Err(StartError::NotExecuted(error)) = &started
            && let Some(words) = program.as_script(error)
        {
            started = Self::start_words(program, &words).await;
        }
        started.map_err(|error| error.explain(program))
    }

    async fn start_words(program: &Program, words: &[OsString]) -> Result<Self, StartError> {
        let mut streams = Streams::new().map_err(not_prepared)?;
        let process = match &program.masking {
            None => Process::PlainChild(PlainChild::start(program, words, Stdio::inherit(), Stdio::inherit())?),
            Some(masking) if io::stdout().is_terminal() => {
                Process::PtyChild(Box::new(PtyChild::start(program, words, masking, &mut streams).await?))
            }
            Some(masking) => Process::PlainChild(PlainChild::start_on_pipes(program, words, masking, &mut streams)?),
        };
        Ok(Self { process, streams, code: None, failed: false })
    }

    /// Runs `program` to its end.
    pub(crate) async fn run(program: Program, signals: &mut Signals) -> Result<u8, CliError> {
        let mut child = Self::start(&program).await?;
        drop(program); // and with it this copy of the values
        Ok(child.wait(signals).await)
    }

    /// Passes on what comes until the program has ended and its output is written; its own code, or 128 and the signal
    /// that ended it. Cancelling it loses nothing: it can be asked again.
    pub(crate) async fn wait(&mut self, signals: &mut Signals) -> u8 {
        let code = loop {
            if let Some(code) = self.code {
                break code;
            }
            tokio::select! {
                arrival = signals.next() => self.receive(arrival),
                event = self.process.next_event() => self.handle(event),
            }
        };
        self.streams.end();
        loop {
            tokio::select! {
                finished = self.streams.next_finished() => match finished {
                    Some(Ok(())) => {}
                    Some(Err(error)) => {
                        self.failed = true;
                        self.print_line(&format!("error: {error}"));
                    }
                    None => break,
                },
                // Who reads our output does not; whoever ends us does not want to wait for that either.
                _ = signals.ending() => break,
            }
        }
        if self.failed { code.max(ExitCode::Failed as u8) } else { code }
    }

    /// Sends the program a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        match &self.process {
            Process::PlainChild(plain) if self.code.is_none() => plain.signal(signal),
            Process::PlainChild(_) => {}
            Process::PtyChild(pty_child) => pty_child.signal(signal),
        }
    }

    /// Ends what the program, which has ended, left running in a group of its own: asked first, and killed at `end`. On a
    /// pseudo-terminal it goes with that.
    pub(crate) async fn end_descendants(&mut self, end: Instant) {
        self.signal_descendants(Signal::TERM);
        self.signal_descendants(Signal::CONT);
        while self.has_descendants() {
            if Instant::now() >= end {
                return self.signal_descendants(Signal::KILL);
            }
            sleep(POLL_INTERVAL).await;
            self.reap();
        }
    }

    /// Sends a signal to what the program left running in a group of its own.
    pub(crate) fn signal_descendants(&self, signal: Signal) {
        let _ = self.group().map(|group| kill_process_group(group, signal));
    }

    fn has_descendants(&self) -> bool {
        self.group().is_some_and(|group| test_kill_process_group(group).is_ok())
    }

    fn group(&self) -> Option<Pid> {
        match &self.process {
            Process::PlainChild(plain) => plain.group,
            Process::PtyChild(_) => None,
        }
    }

    /// Writes a line to stderr, whatever mode the terminal is in.
    pub(crate) fn print_line(&self, line: &str) {
        let raw = matches!(&self.process, Process::PtyChild(pty_child) if pty_child.is_raw());
        let line = format!("{}{}", escape(line), if raw { "\r\n" } else { "\n" });
        let _ = io::Write::write_all(&mut io::stderr().lock(), line.as_bytes());
    }

    /// A signal reached the runner.
    fn receive(&mut self, ReceivedSignal { signal, from_kernel }: ReceivedSignal) {
        match &mut self.process {
            _ if signal == Signal::CHILD => self.reap(),
            Process::PtyChild(pty_child) => pty_child.receive(signal),
            Process::PlainChild(plain) => match signal {
                // Ctrl-Z when the program is stopped already.
                Signal::TSTP if plain.stopped => plain.stop_with_it(),
                // The terminal's, which the program is sent as well.
                Signal::INT | Signal::QUIT | Signal::TSTP | Signal::WINCH if from_kernel => {}
                signal => plain.signal(signal),
            },
        }
    }

    /// Takes note of every child that ended or stopped, ours or not: those of others become PID 1's.
    fn reap(&mut self) {
        let options = WaitOptions::NOHANG | WaitOptions::UNTRACED | WaitOptions::CONTINUED;
        loop {
            match (rustix::process::wait(options), &mut self.process) {
                (Ok(Some((pid, status))), Process::PlainChild(plain)) if plain.pid == Some(pid) => {
                    self.code = code(status);
                    plain.note(status);
                }
                // A monitor that ends in order has reported before how the program ended.
                (Ok(Some((pid, status))), Process::PtyChild(pty_child)) if pty_child.is_monitor(pid) => {
                    self.code = self.code.or(code(status).filter(|code| *code != 0));
                }
                (Ok(Some(_)) | Err(Errno::INTR), _) => {}
                (Ok(None) | Err(_), _) => return,
            }
        }
    }

    /// Takes note of what the monitor reports.
    fn handle(&mut self, event: MonitorEvent) {
        let Process::PtyChild(pty_child) = &mut self.process else { return };
        match event {
            MonitorEvent::Exited(code) => self.code = Some(u8::try_from(code).unwrap_or(u8::MAX)),
            MonitorEvent::Killed(signal) => self.code = Some(u8::try_from(128 + signal).unwrap_or(u8::MAX)),
            MonitorEvent::Gone => self.code = self.code.or(Some(ExitCode::Failed as u8)),
            MonitorEvent::Stopped(signal) => pty_child.stopped(signal),
            MonitorEvent::WantsKeyboard => pty_child.wants_keyboard(),
            MonitorEvent::Started | MonitorEvent::NotExecuted(_) | MonitorEvent::NotPrepared(_) => {}
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        if let Process::PtyChild(pty_child) = &self.process {
            pty_child.end();
        }
    }
}

impl Process {
    /// What the monitor reports; never anything for a plain child, which has none.
    async fn next_event(&mut self) -> MonitorEvent {
        match self {
            Self::PlainChild(_) => std::future::pending().await,
            Self::PtyChild(pty_child) => pty_child.next_event().await,
        }
    }
}

impl PlainChild {
    fn start(program: &Program, words: &[OsString], stdout: Stdio, stderr: Stdio) -> Result<Self, StartError> {
        let mut command = program.command(words);
        let child = command.stdout(stdout).stderr(stderr).spawn().map_err(StartError::NotExecuted)?;
        // The command goes now, and with it our copies of the pipes' ends.
        let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        Ok(Self { pid, group: pid.filter(|_| program.leads_group), stopped: false })
    }

    fn start_on_pipes(
        program: &Program,
        words: &[OsString],
        masking: &Masking,
        streams: &mut Streams,
    ) -> Result<Self, StartError> {
        let (stdout, for_stdout) = forward::pipe().map_err(not_prepared)?;
        // One pipe for what ends in one place, or the order of what is written would be lost.
        let (stderr, for_stderr) = if Streams::share_destination() {
            (None, for_stdout.try_clone().map_err(not_prepared)?)
        } else {
            let (stderr, for_stderr) = forward::pipe().map_err(not_prepared)?;
            (Some(stderr), for_stderr)
        };
        let plain = Self::start(program, words, for_stdout.into(), for_stderr.into())?;
        streams.forward(stdout, OutputStream::Stdout, masking, None);
        if let Some(stderr) = stderr {
            streams.forward(stderr, OutputStream::Stderr, masking, None);
        }
        Ok(plain)
    }

    fn signal(&self, signal: Signal) {
        if let Some(pid) = self.pid {
            let _ = kill_process(pid, signal);
        }
    }

    fn note(&mut self, status: WaitStatus) {
        self.stopped = status.stopped();
        // Not for SIGSTOP: whoever sends that continues the program, and not us.
        if status.stopping_signal().is_some_and(stops_jobs) {
            self.stop_with_it();
        }
    }

    /// Stops us as the program is. Whoever continues us continues it too, which is reported later than a Ctrl-Z of before may
    /// still be in the queue: that is not for both a second time.
    fn stop_with_it(&mut self) {
        if stop_this_process() {
            self.stopped = false;
        }
    }
}

fn not_prepared(error: io::Error) -> StartError {
    StartError::NotPrepared(CliError::new(ExitCode::NotStarted, format!("the program's streams: {error}")))
}

/// The code of what has ended: its own, or 128 and the signal that ended it.
fn code(status: WaitStatus) -> Option<u8> {
    let signal = status.terminating_signal().map(|signal| 128 + signal);
    signal.or(status.exit_status()).map(|code| u8::try_from(code).unwrap_or(u8::MAX))
}
