//! Forwards a program's output from its pipe, or its pseudo-terminal, to ours, and masks it on the way.
//!
//! A thread for each stream reads, masks and writes, one chunk at a time: a slow reader slows the program down, as a pipe
//! without us would, and no buffer grows. What may be the beginning of a value is held back: 6 bytes of one until more comes,
//! and at the end they are masked; fewer for no longer than [`HOLD_BACK_TIMEOUT`].
//!
//! A program's descendants may live on and keep its output open. What was written before the program ended is forwarded
//! whole; after that, only as long as more keeps coming, and for at most [`DRAIN_TIMEOUT`].
//!
//! How long to hold back is a choice between two faults. Without a limit, a prompt that ends as a value begins would never
//! be shown, and the program would wait for an answer to it. With one, the beginning of a value that is written in two parts is
//! shown: a program behind a pipe writes whenever its buffer of 4 KiB is full, which may be in the middle of a value and
//! minutes before the rest. So the limit holds for up to 5 bytes, which every other word has in common with some encoding of
//! some value; a prompt that ends with 6 is rare, and no value of anybody should show more. 100 ms are not noticed by
//! whoever reads a prompt, and are longer than a program takes between two writes of one text. Rejected was one limit for
//! a terminal too: two of three keys begin some encoding of some value, and whoever types notices 100 ms at each of them.

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
const HOLD_BACK_TIMEOUT: Duration = Duration::from_millis(100);
/// The same for a few bytes on a terminal, as the echo of a key: they are seldom the beginning of a value, and whoever types
/// does not want to wait for them.
const KEYSTROKE_TIMEOUT: Duration = Duration::from_millis(15);
/// As many bytes as a keystroke sends back at most.
const MAX_KEYSTROKE_BYTES: usize = 3;

/// How long output is forwarded that descendants write after the program has ended.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(1);

/// Bytes read at once: what fits into a pipe.
const CHUNK_BYTES: usize = 256 * 1024;

/// How forwarding ended.
#[derive(Debug)]
pub(crate) enum Forwarded {
    /// There is nothing more.
    All,
    /// Whoever reads our output is gone, as after `| head -n 1`.
    ReaderGone,
    /// Our output can't be written.
    Failed(io::Error),
}

/// The terminal to which the output of a pseudo-terminal goes.
pub(crate) struct TerminalOutput {
    pub(crate) terminal: Arc<Terminal>,
    /// Something was read that is not written yet.
    pub(crate) busy: AtomicBool,
}

/// The state of one stream.
struct Forwarder<'a> {
    input: OwnedFd,
    output: BorrowedFd<'a>,
    stream: MaskedStream,
    /// What was masked and is not written yet; empty between two chunks.
    masked: Vec<u8>,
    terminal_output: Option<&'a TerminalOutput>,
    /// A carriage return at the end of what was written, which may belong to a line feed that comes next.
    held_carriage_return: bool,
    /// Nothing came for so long that what is held back stays so until something does.
    paused: bool,
}

/// What is still to be forwarded after the program has ended.
struct Drain {
    /// What lay in the pipe at that time.
    remaining_bytes: u64,
    until: Instant,
}

/// A pipe for one stream of a program, which writes into the second end.
pub(crate) fn pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    let (read, write) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?;
    widen(&write);
    Ok((read, write))
}

/// Lets a pipe hold a whole chunk: fewer turns for the same bytes. Where it is not granted, the usual size does, and what is
/// no pipe stays what it is.
fn widen(pipe: impl AsFd) {
    if rustix::pipe::fcntl_getpipe_size(&pipe).is_ok_and(|size| size < CHUNK_BYTES) {
        let _ = rustix::pipe::fcntl_setpipe_size(&pipe, CHUNK_BYTES);
    }
}

/// Forwards `input` to `output` until there is nothing more, or until `ended`, whose other end the runner closes when the
/// program has ended, and what follows from that.
pub(crate) fn forward(
    input: OwnedFd,
    output: BorrowedFd<'_>,
    stream: MaskedStream,
    ended: BorrowedFd<'_>,
    terminal_output: Option<&TerminalOutput>,
) -> Forwarded {
    widen(output);
    let mut forwarder = Forwarder {
        input,
        output,
        stream,
        masked: Vec::with_capacity(CHUNK_BYTES),
        terminal_output,
        held_carriage_return: false,
        paused: false,
    };
    match forwarder.run(ended) {
        Ok(()) => Forwarded::All,
        Err(Errno::PIPE) => Forwarded::ReaderGone,
        Err(error) => Forwarded::Failed(error.into()),
    }
}

