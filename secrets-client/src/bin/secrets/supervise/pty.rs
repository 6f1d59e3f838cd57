//! A pseudo-terminal, which a program takes for the terminal that stdout is.

use std::io;
use std::os::fd::OwnedFd;

use rustix::fs::{Mode, OFlags, open};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{OptionalActions, tcsetattr, tcsetwinsize};

use crate::output_masking::terminal::Terminal;

/// The two ends of a pseudo-terminal.
pub(crate) struct Pty {
    /// Ours: what is written here is typed there, and what is shown there can be read here.
    pub(crate) master: OwnedFd,
    /// The program's.
    pub(crate) slave: OwnedFd,
}

impl Pty {
    /// One that behaves as `terminal` does, and is as large.
    pub(crate) fn like(terminal: &Terminal) -> io::Result<Self> {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
        grantpt(&master)?;
        unlockpt(&master)?;
        let name = ptsname(&master, Vec::new())?;
        let slave = open(name, OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty())?;
        // In the background, somebody else has put it into a mode of theirs: a shell that reads a line, for instance.
        if terminal.in_foreground() {
            tcsetattr(&slave, OptionalActions::Now, &terminal.attributes()?)?;
        }
        tcsetwinsize(&slave, terminal.size()?)?;
        Ok(Self { master, slave })
    }
}
