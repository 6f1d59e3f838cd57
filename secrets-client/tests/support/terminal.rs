//! A terminal of the test's own: what is typed, what is shown, how large it is, and in which mode.

use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::process::{Child, Command};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use rustix::fs::{Mode, OFlags, open};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, Termios, Winsize, tcgetattr, tcsetwinsize};

use super::wait_with_timeout;

/// Longer than anything may take that a test waits for.
const TIMEOUT: Duration = Duration::from_secs(30);

/// A program that leads the session of a terminal, as a login shell does.
pub(crate) struct TestTerminal {
    master: std::fs::File,
    slave: OwnedFd,
    child: Child,
    chunks: mpsc::Receiver<Vec<u8>>,
    shown: String,
    seen: usize,
    /// The terminal's mode before the program was started.
    pub(crate) before: String,
}

impl TestTerminal {
    /// Starts `program` on a terminal of 24 lines and 80 columns.
    pub(crate) fn start(program: &Command) -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap();
        let slave = open(name, OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty()).unwrap();
        set_size(&slave, 24, 80);
        let mut command = Command::new("setsid");
        command.arg("--ctty").arg(program.get_program()).args(program.get_args());
        command.current_dir(program.get_current_dir().unwrap()).env("TERM", "xterm");
        for (name, value) in program.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        let before = format!("{:?}", tcgetattr(&slave).unwrap());
        let stdio = || slave.try_clone().unwrap();
        let child = command.stdin(stdio()).stdout(stdio()).stderr(stdio()).spawn().unwrap();
        let (sender, chunks) = mpsc::channel();
        let master = std::fs::File::from(master);
        let mut reader = master.try_clone().unwrap();
        std::thread::spawn(move || {
            let mut chunk = [0; 4096];
            while let Ok(count @ 1..) = reader.read(&mut chunk) {
                let _ = sender.send(chunk[..count].to_vec());
            }
        });
        Self { master, slave, child, chunks, shown: String::new(), seen: 0, before }
    }

    pub(crate) fn type_keys(&mut self, keys: &str) {
        self.master.write_all(keys.as_bytes()).unwrap();
    }

    /// Waits until `text` is shown, after what was waited for before.
    #[track_caller]
    pub(crate) fn wait_for(&mut self, text: &str) {
        let deadline = Instant::now() + TIMEOUT;
        let mut from = self.seen;
        loop {
            if let Some(at) = self.shown[from..].find(text) {
                self.seen = from + at + text.len();
                return;
            }
            // What was looked through is not again, but for an end that may begin the text.
            from = self.seen.max(self.shown.floor_char_boundary(self.shown.len().saturating_sub(text.len())));
            match self.chunks.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(chunk) => self.shown.push_str(&String::from_utf8_lossy(&chunk)),
                Err(_) => panic!("no {text:?} in {:?} after {:?}", &self.shown[self.seen..], &self.shown[..self.seen]),
            }
        }
    }

    /// Waits until a word that begins with `prefix` is shown, alone in its line or last in it, and returns it.
    #[track_caller]
    pub(crate) fn wait_for_word(&mut self, prefix: &str) -> String {
        self.wait_for(prefix);
        let from = self.seen - prefix.len();
        self.wait_for("\r\n");
        self.shown[from..self.seen].trim_end().to_owned()
    }

    pub(crate) fn resize(&self, lines: u16, columns: u16) {
        set_size(&self.slave, lines, columns);
    }

    pub(crate) fn attributes(&self) -> Termios {
        tcgetattr(&self.slave).unwrap()
    }

    /// Whether the terminal leaves what is typed to the program, and neither edits nor shows it.
    pub(crate) fn is_raw(&self) -> bool {
        !self.attributes().local_modes.intersects(LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG)
    }

    /// The terminal itself, to be looked at when the program has ended.
    pub(crate) fn terminal(&self) -> OwnedFd {
        self.slave.try_clone().unwrap()
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits until the program has ended. Returns its code and all that was shown.
    #[track_caller]
    pub(crate) fn wait_for_exit(mut self) -> (Option<i32>, String) {
        let status = wait_with_timeout(&mut self.child, TIMEOUT);
        let status = status.unwrap_or_else(|| panic!("it does not end: {:?}", self.shown));
        while let Ok(chunk) = self.chunks.recv_timeout(Duration::from_millis(200)) {
            self.shown.push_str(&String::from_utf8_lossy(&chunk));
        }
        (status.code(), std::mem::take(&mut self.shown))
    }
}

impl Drop for TestTerminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn set_size(terminal: &OwnedFd, lines: u16, columns: u16) {
    let size = Winsize { ws_row: lines, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
    tcsetwinsize(terminal, size).unwrap();
}
