//! Keeping a session open. A session lives for an hour or so and can be renewed while its creator still may create it: whoever
//! works in one for longer renews it in time.

use std::time::Duration;

use prost_types::Timestamp;
use secrets_proto::v1;
use tokio::time::{Instant, sleep, sleep_until};

use super::Client;
use super::watch::{RECONNECT_POLICY, is_final};
use crate::error::ClientError;
use crate::retry;

/// A session is renewed when this part of its life has passed.
const SHARE: f64 = 2.0 / 3.0;
/// A session that was about to end is renewed for so long, and one that could live for long for no longer.
const TTL: (Duration, Duration) = (Duration::from_secs(60), Duration::from_secs(24 * 60 * 60));

impl Client {
    /// Keeps the session that calls open for as long as this is polled: when two thirds of what it had left have passed, it
    /// is renewed for as long as it had left at the beginning, and so on. Returns when it ends all the same: nothing of
    /// another credential, and nothing of a session that can't outlive the one that created it.
    ///
    /// # Errors
    ///
    /// What the service answers when the session has ended or may not be renewed any more. While it can't be reached, it is
    /// asked again.
    pub async fn keep_session(&self) -> Result<(), ClientError> {
        let me = self.retry_until_answered(|| self.who_am_i(v1::WhoAmIRequest {})).await?;
        let asked = Instant::now();
        if me.kind() != v1::PrincipalKind::Session {
            return Ok(());
        }
        let Some(mut end) = since_1970(me.expire_time.as_ref()) else { return Ok(()) };
        let left = end.saturating_sub(since_1970(me.server_time.as_ref()).unwrap_or_default());
        let ttl = left.clamp(TTL.0, TTL.1);
        let mut due = asked + left.mul_f64(SHARE);
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
            due = Instant::now() + ttl.mul_f64(SHARE);
        }
    }

    /// Asks until there is an answer.
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
