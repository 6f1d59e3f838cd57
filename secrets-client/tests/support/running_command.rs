//! A command that runs for a while, line by line.

use std::io::{BufRead as _, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::wait_with_timeout;

/// Longer than anything may take that a test waits for.
const TIMEOUT: Duration = Duration::from_secs(40);

/// How long a command may take to end after it was asked to; then it is killed.
const STOP_TIMEOUT: Duration = Duration::from_secs(5);

/// A running command. Dropped, it is stopped.
pub(crate) struct RunningCommand {
    child: Child,
    stdout: Receiver<String>,
    stderr: Receiver<String>,
}

impl RunningCommand {
    pub(crate) fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (stdout, stderr) = (lines(child.stdout.take().unwrap()), lines(child.stderr.take().unwrap()));
        Self { child, stdout, stderr }
    }

    /// The next line on stdout.
    #[track_caller]
    pub(crate) fn next_line(&self) -> String {
        self.stdout.recv_timeout(TIMEOUT).unwrap_or_else(|_| panic!("no line; stderr: {:#?}", self.remaining_stderr()))
    }

    /// Waits for a line on stderr that has `text`, and returns it.
    #[track_caller]
    pub(crate) fn wait_for_warning(&self, text: &str) -> String {
        let begun = Instant::now();
        loop {
            let left = TIMEOUT.saturating_sub(begun.elapsed());
            match self.stderr.recv_timeout(left) {
                Ok(line) if line.contains(text) => return line,
                Ok(_) => {}
                Err(_) => panic!("no `{text}` on stderr"),
            }
        }
    }

    /// The lines on stderr that were not read before.
    pub(crate) fn remaining_stderr(&self) -> Vec<String> {
        self.stderr.try_iter().collect()
    }

    /// Whether it has printed nothing more on stdout so far.
    pub(crate) fn is_silent(&self) -> bool {
        self.stdout.try_recv().is_err()
    }

    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    pub(crate) fn send_signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// The code it ends with.
    #[track_caller]
    pub(crate) fn wait_for_exit(&mut self) -> i32 {
        let status = wait_with_timeout(&mut self.child, TIMEOUT);
        let status = status.unwrap_or_else(|| panic!("it still runs: {:#?}", self.remaining_stderr()));
        status.code().unwrap_or(-1)
    }
}

impl Drop for RunningCommand {
    fn drop(&mut self) {
        // Asked first, so that it ends what it has started.
        if self.is_running() {
            self.send_signal(Signal::TERM);
            wait_with_timeout(&mut self.child, STOP_TIMEOUT);
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn lines(stream: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    receiver
}
