//! The streams of a running program's output, each carried by a thread of its own.

use std::io;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::sync::Arc;

use tokio::sync::oneshot;

use crate::output_masking::forward::{self, Carried, Screen};
use crate::output_masking::masking::Masking;

/// What is carried, and to where.
pub(crate) struct Streams {
    carried: Vec<Stream>,
    /// The end of a pipe that is closed when the program has ended, and the other end, which sees that.
    over: Option<OwnedFd>,
    ended: Arc<OwnedFd>,
}

struct Stream {
    to: To,
    carried: oneshot::Receiver<Carried>,
}

/// Where a stream goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum To {
    Stdout,
    Stderr,
}

impl Streams {
    pub(crate) fn new() -> io::Result<Self> {
        let (ended, over) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?;
        Ok(Self { carried: Vec::new(), over: Some(over), ended: Arc::new(ended) })
    }

    /// Whether stdout and stderr are one file, pipe or terminal.
    pub(crate) fn go_to_the_same_place() -> bool {
        match (rustix::fs::fstat(io::stdout()), rustix::fs::fstat(io::stderr())) {
            (Ok(stdout), Ok(stderr)) => (stdout.st_dev, stdout.st_ino) == (stderr.st_dev, stderr.st_ino),
            _ => false,
        }
    }

    /// Carries what comes out of `from`, masked; to a `screen`, if `from` is a pseudo-terminal.
    pub(crate) fn carry(&mut self, from: OwnedFd, to: To, masking: &Masking, screen: Option<Arc<Screen>>) {
        let (stream, ended) = (masking.stream(), self.ended());
        let (sender, carried) = oneshot::channel();
        std::thread::spawn(move || {
            let (stdout, stderr) = (io::stdout(), io::stderr());
            let output: BorrowedFd<'_> = match to {
                To::Stdout => stdout.as_fd(),
                To::Stderr => stderr.as_fd(),
            };
            let _ = sender.send(forward::carry(from, output, stream, ended.as_fd(), screen.as_deref()));
        });
        self.carried.push(Stream { to, carried });
    }

    /// What becomes readable when the program has ended.
    pub(crate) fn ended(&self) -> Arc<OwnedFd> {
        Arc::clone(&self.ended)
    }

    /// Says that the program has ended: what it wrote is still carried, what others write no longer.
    pub(crate) fn end(&mut self) {
        self.over = None;
    }

    /// The next stream that is carried to its end, with what failed if something did; none if there is no other.
    /// Cancelling it loses none.
    pub(crate) async fn carried(&mut self) -> Option<Result<(), String>> {
        let stream = self.carried.last_mut()?;
        let result = match (&mut stream.carried).await {
            Ok(Carried::Failed(error)) => Err(format!("{}: {error}", stream.to.name())),
            Ok(Carried::All | Carried::ReaderGone) => Ok(()),
            Err(_) => Err(format!("{}: not all of it was written", stream.to.name())),
        };
        self.carried.pop();
        Some(result)
    }
}

impl To {
    fn name(self) -> &'static str {
        match self {
            Self::Stdout => "stdout",
            Self::Stderr => "stderr",
        }
    }
}
