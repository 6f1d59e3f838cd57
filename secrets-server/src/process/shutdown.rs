//! How the process stops: one request to stop that everything can wait for, and a count of the work
//! that must end first.
//!
//! A stream handler awaits [`Signal::requested`] beside its own events and then ends its stream. Work that
//! outlives its caller (a mutation that runs to its end although the client hung up) keeps a [`Hold`].

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::signal::unix::{self, SignalKind};
use tokio::sync::{Notify, watch};

/// The request to stop, and the work in flight. Clones share both.
#[derive(Clone, Debug, Default)]
pub struct Signal(Arc<State>);

#[derive(Debug, Default)]
struct State {
    requested: watch::Sender<bool>,
    in_flight: AtomicUsize,
    idle: Notify,
}

impl Signal {
    /// A signal that nobody has given yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Gives the signal: everything that waits for [`Self::requested`] goes on. Giving it again changes nothing.
    pub fn request(&self) {
        self.0.requested.send_replace(true);
    }

    /// Whether the signal has been given.
    pub fn is_requested(&self) -> bool {
        *self.0.requested.borrow()
    }

    /// Waits until the signal is given; at once when it already was.
    pub fn requested(&self) -> impl Future<Output = ()> + Send + 'static {
        let mut receiver = self.0.requested.subscribe();
        // The future owns the state as well, so that the sender can't go away while someone waits.
        let state = Arc::clone(&self.0);
        async move {
            let _ = receiver.wait_for(|requested| *requested).await;
            drop(state);
        }
    }

    /// Counts one more piece of work in flight, until the hold is dropped.
    pub fn hold(&self) -> Hold {
        self.0.in_flight.fetch_add(1, Ordering::AcqRel);
        Hold(self.clone())
    }

    /// How many holds are alive.
    pub fn in_flight(&self) -> usize {
        self.0.in_flight.load(Ordering::Acquire)
    }

    /// Waits until no hold is alive.
    pub async fn idle(&self) {
        loop {
            let notified = self.0.idle.notified();
            let mut notified = std::pin::pin!(notified);
            // Registered before the count is read: the last hold can't slip away between the two.
            notified.as_mut().enable();
            if self.in_flight() == 0 {
                return;
            }
            notified.await;
        }
    }
}

/// One piece of work in flight; the server waits for it when it stops.
#[derive(Debug)]
pub struct Hold(Signal);

impl Drop for Hold {
    fn drop(&mut self) {
        if self.0.0.in_flight.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.0.0.idle.notify_waiters();
        }
    }
}

/// The operating system's requests to stop: `SIGTERM` and `SIGINT`.
#[derive(Debug)]
pub struct Termination {
    terminate: unix::Signal,
    interrupt: unix::Signal,
}

impl Termination {
    /// Takes over both signals; from here on they no longer end the process by themselves. Asked for early, so
    /// that a container's first process, which has no default for them, can be stopped while it starts.
    pub fn listen() -> io::Result<Self> {
        Ok(Self {
            terminate: unix::signal(SignalKind::terminate())?,
            interrupt: unix::signal(SignalKind::interrupt())?,
        })
    }

    /// Waits for the next of them.
    pub async fn received(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    const SOON: Duration = Duration::from_secs(5);

    #[tokio::test]
    async fn tells_those_who_wait_and_those_who_come_later() {
        let signal = Signal::new();
        let waiting = tokio::spawn(signal.requested());
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());

        signal.request();
        timeout(SOON, waiting).await.unwrap().unwrap();
        timeout(SOON, signal.requested()).await.unwrap();
        assert!(signal.is_requested());
    }

    #[tokio::test]
    async fn is_idle_only_when_every_hold_is_dropped() {
        let signal = Signal::new();
        timeout(SOON, signal.idle()).await.unwrap();

        let (first, second) = (signal.hold(), signal.hold());
        drop(first);
        let waiting = tokio::spawn({
            let signal = signal.clone();
            async move { signal.idle().await }
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        assert_eq!(signal.in_flight(), 1);

        drop(second);
        timeout(SOON, waiting).await.unwrap().unwrap();
    }
}
