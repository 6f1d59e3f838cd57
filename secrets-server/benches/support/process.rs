//! A server as a process of its own, so that its CPU time is not mixed with the load generator's.

use std::fs;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::Result;

/// How long a server may take to listen.
const START_TIMEOUT: Duration = Duration::from_secs(20);
/// How long a server may take to end by itself.
const STOP_TIMEOUT: Duration = Duration::from_secs(20);

/// A server on a loopback port; ends with this value.
pub(crate) struct Process {
    child: Child,
    port: u16,
}

impl Process {
    /// Starts `program` with the arguments that `arguments` adds for a port, and waits until it listens there.
    pub(crate) fn start(program: &Path, arguments: impl FnOnce(&mut Command, u16)) -> Result<Self> {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let mut command = Command::new(program);
        arguments(&mut command, port);
        let child = command.stdin(Stdio::null()).spawn()?;
        let mut process = Self { child, port };
        let deadline = Instant::now() + START_TIMEOUT;
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            if let Some(status) = process.child.try_wait()? {
                return Err(format!("`{}` ended at its start: {status}", program.display()).into());
            }
            if Instant::now() > deadline {
                return Err(format!("`{}` does not listen after {START_TIMEOUT:?}", program.display()).into());
            }
            sleep(Duration::from_millis(20));
        }
        Ok(process)
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// The port it listens on.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The CPU time that it has taken, in user and system mode, with all its threads.
    pub(crate) fn cpu(&self) -> Result<Duration> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.id()))?;
        // proc(5): the second field is the program's name in parentheses, whatever is in it; utime and stime are the
        // 14th and 15th, in ticks of USER_HZ, which is 100 a second on every Linux there is.
        let (_, fields) = stat.rsplit_once(')').ok_or("no program name in /proc/PID/stat")?;
        let mut times = fields.split_whitespace().skip(11).map(str::parse::<u64>);
        match (times.next(), times.next()) {
            (Some(user), Some(system)) => Ok(Duration::from_millis((user? + system?) * 10)),
            _ => Err("too few fields in /proc/PID/stat".into()),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // SIGTERM first: the server removes what it holds. Without `unsafe` only a command can send it.
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        let deadline = Instant::now() + STOP_TIMEOUT;
        while matches!(self.child.try_wait(), Ok(None)) && Instant::now() < deadline {
            sleep(Duration::from_millis(20));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