impl Forwarder<'_> {
    fn run(&mut self, ended: BorrowedFd<'_>) -> Result<(), Errno> {
        let mut chunk = vec![0; CHUNK_BYTES];
        let mut drain: Option<Drain> = None;
        loop {
            let wait = match &drain {
                Some(_) => Some(HOLD_BACK_TIMEOUT),
                None => self.waits_for_more().then(|| self.hold_back_timeout()),
            };
            let ready = self.wait(drain.is_none().then_some(ended), wait)?;
            if ready.ended {
                let remaining_bytes = rustix::io::ioctl_fionread(&self.input).unwrap_or(0);
                drain = Some(Drain { remaining_bytes, until: Instant::now() + DRAIN_TIMEOUT });
            }
            if ready.input {
                let count = match rustix::io::read(&self.input, &mut chunk) {
                    Ok(count) => count,
                    Err(Errno::INTR | Errno::AGAIN) => continue,
                    Err(Errno::IO) => 0, // a pseudo-terminal that nobody has open any more
                    Err(error) => return Err(error),
                };
                if count == 0 {
                    return self.finish();
                }
                self.paused = false;
                self.flush_carriage_return();
                self.stream.push(chunk.get(..count).unwrap_or_default(), &mut self.masked);
                self.drop_redundant_carriage_returns();
                self.write()?;
                if let Some(drain) = &mut drain {
                    drain.remaining_bytes = drain.remaining_bytes.saturating_sub(count as u64);
                }
            } else if ready.timed_out {
                self.pause()?;
            }
            if let Some(drain) = &drain
                && (ready.timed_out || (drain.remaining_bytes == 0 && Instant::now() >= drain.until))
            {
                return self.finish();
            }
        }
    }

    fn pause(&mut self) -> Result<(), Errno> {
        self.paused = true;
        self.flush_carriage_return();
        self.stream.pause(&mut self.masked);
        self.write()
    }

    fn finish(&mut self) -> Result<(), Errno> {
        self.flush_carriage_return();
        self.stream.finish(&mut self.masked);
        self.write()
    }

    fn flush_carriage_return(&mut self) {
        if std::mem::take(&mut self.held_carriage_return) {
            self.masked.push(b'\r');
        }
    }

    /// A pseudo-terminal puts a carriage return before each line feed. While our terminal is not raw it does so as well,
    /// and once is enough.
    fn drop_redundant_carriage_returns(&mut self) {
        if self.terminal_output.is_none_or(|terminal_output| terminal_output.terminal.is_raw()) {
            return;
        }
        let mut returned = false;
        let mut kept = Vec::with_capacity(self.masked.len());
        for &byte in &self.masked {
            if returned && byte != b'\n' {
                kept.push(b'\r');
            }
            returned = byte == b'\r';
            if !returned {
                kept.push(byte);
            }
        }
        self.held_carriage_return = returned;
        self.masked = kept;
    }

    /// Whether something that was read waits, not for long, for what comes next.
    fn waits_for_more(&self) -> bool {
        !self.paused && (self.stream.held_back() > 0 || self.held_carriage_return)
    }

    /// How long what is held back waits.
    fn hold_back_timeout(&self) -> Duration {
        let is_keystroke =
            self.terminal_output.is_some() && (1..=MAX_KEYSTROKE_BYTES).contains(&self.stream.held_back());
        if is_keystroke { KEYSTROKE_TIMEOUT } else { HOLD_BACK_TIMEOUT }
    }

    /// Waits until there is something to read, the reader of our output is gone, or the program has ended.
    fn wait(&self, ended: Option<BorrowedFd<'_>>, limit: Option<Duration>) -> Result<PollResult, Errno> {
        let limit = limit.and_then(|limit| Timespec::try_from(limit).ok());
        let mut polled = vec![
            PollFd::new(&self.input, PollFlags::IN),
            // Nothing is asked of it, but that its reader is gone is said anyway.
            PollFd::new(&self.output, PollFlags::empty()),
        ];
        polled.extend(ended.as_ref().map(|ended| PollFd::new(ended, PollFlags::IN)));
        self.set_busy(self.waits_for_more());
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
        Ok(PollResult {
            input: input.is_some_and(|events| !events.is_empty()),
            ended: ended.is_some_and(|events| !events.is_empty()),
            timed_out: count == 0,
        })
    }

    fn set_busy(&self, busy: bool) {
        if let Some(terminal_output) = self.terminal_output {
            terminal_output.busy.store(busy, Ordering::Release);
        }
    }

    /// Writes all that is masked, however long that takes.
    fn write(&mut self) -> Result<(), Errno> {
        let mut rest = self.masked.as_slice();
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
        self.masked.clear();
        Ok(())
    }
}

/// What a poll found.
struct PollResult {
    input: bool,
    ended: bool,
    timed_out: bool,
}
