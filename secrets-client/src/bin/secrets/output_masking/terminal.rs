//! The terminal of whoever typed the command: its keys go to the program's pseudo-terminal as they are typed, and it is
//! given back as it was.
//!
//! Two of these commands may share one terminal, as under `make -j2`. The second one finds it raw, which is not how it is, but
//! what the first one does: its program gets an ordinary terminal, and it gives back nothing that would stay raw.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::getpgrp;
use rustix::termios::{
    InputModes, LocalModes, OptionalActions, OutputModes, Termios, Winsize, tcgetattr, tcgetpgrp, tcgetwinsize,
    tcsetattr,
};

/// How often to check whether a shell has put us into the foreground again, or somebody has taken the terminal's mode back:
/// neither is reported.
const FOREGROUND_POLL_INTERVAL: Duration = Duration::from_millis(200);

/// Our own terminal. Dropped, it is as it was.
pub(crate) struct Terminal {
    keyboard: OwnedFd,
    terminal_output: OwnedFd,
    mode: Mutex<Mode>,
}

#[derive(Default)]
struct Mode {
    /// What the terminal was like before we made it raw; none while it is not.
    before: Option<Termios>,
    /// It belongs to somebody else now.
    suspended: bool,
}

impl Terminal {
    /// The terminal that stdout is; keys come from stdin if that is one as well, else from where passwords are asked.
    pub(crate) fn from_stdout() -> io::Result<Self> {
        let stdin = io::stdin();
        let keyboard = if rustix::termios::isatty(&stdin) {
            stdin.as_fd().try_clone_to_owned()?
        } else {
            match File::options().read(true).write(true).open("/dev/tty") {
                Ok(terminal) => terminal.into(),
                Err(_) => io::stdout().as_fd().try_clone_to_owned()?,
            }
        };
        Ok(Self { keyboard, terminal_output: io::stdout().as_fd().try_clone_to_owned()?, mode: Mutex::default() })
    }

    /// What a pseudo-terminal that stands for this one should be like.
    pub(crate) fn attributes(&self) -> io::Result<Termios> {
        let modes = match self.mode().before.clone() {
            Some(before) => before,
            None => tcgetattr(&self.keyboard)?,
        };
        Ok(if is_raw(&modes) { ordinary(modes) } else { modes })
    }

    pub(crate) fn size(&self) -> io::Result<Winsize> {
        Ok(tcgetwinsize(&self.terminal_output)?)
    }

    /// Whether we may read the terminal and set its mode. One that controls nobody is anybody's.
    pub(crate) fn in_foreground(&self) -> bool {
        tcgetpgrp(&self.keyboard).map_or(true, |foreground| foreground == getpgrp())
    }

    /// Passes keys on as they are typed, Ctrl-C too, as far as the terminal is ours. Returns whether it is.
    pub(crate) fn make_raw(&self) -> bool {
        let mut mode = self.mode();
        if mode.suspended || !self.in_foreground() {
            return false;
        }
        if mode.before.as_ref().is_none_or(is_raw)
            && let Ok(before) = tcgetattr(&self.keyboard)
        {
            let mut raw = before.clone();
            raw.make_raw();
            // What is raw already is not set again: whoever made it so may have given it back since it was read, and then nobody
            // would do that any more.
            if is_raw(&before) || tcsetattr(&self.keyboard, OptionalActions::Now, &raw).is_ok() {
                mode.before = Some(before);
            }
        }
        true
    }

    /// Whether it puts no carriage return before a line feed by itself now, whoever made it so.
    pub(crate) fn is_raw(&self) -> bool {
        match tcgetattr(&self.terminal_output) {
            Ok(now) => !now.output_modes.contains(OutputModes::OPOST),
            Err(_) => self.mode().before.is_some(),
        }
    }

    /// Gives the terminal back, for as long as we are stopped.
    pub(crate) fn suspend(&self) {
        self.mode().suspended = true;
        self.restore();
    }

    /// The terminal may be ours again.
    pub(crate) fn resume(&self) {
        self.mode().suspended = false;
    }

    fn restore(&self) {
        if let Some(before) = self.mode().before.take()
            && !is_raw(&before)
            && self.in_foreground()
        {
            let _ = tcsetattr(&self.keyboard, OptionalActions::Now, &before);
        }
    }

