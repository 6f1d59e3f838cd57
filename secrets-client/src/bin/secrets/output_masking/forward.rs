//! Carries a program's output from its pipe, or its pseudo-terminal, to ours, and masks it on the way.
//!
//! A thread for each stream reads, masks and writes, one piece at a time: a reader who is slow slows the program down, as
//! a pipe without us would, and nothing grows. What may be the beginning of a value is held back, for no longer than
//! [`SILENCE`].
//!
//! A program's descendants may live on and keep its output open. What was written before the program ended is carried
//! whole; after that, only as long as it keeps coming, and for at most [`AFTERMATH`].

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use super::masking::MaskedStream;
use super::terminal::Terminal;

/// After this long without output, what is held back is not the beginning of a value, but a prompt.
const SILENCE: Duration = Duration::from_millis(100);
/// The same for a few bytes on a terminal, as the echo of a key: they are seldom the beginning of a value, and whoever types
/// does not want to wait for them.
const KEYSTROKE: Duration = Duration::from_millis(15);
/// So few bytes.
const FEW: usize = 3;

/// How long the output of what a program left behind is carried.
const AFTERMATH: Duration = Duration::from_secs(1);

/// How much is read at once: what fits into a pipe.
const PIECE: usize = 256 * 1024;

/// How carrying ended.
#[derive(Debug)]
pub(crate) enum Carried {
    /// There is nothing more.
    All,
    /// Whoever reads our output is gone, as after `| head -n 1`.
    ReaderGone,
    /// Our output can't be written.
    Failed(io::Error),
}

/// What a stream that comes from a pseudo-terminal goes to.
pub(crate) struct Screen {
    pub(crate) terminal: Arc<Terminal>,
    /// Something was read that is not written yet.
    pub(crate) busy: AtomicBool,
}

/// The state of one stream.
struct Pump<'a> {
    input: OwnedFd,
    output: BorrowedFd<'a>,
    stream: MaskedStream,
    /// What was decided and is not written yet; empty between two pieces.
    decided: Vec<u8>,
    screen: Option<&'a Screen>,
    /// A carriage return at the end of what was written, which may belong to a line feed that comes next.
    held_return: bool,
}

/// What is still to be carried after the program has ended.
struct Ending {
    /// What lay in the pipe at that time.
    owed: u64,
    until: Instant,
}

/// A pipe for one stream of a program, which writes into the second end.
pub(crate) fn pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    let (read, write) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?;
    widen(&write);
    Ok((read, write))
}

/// Lets a pipe hold a whole piece: fewer turns for the same bytes. Where it is not granted, the usual size does, and what is
/// no pipe stays what it is.
fn widen(pipe: impl AsFd) {
    if rustix::pipe::fcntl_getpipe_size(&pipe).is_ok_and(|size| size < PIECE) {
        let _ = rustix::pipe::fcntl_setpipe_size(&pipe, PIECE);
    }
}

/// Carries `input` to `output` until there is nothing more, or until `ended`, whose other end the runner closes when the
/// program has ended, and what follows from that.
pub(crate) fn carry(
    input: OwnedFd,
    output: BorrowedFd<'_>,
    stream: MaskedStream,
    ended: BorrowedFd<'_>,
    screen: Option<&Screen>,
) -> Carried {
    widen(output);
    let mut pump = Pump { input, output, stream, decided: Vec::with_capacity(PIECE), screen, held_return: false };
    match pump.run(ended) {
        Ok(()) => Carried::All,
        Err(Errno::PIPE) => Carried::ReaderGone,
        Err(error) => Carried::Failed(error.into()),
    }
}

