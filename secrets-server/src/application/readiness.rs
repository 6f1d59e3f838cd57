//! Readiness: checked time and again, told to whoever balances the load.
//!
//! A single failure says little: a database fails over, a disk hiccups. Three within fifteen seconds say that calls are better
//! sent elsewhere. One success is enough to be back.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::Application;
use crate::service::Service;

const CHECK_INTERVAL: Duration = Duration::from_secs(5);
/// Between two checks of writing while nobody writes and nothing has failed: a database at rest shall not be kept busy.
const WRITE_INTERVAL: Duration = Duration::from_secs(15);
/// So many failures within this time.
const MAX_FAILURES: usize = 3;
const FAILURE_WINDOW: Duration = Duration::from_secs(15);

impl Application {
    /// Checks from now on whether calls can be answered, until what is returned is dropped.
    pub fn readiness(&self) -> watch::Receiver<bool> {
        let (sender, receiver) = watch::channel(true);
        tokio::spawn(run(Arc::clone(&self.service), sender));
        receiver
    }
}

async fn run(service: Arc<Service>, sender: watch::Sender<bool>) {
    let mut ticks = interval(CHECK_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut failures, mut writing) = (Failures::default(), Writing::new(&service));
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = sender.closed() => return,
        }
        let writes = writing.is_due(&service);
        let checked = service.check_readiness(writes).await;
        writing.checked(writes, checked.is_ok());
        if let Err(error) = &checked {
            tracing::warn!(%error, "a check of the service failed");
        }
        let is_ready = failures.checked(checked.is_ok(), Instant::now());
        if sender.send_replace(is_ready) != is_ready {
            tracing::warn!(is_ready, "reported to those who ask for health");
        }
    }
}

/// When writing is checked.
struct Writing {
    commits: u64,
    /// The last check that succeeded.
    succeeded: Option<Instant>,
}

impl Writing {
    fn new(service: &Service) -> Self {
        Self { commits: service.commits(), succeeded: None }
    }

    fn is_due(&mut self, service: &Service) -> bool {
        let before = std::mem::replace(&mut self.commits, service.commits());
        // Calls have shown meanwhile that it works.
        self.commits == before && self.succeeded.is_none_or(|succeeded| succeeded.elapsed() >= WRITE_INTERVAL)
    }

    fn checked(&mut self, writes: bool, is_ok: bool) {
        match (writes, is_ok) {
            (true, true) => self.succeeded = Some(Instant::now()),
            (_, false) => self.succeeded = None,
            (false, true) => {}
        }
    }
}

/// The failures of late.
#[derive(Debug, Default)]
struct Failures(VecDeque<Instant>);

impl Failures {
    /// Counts a check, and tells whether calls can be answered.
    fn checked(&mut self, is_ok: bool, now: Instant) -> bool {
        if is_ok {
            self.0.clear();
        } else {
            self.0.push_back(now);
            self.0.retain(|failure| now.duration_since(*failure) <= FAILURE_WINDOW);
        }
        self.0.len() < MAX_FAILURES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_failures_in_fifteen_seconds_are_too_many_and_one_success_is_enough() {
        let start = Instant::now();
        let check = |checks: &[(bool, u64)]| {
            let mut failures = Failures::default();
            let at = |seconds| start + Duration::from_secs(seconds);
            checks.iter().map(|(is_ok, seconds)| failures.checked(*is_ok, at(*seconds))).collect::<Vec<_>>()
        };
        assert_eq!(check(&[(false, 0), (false, 5), (false, 10), (true, 15)]), [true, true, false, true]);
        assert_eq!(check(&[(false, 0), (true, 5), (false, 10), (false, 15)]), [true; 4]);
        assert_eq!(check(&[(false, 0), (false, 10), (false, 20), (false, 22)]), [true, true, true, false]);
    }
}