    /// Carries what is typed to `program`, the pseudo-terminal, until the other end of `over` is closed.
    pub(crate) fn forward_keys(&self, program: &OwnedFd, over: &OwnedFd) -> Result<(), Errno> {
        let mut typed = [0; 4096];
        loop {
            let ours = self.make_raw();
            // Who made it raw before us may give it back at any time.
            let is_shared = self.mode().before.as_ref().is_some_and(is_raw);
            let limit = (!ours || is_shared).then(|| Timespec::try_from(FOREGROUND_POLL_INTERVAL).ok()).flatten();
            let mut polled = vec![PollFd::new(over, PollFlags::IN)];
            if ours {
                polled.push(PollFd::new(&self.keyboard, PollFlags::IN));
            }
            match poll(&mut polled, limit.as_ref()) {
                Err(Errno::INTR) => continue,
                result => result?,
            };
            let mut events = polled.iter().map(|polled| !polled.revents().is_empty());
            if events.next() == Some(true) {
                return Ok(());
            }
            // Read in the background, it would stop us.
            if events.next() == Some(true) && self.in_foreground() {
                let count = match rustix::io::read(&self.keyboard, &mut typed) {
                    Ok(0) | Err(Errno::IO) => return Ok(()), // hung up
                    Ok(count) => count,
                    Err(Errno::INTR | Errno::AGAIN) => continue,
                    Err(error) => return Err(error),
                };
                let mut rest = typed.get(..count).unwrap_or_default();
                while !rest.is_empty() {
                    match rustix::io::write(program, rest) {
                        Ok(count) => rest = rest.get(count..).unwrap_or_default(),
                        Err(Errno::INTR) => {}
                        Err(error) => return Err(error),
                    }
                }
            }
        }
    }

    fn mode(&self) -> MutexGuard<'_, Mode> {
        self.mode.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a terminal leaves all that is typed and shown to a program.
fn is_raw(modes: &Termios) -> bool {
    let edits = LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG;
    !modes.local_modes.intersects(edits) && !modes.output_modes.contains(OutputModes::OPOST)
}

/// What a raw terminal was like before, most likely.
fn ordinary(mut modes: Termios) -> Termios {
    modes.input_modes |= InputModes::ICRNL | InputModes::IXON;
    modes.output_modes |= OutputModes::OPOST | OutputModes::ONLCR;
    modes.local_modes |= LocalModes::ICANON
        | LocalModes::ECHO
        | LocalModes::ECHOE
        | LocalModes::ECHOK
        | LocalModes::ISIG
        | LocalModes::IEXTEN;
    modes
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.restore();
    }
}

#[cfg(test)]
mod tests {
    use rustix::fs::{Mode as FileMode, OFlags, open};
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

    use super::*;

    /// A pseudo-terminal, and what two commands on it have of it.
    fn shared() -> (OwnedFd, OwnedFd, [Terminal; 2]) {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap();
        let slave = open(name, OFlags::RDWR | OFlags::NOCTTY, FileMode::empty()).unwrap();
        let terminal = || Terminal {
            keyboard: slave.try_clone().unwrap(),
            terminal_output: slave.try_clone().unwrap(),
            mode: Mutex::default(),
        };
        let both = [terminal(), terminal()];
        (master, slave, both)
    }

    #[test]
    fn sets_no_raw_mode_that_somebody_else_has_set() {
        let (_master, slave, [first, second]) = shared();
        // Raw as they like it, which shows whether it is set again.
        let mut theirs = tcgetattr(&slave).unwrap();
        theirs.make_raw();
        theirs.input_modes |= InputModes::ICRNL;
        tcsetattr(&slave, OptionalActions::Now, &theirs).unwrap();
        assert!(first.make_raw() && first.make_raw());
        assert!(tcgetattr(&slave).unwrap().input_modes.contains(InputModes::ICRNL));
        // Its own program gets an ordinary terminal nevertheless, and what they give back is made raw and given back.
        assert!(!is_raw(&first.attributes().unwrap()));
        tcsetattr(&slave, OptionalActions::Now, &ordinary(theirs)).unwrap();
        assert!(first.make_raw() && second.make_raw());
        assert!(is_raw(&tcgetattr(&slave).unwrap()));
        drop(second);
        assert!(is_raw(&tcgetattr(&slave).unwrap()));
        drop(first);
        assert!(!is_raw(&tcgetattr(&slave).unwrap()));
    }

    #[test]
    fn leaves_the_terminal_ordinary_whenever_the_other_command_ends() {
        for _ in 0..200 {
            let (_master, slave, [first, second]) = shared();
            assert!(first.make_raw() && second.make_raw());
            std::thread::scope(|scope| {
                let ending = scope.spawn(|| drop(first));
                while !ending.is_finished() {
                    assert!(second.make_raw());
                }
            });
            drop(second);
            assert!(!is_raw(&tcgetattr(&slave).unwrap()));
        }
    }
}