impl Pump<'_> {
    fn run(&mut self, ended: BorrowedFd<'_>) -> Result<(), Errno> {
        let mut piece = vec![0; PIECE];
        let mut ending: Option<Ending> = None;
        loop {
            let wait = match &ending {
                Some(_) => Some(SILENCE),
                None => self.holds().then(|| self.silence()),
            };
            let ready = self.wait(ending.is_none().then_some(ended), wait)?;
            if ready.ended {
                let owed = rustix::io::ioctl_fionread(&self.input).unwrap_or(0);
                ending = Some(Ending { owed, until: Instant::now() + AFTERMATH });
            }
            if ready.input {
                let count = match rustix::io::read(&self.input, &mut piece) {
                    Ok(count) => count,
                    Err(Errno::INTR | Errno::AGAIN) => continue,
                    Err(Errno::IO) => 0, // a pseudo-terminal that nobody has open any more
                    Err(error) => return Err(error),
                };
                if count == 0 {
                    return self.finish();
                }
                self.begin();
                self.stream.push(piece.get(..count).unwrap_or_default(), &mut self.decided);
                self.leave_ends_of_lines_to_the_terminal();
                self.write()?;
                if let Some(ending) = &mut ending {
                    ending.owed = ending.owed.saturating_sub(count as u64);
                }
            } else if ready.nothing {
                self.finish()?;
            }
            if let Some(ending) = &ending
                && (ready.nothing || (ending.owed == 0 && Instant::now() >= ending.until))
            {
                return self.finish();
            }
        }
    }

    fn finish(&mut self) -> Result<(), Errno> {
        self.begin();
        self.stream.flush(&mut self.decided);
        self.write()
    }

    fn begin(&mut self) {
        if std::mem::take(&mut self.held_return) {
            self.decided.push(b'\r');
        }
    }

    /// A pseudo-terminal puts a carriage return before each line feed. While our terminal is not raw it does so as well,
    /// and once is enough.
    fn leave_ends_of_lines_to_the_terminal(&mut self) {
        if self.screen.is_none_or(|screen| screen.terminal.is_raw()) {
            return;
        }
        let mut returned = false;
        let mut kept = Vec::with_capacity(self.decided.len());
        for &byte in &self.decided {
            if returned && byte != b'\n' {
                kept.push(b'\r');
            }
            returned = byte == b'\r';
            if !returned {
                kept.push(byte);
            }
        }
        self.held_return = returned;
        self.decided = kept;
    }

    /// Whether something that was read waits for what comes next.
    fn holds(&self) -> bool {
        self.stream.held() > 0 || self.held_return
    }

    /// How long what is held back waits.
    fn silence(&self) -> Duration {
        let is_keystroke = self.screen.is_some() && (1..=FEW).contains(&self.stream.held());
        if is_keystroke { KEYSTROKE } else { SILENCE }
    }

    /// Waits until there is something to read, the reader of our output is gone, or the program has ended.
    fn wait(&self, ended: Option<BorrowedFd<'_>>, limit: Option<Duration>) -> Result<Ready, Errno> {
        let limit = limit.and_then(|limit| Timespec::try_from(limit).ok());
        let mut polled = vec![
            PollFd::new(&self.input, PollFlags::IN),
            // Nothing is asked of it, but that its reader is gone is said anyway.
            PollFd::new(&self.output, PollFlags::empty()),
        ];
        polled.extend(ended.as_ref().map(|ended| PollFd::new(ended, PollFlags::IN)));
        self.set_busy(self.holds());
        let count = loop {
            match poll(&mut polled, limit.as_ref()) {
                Err(Errno::INTR) => {}
                result => break result?,
            }
        };
        self.set_busy(true);
        let mut events = polled.iter().map(PollFd::revents);
        let (input, output, ended) = (events.next(), events.next(), events.next());
        if output.is_some_and(|events| events.intersects(PollFlags::ERR | PollFlags::NVAL)) {
            return Err(Errno::PIPE);
        }
        Ok(Ready {
            input: input.is_some_and(|events| !events.is_empty()),
            ended: ended.is_some_and(|events| !events.is_empty()),
            nothing: count == 0,
        })
    }

    fn set_busy(&self, busy: bool) {
        if let Some(screen) = self.screen {
            screen.busy.store(busy, Ordering::Release);
        }
    }

    /// Writes all that is decided, however long that takes.
    fn write(&mut self) -> Result<(), Errno> {
        let mut rest = self.decided.as_slice();
        while !rest.is_empty() {
            match rustix::io::write(self.output, rest) {
                Ok(count) => rest = rest.get(count..).unwrap_or_default(),
                Err(Errno::INTR) => {}
                // Whoever shares our output made it non-blocking.
                Err(Errno::AGAIN) => {
                    let _ = poll(&mut [PollFd::new(&self.output, PollFlags::OUT)], None);
                }
                Err(error) => return Err(error),
            }
        }
        self.decided.clear();
        Ok(())
    }
}

/// What a wait found.
struct Ready {
    input: bool,
    ended: bool,
    nothing: bool,
}
