//! Runs the real program.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// The program with an environment that has nothing of this one's configuration.
pub(crate) fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_secrets-server"));
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("SECRETS_")) {
        command.env_remove(name);
    }
    command
}

/// Runs it to its end.
pub(crate) fn run(arguments: &[&str]) -> Ended {
    Ended::of(command(arguments).output().unwrap())
}

/// How a run ended.
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ended {
    pub(crate) fn of(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// A server that serves. Dropped, it is killed.
pub(crate) struct Serving {
    child: Child,
    pub(crate) address: SocketAddr,
    lines: Arc<Mutex<Vec<String>>>,
    reader: Option<JoinHandle<()>>,
}

impl Serving {
    /// Starts `serve` with its data in `folder`, on a free loopback port unless `arguments` say otherwise.
    pub(crate) fn start(folder: &Path, arguments: &[&str]) -> Self {
        Self::spawn(Self::command(folder, arguments))
    }

    /// What `start` runs, to be changed before it is spawned.
    pub(crate) fn command(folder: &Path, arguments: &[&str]) -> Command {
        let data_dir = folder.join("data");
        let mut all = vec!["serve", "--log-format", "json", "--data-dir", data_dir.to_str().unwrap()];
        if !arguments.contains(&"--listen") && !arguments.contains(&"--config") {
            all.extend(["--listen", "127.0.0.1:0"]);
        }
        all.extend(arguments);
        command(&all)
    }

    pub(crate) fn spawn(mut command: Command) -> Self {
        let mut child = command.spawn().unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let lines = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&lines);
        let reader = thread::spawn(move || {
            for line in stderr.lines() {
                kept.lock().unwrap().push(line.unwrap());
            }
        });
        let mut serving = Self { child, address: SocketAddr::from(([0, 0, 0, 0], 0)), lines, reader: Some(reader) };
        serving.address = serving.listening();
        serving
    }

    /// The address in the log's `listening` event.
    fn listening(&mut self) -> SocketAddr {
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            let event = self.events().into_iter().find(|event| event["message"] == "listening");
            if let Some(event) = event {
                return event["address"].as_str().unwrap().parse().unwrap();
            }
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none() && Instant::now() < deadline, "{ended:?}: {:?}", self.lines());
            thread::sleep(Duration::from_millis(10));
        }
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap().clone()
    }

    /// The log so far; every line is JSON.
    pub(crate) fn events(&self) -> Vec<serde_json::Value> {
        self.lines().iter().map(|line| serde_json::from_str(line).expect(line)).collect()
    }

    pub(crate) fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    pub(crate) fn send(&self, signal: Signal) {
        kill_process(self.pid(), signal).unwrap();
    }

    /// Waits for its end, and tells how long that took.
    pub(crate) fn ended(&mut self) -> (ExitStatus, Duration) {
        let begun = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(begun.elapsed() < Duration::from_secs(25), "it does not end");
            thread::sleep(Duration::from_millis(5));
        };
        let took = begun.elapsed();
        self.reader.take().unwrap().join().unwrap();
        (status, took)
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
