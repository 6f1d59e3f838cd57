//! Where the programs are, and a folder and an environment in which nothing of this machine's user shows.

use std::ffi::OsString;
use std::fs::File;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};
use tempfile::TempDir;

/// The root of the project.
pub(crate) fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// The folder of the built programs `secrets` and `secrets-server`.
pub(crate) fn programs() -> PathBuf {
    let folder = Path::new(env!("CARGO_BIN_EXE_secrets")).parent().unwrap();
    let server = folder.join("secrets-server");
    if !server.exists() {
        let build = ["build", "--locked", "--package", "secrets-server"];
        assert!(Command::new(env!("CARGO")).args(build).status().unwrap().success() && server.exists());
    }
    folder.to_owned()
}

/// A loopback port that nobody listens on, below those that the system hands out by itself.
pub(crate) fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let begin = u16::try_from(std::process::id() % 6_000).unwrap();
    loop {
        let port = 20_000 + (begin + NEXT.fetch_add(1, Ordering::Relaxed)) % 12_000;
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
}

/// A temporary folder, where commands are run.
pub(crate) struct Place(TempDir);

/// How a command ended.
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) output: String,
}

impl Place {
    pub(crate) fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        std::fs::create_dir(place.path().join("home")).unwrap();
        place
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// A command that finds the programs and grpcurl, has a home here, and knows of no service.
    pub(crate) fn command(&self, program: impl Into<OsString>) -> Command {
        let mut path = vec![programs()];
        // Where `make test` puts tools: beside the folder of this build.
        path.extend(programs().ancestors().map(|folder| folder.join("tools/bin")).filter(|tools| tools.is_dir()));
        path.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
        let mut command = Command::new(program.into());
        command
            .env_clear()
            .env("PATH", std::env::join_paths(path).unwrap())
            .env("HOME", self.path().join("home"))
            .env("LC_ALL", "C.UTF-8")
            .stdin(Stdio::null())
            .current_dir(self.path());
        command
    }

    /// Runs a command to its end, and ends whatever it has left running.
    pub(crate) fn run(&self, mut command: Command) -> Ended {
        let path = self.path().join(".output");
        let output = File::create(&path).unwrap();
        command.stdout(output.try_clone().unwrap()).stderr(output).process_group(0);
        let mut child = command.spawn().unwrap();
        let group = Pid::from_child(&child);
        let deadline = Instant::now() + Duration::from_secs(180);
        let status = loop {
            match child.try_wait().unwrap() {
                None if Instant::now() < deadline => thread::sleep(Duration::from_millis(10)),
                status => break status,
            }
        };
        let _ = kill_process_group(group, Signal::KILL);
        if status.is_none() {
            child.wait().unwrap();
        }
        let output = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
        Ended { code: status.and_then(|status| status.code()), output }
    }
}
