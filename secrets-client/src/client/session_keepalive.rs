//! Keeping a session open. A session lives for an hour or so and can be renewed while its creator still may create it: a
//! program that works in one for longer renews it in time. For a week or so, that is: then only its creator can.

use std::time::Duration;

use prost_types::Timestamp;
use secrets_core::CredentialKind;
use secrets_proto::v1;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, sleep_until};

use super::Client;
use super::watch::{RECONNECT_POLICY, is_final};
use crate::error::ClientError;
use crate::retry;

/// A session is renewed when this fraction of its life has passed.
const RENEWAL_FRACTION: f64 = 2.0 / 3.0;
/// A session that was about to expire is renewed for this long.
const MIN_TTL: Duration = Duration::from_secs(60);
/// Longer than a session lives.
const MAX_LEFT: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);
/// A session that could live for longer is renewed for this long.
const MAX_TTL: Duration = Duration::from_secs(24 * 60 * 60);
/// How long before its end a warning comes.
const WARNING_TIME: Duration = Duration::from_secs(24 * 60 * 60);
/// The shortest time between two renewals that had no effect.
const MIN_INTERVAL: Duration = Duration::from_secs(60);

/// Renews the session that a client calls with, in the background, until it is dropped. With another credential it does
/// nothing.
#[derive(Debug)]
#[must_use = "the session is renewed only until this is dropped"]
pub struct SessionKeepalive {
    renewing: Option<JoinHandle<()>>,
    warnings: mpsc::UnboundedReceiver<SessionWarning>,
}

/// A session is going to end, unless whoever created it renews it with a token (`RenewSession`).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SessionWarning {
    /// When it ends at the latest.
    pub end: Timestamp,
}

impl Drop for SessionKeepalive {
    fn drop(&mut self) {
        if let Some(renewing) = &self.renewing {
            renewing.abort();
        }
    }
}

impl SessionKeepalive {
    /// Waits for the warning that the session is going to end: a day before, or at once when less is left. It comes once, and
    /// again when the session was renewed by whoever created it and is going to end later. Dropping the future loses no
    /// warning.
    pub async fn warning(&mut self) -> SessionWarning {
        match self.warnings.recv().await {
            Some(warning) => warning,
            None => std::future::pending().await,
        }
    }
}

impl Client {
    /// Keeps the session that this client calls with open: when two thirds of the time that it had left have passed, it is
    /// renewed for as long as it had left at the beginning, and so on. A session that can't be renewed ends all the same, and
    /// later calls are refused; [`SessionKeepalive::warning`] says so before. Needs a Tokio runtime.
    pub fn keep_session(&self) -> SessionKeepalive {
        let (sender, warnings) = mpsc::unbounded_channel();
        if self.0.credential_kind != Some(CredentialKind::Session) {
            return SessionKeepalive { renewing: None, warnings };
        }
        let client = self.clone();
        let renewing = tokio::spawn(async move {
            let _ = client.renew_in_time(&sender).await;
        });
        SessionKeepalive { renewing: Some(renewing), warnings }
    }

    /// Renews the session until that is refused.
    async fn renew_in_time(&self, warnings: &mpsc::UnboundedSender<SessionWarning>) -> Result<(), ClientError> {
        let me = self.retry_until_answered(|| self.who_am_i(v1::WhoAmIRequest {})).await?;
        let clock = ServiceClock { now: since_1970(me.server_time.as_ref()).unwrap_or_default(), read: Instant::now() };
        let Some(mut end) = since_1970(me.expire_time.as_ref()) else { return Ok(()) };
        let mut warner = Warner { renewal_end: me.renewal_end_time, ..Warner::default() };
        let ttl = clock.until(end).clamp(MIN_TTL, MAX_TTL);
        let mut due = Instant::now() + clock.until(end).mul_f64(RENEWAL_FRACTION);
        loop {
            if let Some(at) = warner.due(&clock).filter(|at| *at < due) {
                sleep_until(at).await;
                warner.warn(warnings);
            }
            sleep_until(due).await;
            let request =
                v1::RenewSessionRequest { ttl: prost_types::Duration::try_from(ttl).ok(), ..Default::default() };
            let renewed = self.retry_until_answered(|| self.renew_session(request.clone())).await?;
            let session = renewed.session.unwrap_or_default();
            let later = since_1970(session.expire_time.as_ref()).unwrap_or(end);
            warner.renewal_end = session.renewal_end_time;
            let wait = if later > end {
                ttl.mul_f64(RENEWAL_FRACTION)
            } else {
                // It has reached an end. Whoever created it can still renew it, and then it goes on.
                warner.renewal_end = session.expire_time;
                warner.warn(warnings);
                clock.until(later).mul_f64(RENEWAL_FRACTION).max(MIN_INTERVAL)
            };
            end = later;
            due = Instant::now() + wait;
        }
    }

