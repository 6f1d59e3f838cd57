//! A command that runs for a while, line by line.

use std::io::{BufRead as _, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// Longer than anything may take that a test waits for.
const PATIENCE: Duration = Duration::from_secs(40);

/// Dropped, it is killed.
pub(crate) struct Running {
    child: Child,
    stdout: Receiver<String>,
    stderr: Receiver<String>,
}

impl Running {
    pub(crate) fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (stdout, stderr) = (lines(child.stdout.take().unwrap()), lines(child.stderr.take().unwrap()));
        Self { child, stdout, stderr }
    }

    /// The next line on stdout.
    #[track_caller]
    pub(crate) fn says(&self) -> String {
        self.stdout.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("silence; stderr: {:#?}", self.told()))
    }

    /// Waits for a line on stderr that has `text`, and returns it.
    #[track_caller]
    pub(crate) fn warns(&self, text: &str) -> String {
        let begun = Instant::now();
        loop {
            let left = PATIENCE.saturating_sub(begun.elapsed());
            match self.stderr.recv_timeout(left) {
                Ok(line) if line.contains(text) => return line,
                Ok(_) => {}
                Err(_) => panic!("nothing of `{text}` on stderr"),
            }
        }
    }

    /// What is on stderr and was not looked at.
    pub(crate) fn told(&self) -> Vec<String> {
        self.stderr.try_iter().collect()
    }

    /// Whether it said nothing more so far.
    pub(crate) fn is_silent(&self) -> bool {
        self.stdout.try_recv().is_err()
    }

    pub(crate) fn runs(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    pub(crate) fn sent(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// The code it ends with.
    #[track_caller]
    pub(crate) fn ends(&mut self) -> i32 {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code().unwrap_or(-1);
            }
            assert!(begun.elapsed() < PATIENCE, "it still runs: {:#?}", self.told());
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Asked first, so that it ends what it has started.
        if self.runs() {
            self.sent(Signal::TERM);
            let begun = Instant::now();
            while self.runs() && begun.elapsed() < Duration::from_secs(5) {
                std::thread::sleep(Duration::from_millis(20));
            }
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
