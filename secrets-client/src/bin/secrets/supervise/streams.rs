//! The streams of a running program's output, each forwarded by a thread of its own.

use std::io;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::sync::Arc;

use tokio::sync::oneshot;

use crate::output_masking::forward::{self, Forwarded, TerminalOutput};
use crate::output_masking::masking::Masking;

/// What is forwarded, and to where.
pub(crate) struct Streams {
    forwarded: Vec<Stream>,
    /// The end of a pipe that is closed when the program has ended, and the other end, which sees that.
    end_writer: Option<OwnedFd>,
    ended: Arc<OwnedFd>,
}

struct Stream {
    to: OutputStream,
    forwarded: oneshot::Receiver<Forwarded>,
}

/// Where a stream goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OutputStream {
    Stdout,
    Stderr,
}

impl Streams {
    pub(crate) fn new() -> io::Result<Self> {
        let (ended, end_writer) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?;
        Ok(Self { forwarded: Vec::new(), end_writer: Some(end_writer), ended: Arc::new(ended) })
    }

    /// Whether stdout and stderr are one file, pipe or terminal.
    pub(crate) fn share_destination() -> bool {
        match (rustix::fs::fstat(io::stdout()), rustix::fs::fstat(io::stderr())) {
            (Ok(stdout), Ok(stderr)) => (stdout.st_dev, stdout.st_ino) == (stderr.st_dev, stderr.st_ino),
            _ => false,
        }
    }

    /// Forwards what comes out of `from`, masked; to a terminal, if `from` is a pseudo-terminal.
    pub(crate) fn forward(
        &mut self,
        from: OwnedFd,
        to: OutputStream,
        masking: &Masking,
        terminal_output: Option<Arc<TerminalOutput>>,
    ) {
        let (stream, ended) = (masking.stream(), self.ended());
        let (sender, forwarded) = oneshot::channel();
        std::thread::spawn(move || {
            let (stdout, stderr) = (io::stdout(), io::stderr());
            let output: BorrowedFd<'_> = match to {
                OutputStream::Stdout => stdout.as_fd(),
                OutputStream::Stderr => stderr.as_fd(),
            };
            let _ = sender.send(forward::forward(from, output, stream, ended.as_fd(), terminal_output.as_deref()));
        });
        self.forwarded.push(Stream { to, forwarded });
    }

    /// What becomes readable when the program has ended.
    pub(crate) fn ended(&self) -> Arc<OwnedFd> {
        Arc::clone(&self.ended)
    }

    /// Says that the program has ended: what it wrote is still forwarded, what others write no longer.
    pub(crate) fn end(&mut self) {
        self.end_writer = None;
    }

    /// The next stream that is forwarded to its end, with what failed if something did; none if there is no other.
    /// Cancelling it loses none.
    pub(crate) async fn next_finished(&mut self) -> Option<Result<(), String>> {
        let stream = self.forwarded.last_mut()?;
        let result = match (&mut stream.forwarded).await {
            Ok(Forwarded::Failed(error)) => Err(format!("{}: {error}", stream.to.name())),
            Ok(Forwarded::All | Forwarded::ReaderGone) => Ok(()),
            Err(_) => Err(format!("{}: not all of it was written", stream.to.name())),
        };
        self.forwarded.pop();
        Some(result)
    }
}

impl OutputStream {
    fn name(self) -> &'static str {
        match self {
            Self::Stdout => "stdout",
            Self::Stderr => "stderr",
        }
    }
}