    /// Asks until there is a final answer.
    async fn retry_until_answered<T, Fut>(&self, ask: impl Fn() -> Fut) -> Result<T, ClientError>
    where
        Fut: Future<Output = Result<T, ClientError>>,
    {
        let mut failures = 0;
        loop {
            match ask().await {
                Err(error) if !is_final(&error) => {
                    failures += 1;
                    sleep(RECONNECT_POLICY.delay(failures, retry::random_unit(), error.retry_after())).await;
                }
                answer => return answer,
            }
        }
    }
}

/// The service's time, which decides when a session ends.
struct ServiceClock {
    now: Duration,
    /// When it was read.
    read: Instant,
}

impl ServiceClock {
    /// How long it is until a time of the service, bounded: no clock here counts to every time that it could send.
    fn until(&self, time: Duration) -> Duration {
        time.saturating_sub(self.now + self.read.elapsed()).min(MAX_LEFT)
    }
}

/// Warns once of each end.
#[derive(Default)]
struct Warner {
    /// When the session ends at the latest, as far as is known.
    renewal_end: Option<Timestamp>,
    warned_of: Option<Timestamp>,
}

impl Warner {
    /// When to warn, if that is still to be done.
    fn due(&self, clock: &ServiceClock) -> Option<Instant> {
        let end = self.renewal_end.filter(|end| self.warned_of.is_none_or(|warned| later(*end, warned)))?;
        Some(Instant::now() + clock.until(since_1970(Some(&end))?.saturating_sub(WARNING_TIME)))
    }

    fn warn(&mut self, warnings: &mpsc::UnboundedSender<SessionWarning>) {
        let Some(end) = self.renewal_end.filter(|end| self.warned_of.is_none_or(|warned| later(*end, warned))) else {
            return;
        };
        self.warned_of = Some(end);
        // Nobody has to listen.
        let _ = warnings.send(SessionWarning { end });
    }
}

fn later(one: Timestamp, other: Timestamp) -> bool {
    (one.seconds, one.nanos) > (other.seconds, other.nanos)
}

fn since_1970(time: Option<&Timestamp>) -> Option<Duration> {
    Duration::try_from(prost_types::Duration { seconds: time?.seconds, nanos: time?.nanos }).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 24 * 60 * 60;

    fn at(seconds: i64) -> Timestamp {
        Timestamp { seconds, nanos: 0 }
    }

    #[tokio::test(start_paused = true)]
    async fn warns_once_of_each_end_a_day_before() {
        let (sender, mut warnings) = mpsc::unbounded_channel();
        let clock = ServiceClock { now: Duration::from_secs(1_000_000), read: Instant::now() };
        let mut warner = Warner { renewal_end: Some(at(1_000_000 + 3 * DAY)), ..Warner::default() };
        let due = warner.due(&clock).unwrap() - Instant::now();
        assert_eq!(due.as_secs(), 2 * 24 * 60 * 60);
        warner.warn(&sender);
        assert!(warner.due(&clock).is_none());
        warner.renewal_end = Some(at(1_000_000 + 2 * DAY)); // it turns out to end before
        warner.warn(&sender);
        warner.renewal_end = Some(at(1_000_000 + 10 * DAY)); // its creator renewed it
        assert!(warner.due(&clock).is_some());
        warner.warn(&sender);
        let mut said = Vec::new();
        while let Ok(warning) = warnings.try_recv() {
            said.push(warning.end.seconds - 1_000_000);
        }
        assert_eq!(said, [3 * DAY, 10 * DAY]);
    }
}
