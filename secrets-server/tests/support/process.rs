//! A process of the server.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, ExitStatus};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::program::command;

/// How long a server may take until it listens.
const START_TIMEOUT: Duration = Duration::from_secs(30);
/// How long it may take to end; it cuts off calls after 20 s.
const STOP_TIMEOUT: Duration = Duration::from_secs(25);

/// `serve` with its data in `directory`, on a free loopback port unless `arguments` say otherwise.
pub fn serve(directory: &Path, arguments: &[&str]) -> Command {
    let data_dir = directory.join("data");
    let mut all = vec!["serve", "--log-format", "json", "--data-dir", data_dir.to_str().unwrap()];
    if !arguments.contains(&"--listen") && !arguments.contains(&"--config") {
        all.extend(["--listen", "127.0.0.1:0"]);
    }
    all.extend(arguments);
    command(&all)
}

/// A server that listens. Dropped, it is killed.
pub struct ServerProcess {
    child: Child,
    pub address: SocketAddr,
    lines: Arc<Mutex<Vec<String>>>,
    reader: Option<JoinHandle<()>>,
}

impl ServerProcess {
    /// Runs `command`, one of `serve`, and waits until the server listens.
    pub fn start(mut command: Command) -> Self {
        let mut child = command.spawn().unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let lines = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&lines);
        let reader = thread::spawn(move || {
            for line in stderr.lines() {
                log.lock().unwrap().push(line.unwrap());
            }
        });
        let mut process = Self { child, address: SocketAddr::from(([0, 0, 0, 0], 0)), lines, reader: Some(reader) };
        process.address = process.listening();
        process
    }

    /// The address in the log's `listening` event.
    fn listening(&mut self) -> SocketAddr {
        let deadline = Instant::now() + START_TIMEOUT;
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

    pub fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap().clone()
    }

    /// The log so far; every line is JSON.
    pub fn events(&self) -> Vec<serde_json::Value> {
        self.lines().iter().map(|line| serde_json::from_str(line).expect(line)).collect()
    }

    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    pub fn send_signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).unwrap();
    }

    /// Waits until it has ended; returns how long that took.
    pub fn wait(&mut self) -> (ExitStatus, Duration) {
        let begun = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(begun.elapsed() < STOP_TIMEOUT, "it does not end");
            thread::sleep(Duration::from_millis(5));
        };
        let took = begun.elapsed();
        self.reader.take().unwrap().join().unwrap();
        (status, took)
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
