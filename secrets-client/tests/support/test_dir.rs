//! A directory and an environment in which nothing of this machine's user shows.

use std::ffi::OsString;
use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tempfile::TempDir;

use super::{server_program, wait_with_timeout};

/// How long a command may run; then it is killed.
const TIMEOUT: Duration = Duration::from_secs(180);

/// The root of the project.
pub(crate) fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// The directory of the built programs `secrets` and `secrets-server`.
pub(crate) fn programs() -> PathBuf {
    server_program().parent().unwrap().to_owned()
}

/// A temporary directory, where commands are run.
pub(crate) struct TestDir(TempDir);

/// What a command printed on both streams, in its order, and the code that it ended with.
pub(crate) struct Transcript {
    /// None when it was killed.
    pub(crate) code: Option<i32>,
    pub(crate) output: String,
}

impl TestDir {
    pub(crate) fn new() -> Self {
        let directory = Self(tempfile::tempdir().unwrap());
        std::fs::create_dir(directory.path().join("home")).unwrap();
        directory
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// A command that finds the programs and grpcurl, has a home here, and knows of no service.
    pub(crate) fn command(&self, program: impl Into<OsString>) -> Command {
        let mut path = vec![programs()];
        // Where `make test` puts tools: beside the directory of this build.
        path.extend(programs().ancestors().map(|directory| directory.join("tools/bin")).filter(|tools| tools.is_dir()));
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
    pub(crate) fn run(&self, mut command: Command) -> Transcript {
        let path = self.path().join(".output");
        let output = File::create(&path).unwrap();
        command.stdout(output.try_clone().unwrap()).stderr(output).process_group(0);
        let mut child = command.spawn().unwrap();
        let group = Pid::from_child(&child);
        let status = wait_with_timeout(&mut child, TIMEOUT);
        let _ = kill_process_group(group, Signal::KILL);
        if status.is_none() {
            child.wait().unwrap();
        }
        let output = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
        Transcript { code: status.and_then(|status| status.code()), output }
    }
}
