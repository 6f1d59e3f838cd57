//! A process of the server.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ExitStatus, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::{isolated_command, server_program};

/// A server that listens. Dropped, it is killed.
pub(crate) struct ServerProcess {
    child: Child,
    pub(crate) address: SocketAddr,
}

impl ServerProcess {
    /// Starts a server with its data in `directory`, and waits until it listens. Port 0 of `listen` means any that is free.
    pub(crate) fn start(directory: &Path, listen: &str, arguments: &[&str]) -> Self {
        let mut child = isolated_command(&server_program())
            .args(["serve", "--log-format", "json", "--listen", listen, "--data-dir"])
            .arg(directory.join("data"))
            .args(arguments)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut log = Vec::new();
        let address = loop {
            let line = lines.next().unwrap_or_else(|| panic!("the server ended: {log:#?}")).unwrap();
            let event: Value = serde_json::from_str(&line).unwrap();
            if event["message"] == "listening" {
                break event["address"].as_str().unwrap().parse().unwrap();
            }
            log.push(line);
        };
        std::thread::spawn(move || lines.for_each(drop)); // or its pipe would fill
        Self { child, address }
    }

    pub(crate) fn kill(&mut self) {
        let _ = self.child.kill(); // it may have ended already
        self.wait();
    }

    pub(crate) fn send_signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Waits until it has ended.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
