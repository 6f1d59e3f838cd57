//! How the process stops: one request to stop that everything can wait for, and a count of the calls that must end first.
//!
//! A stream handler awaits [`Shutdown::requested`] beside its own events and then ends its stream. Work that outlives its caller
//! (a mutation that runs to its end although the client hung up) keeps an [`InFlightGuard`] of [`Shutdown::calls`].

use std::io;

use tokio::signal::unix::{self, SignalKind};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use tokio_util::task::task_tracker::TaskTrackerToken as InFlightGuard;

/// The request to stop, and the calls in flight. Clones share both.
#[derive(Clone, Debug, Default)]
pub struct Shutdown {
    /// Cancelled when the process is to stop.
    pub requested: CancellationToken,
    /// Each call in flight has a guard of it.
    pub calls: TaskTracker,
}

impl Shutdown {
    /// Requests the stop; from then on `calls.wait()` ends whenever no call is in flight. Asking again changes nothing.
    pub fn request(&self) {
        self.calls.close();
        self.requested.cancel();
    }
}

/// What `SIGHUP` asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnHangup {
    /// To stop: the terminal is gone.
    Stop,
    /// To read files again.
    Reload,
}

/// The operating system's requests to stop: `SIGTERM` and `SIGINT`, and `SIGHUP` unless it asks for something else.
#[derive(Debug)]
pub struct Termination {
    terminate: unix::Signal,
    interrupt: unix::Signal,
    hangup: Option<unix::Signal>,
}

impl Termination {
    /// Takes over these signals; from here on they no longer end the process by themselves, and neither do those that
    /// users may send. Asked for early, so that a container's first process, which has no default for them, can be stopped
    /// while it starts.
    pub fn listen(on_hangup: OnHangup) -> io::Result<Self> {
        // Once taken over, they are ignored.
        for ignored in [SignalKind::user_defined1(), SignalKind::user_defined2()] {
            drop(unix::signal(ignored)?);
        }
        Ok(Self {
            terminate: unix::signal(SignalKind::terminate())?,
            interrupt: unix::signal(SignalKind::interrupt())?,
            hangup: match on_hangup {
                OnHangup::Stop => Some(unix::signal(SignalKind::hangup())?),
                OnHangup::Reload => None,
            },
        })
    }

    /// Waits for the next of them.
    pub async fn received(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
            () = hung_up(self.hangup.as_mut()) => "SIGHUP",
        }
    }
}

async fn hung_up(hangup: Option<&mut unix::Signal>) {
    match hangup {
        Some(hangup) => _ = hangup.recv().await,
        None => std::future::pending().await,
    }
}

/// The requests to read files again: `SIGHUP`.
#[derive(Debug)]
pub struct Hangups(unix::Signal);

impl Hangups {
    /// Takes over the signal.
    pub fn listen() -> io::Result<Self> {
        unix::signal(SignalKind::hangup()).map(Self)
    }

    /// Waits for the next one.
    pub async fn received(&mut self) {
        self.0.recv().await;
    }
}
