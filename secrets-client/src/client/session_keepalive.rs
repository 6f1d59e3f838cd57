//! Keeping a session open. A session lives for an hour or so and can be renewed while its creator still may create it: a
//! program that works in one for longer renews it in time.

use std::time::Duration;

use prost_types::Timestamp;
use secrets_core::CredentialKind;
use secrets_proto::v1;
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
/// A session that could live for longer is renewed for this long.
const MAX_TTL: Duration = Duration::from_secs(24 * 60 * 60);

/// Renews the session that a client calls with, in the background, until it is dropped. With another credential it does
/// nothing.
#[derive(Debug)]
#[must_use = "the session is renewed only until this is dropped"]
pub struct SessionKeepalive(Option<JoinHandle<()>>);

impl Drop for SessionKeepalive {
    fn drop(&mut self) {
        if let Some(renewing) = &self.0 {
            renewing.abort();
        }
    }
}

impl Client {
    /// Keeps the session that this client calls with open: when two thirds of the time that it had left have passed, it is
    /// renewed for as long as it had left at the beginning, and so on. A session that can't outlive its creator ends all the
    /// same, and later calls are refused. Needs a Tokio runtime.
    pub fn keep_session(&self) -> SessionKeepalive {
        if self.0.credential_kind != Some(CredentialKind::Session) {
            return SessionKeepalive(None);
        }
        let client = self.clone();
        SessionKeepalive(Some(tokio::spawn(async move {
            let _ = client.renew_in_time().await;
        })))
    }

    /// Renews the session until that has no effect any more.
    async fn renew_in_time(&self) -> Result<(), ClientError> {
        let me = self.retry_until_answered(|| self.who_am_i(v1::WhoAmIRequest {})).await?;
        let asked = Instant::now();
        let Some(mut end) = since_1970(me.expire_time.as_ref()) else { return Ok(()) };
        let left = end.saturating_sub(since_1970(me.server_time.as_ref()).unwrap_or_default());
        let ttl = left.clamp(MIN_TTL, MAX_TTL);
        let mut due = asked + left.mul_f64(RENEWAL_FRACTION);
        loop {
            sleep_until(due).await;
            let request =
                v1::RenewSessionRequest { ttl: prost_types::Duration::try_from(ttl).ok(), ..Default::default() };
            let renewed = self.retry_until_answered(|| self.renew_session(request.clone())).await?;
            let later = renewed.session.and_then(|session| since_1970(session.expire_time.as_ref())).unwrap_or(end);
            if later <= end {
                return Ok(());
            }
            end = later;
            due = Instant::now() + ttl.mul_f64(RENEWAL_FRACTION);
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

fn since_1970(time: Option<&Timestamp>) -> Option<Duration> {
    Duration::try_from(prost_types::Duration { seconds: time?.seconds, nanos: time?.nanos }).ok()
}
