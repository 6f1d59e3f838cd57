//! When a call is sent again, and after how long.

use std::future::Future;
use std::time::Duration;

use secrets_proto::{Idempotency, Method};
use tokio::time::Instant;
use uuid::Uuid;

use crate::error::{ClientError, Reason};

/// How calls are sent again while the service is unavailable: with full jitter, so that clients which lost the same
/// server do not return at the same moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// How often a call is sent at most; with 1 it is never sent again.
    pub attempts: u32,
    /// The longest wait before the second attempt; each later one may wait twice as long.
    pub base: Duration,
    /// The longest wait of all. A call for which the service asks for more is not sent again.
    pub cap: Duration,
    /// After so many connections in a row that could not be made in time, because nothing answers at the address, the call is
    /// not sent again.
    pub unanswered_connections: u32,
}

impl RetryPolicy {
    /// Every call is sent once.
    pub const NEVER: Self = Self { attempts: 1, base: Duration::ZERO, cap: Duration::ZERO, unanswered_connections: 1 };

    /// Returns how long to wait after the `attempt`-th attempt, counted from 1: a share `unit` (0 to 1) of a bound that doubles,
    /// beyond what the service `asked` for, so that those who were refused together do not return together.
    pub fn delay(&self, attempt: u32, unit: f64, asked: Option<Duration>) -> Duration {
        let doubled = self.base.saturating_mul(1_u32.checked_shl(attempt.saturating_sub(1)).unwrap_or(u32::MAX));
        let jittered = doubled.min(self.cap).mul_f64(unit.clamp(0.0, 1.0));
        jittered.saturating_add(asked.unwrap_or_default()).min(self.cap)
    }
}

/// Eight attempts from 100 ms to 30 s: a server that restarts within a few seconds is not noticed.
impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            attempts: 8,
            base: Duration::from_millis(100),
            cap: Duration::from_secs(30),
            unanswered_connections: u32::MAX,
        }
    }
}

/// A call that was refused for now is sent again until its deadline: the service knows better than a client when there is room.
/// What is waited beyond that stops to double after so many attempts.
const MAX_LIMITED_BACKOFF: u32 = 4;

/// Whether sending a call again is the same as sending it once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RetryClass {
    /// A read, or a change that carries a `request_id`.
    Safe,
    /// A read that demands a revision which the service may never know.
    SafeUnlessStale,
    /// A change without one: repeated only when the connection was never made.
    Unsafe,
}

impl RetryClass {
    /// Returns the class of a method. The client gives each change that takes a `request_id` one.
    pub(crate) const fn from_method(method: Method) -> Self {
        match method.idempotency() {
            Idempotency::Always | Idempotency::ByRequestId => Self::Safe,
            Idempotency::Never => Self::Unsafe,
        }
    }
}

/// Runs `attempt` until it succeeds, fails for good, or the deadline leaves no time for another. Each attempt gets the
/// time that is left. When that ends the last one, the error is what the service said before, if it said something: it knows
/// why it is not available.
pub(crate) async fn run<T, F, Fut>(
    policy: &RetryPolicy,
    endpoint: &str,
    deadline: Duration,
    retry_class: RetryClass,
    unit: impl Fn() -> f64,
    mut attempt: F,
) -> Result<T, ClientError>
where
    F: FnMut(Duration) -> Fut,
    Fut: Future<Output = Result<T, ClientError>>,
{
    let end = Instant::now() + deadline;
    let timed_out = || ClientError::TimedOut { endpoint: endpoint.to_owned(), after: deadline };
    let (mut last_answer, mut unanswered) = (None, 0);
    for sent in 1.. {
        let left = end.saturating_duration_since(Instant::now());
        let error = match tokio::time::timeout(left, attempt(left)).await {
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(error)) if error.is_deadline() => return Err(last_answer.unwrap_or_else(timed_out)),
            Ok(Err(error)) => error,
            Err(_elapsed) => return Err(last_answer.unwrap_or_else(timed_out)),
        };
        let may_retry = match retry_class {
            _ if error.is_rate_limited() => true,
            RetryClass::Safe => error.is_unavailable(),
            RetryClass::SafeUnlessStale => error.is_unavailable() && error.reason() != Some(Reason::Stale),
            RetryClass::Unsafe => error.was_never_sent(),
        };
        unanswered = if error.is_unanswered_connection() { unanswered + 1 } else { 0 };
        let is_limited = error.is_rate_limited() && policy.attempts > 1;
        let is_last = (sent >= policy.attempts && !is_limited) || unanswered >= policy.unanswered_connections;
        if !may_retry || is_last {
            return Err(error);
        }
        let asked = error.retry_after();
        let delay = policy.delay(if is_limited { sent.min(MAX_LIMITED_BACKOFF) } else { sent }, unit(), asked);
        if asked > Some(policy.cap) || Instant::now() + delay >= end {
            return Err(error);
        }
        tokio::time::sleep(delay).await;
        last_answer = Some(error).filter(|error| error.answer().is_some()).or(last_answer);
    }
    Err(timed_out())
}

/// A number from 0 up to, not including, 1.
pub(crate) fn random_unit() -> f64 {
    const BITS: u64 = 1 << 53;
    // The low bits of a version 4 UUID are all random; its variant stands in the top two.
    let (_, low) = random_uuid().as_u64_pair();
    (low % BITS) as f64 / BITS as f64
}

/// A new `request_id`.
#[expect(clippy::disallowed_methods, reason = "a client has no injected randomness; nothing here is a key")]
pub(crate) fn random_uuid() -> Uuid {
    Uuid::new_v4()
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use tonic::{Code, Status};
    use tonic_types::{ErrorDetails, StatusExt as _};

    use super::*;

    const POLICY: RetryPolicy = RetryPolicy {
        attempts: 5,
        base: Duration::from_millis(100),
        cap: Duration::from_secs(30),
        unanswered_connections: 2,
    };

    fn unavailable() -> ClientError {
        ClientError::from_status(Status::unavailable("the database does not answer"), "http://127.0.0.1:1")
    }

    fn rate_limited(asked: u64) -> ClientError {
        let mut details = ErrorDetails::new();
        details.set_error_info("RATE_LIMITED", secrets_proto::ERROR_DOMAIN, []);
        details.set_retry_info(Some(Duration::from_secs(asked)));
        let status = Status::with_error_details(Code::ResourceExhausted, "too many calls", details);
        ClientError::from_status(status, "http://127.0.0.1:1")
    }

    #[test]
    fn waits_a_share_of_a_bound_that_doubles_up_to_the_cap() {
        let millis = |attempt, unit| POLICY.delay(attempt, unit, None).as_millis();
        assert_eq!([millis(1, 1.0), millis(2, 1.0), millis(3, 1.0)], [100, 200, 400]);
        assert_eq!([millis(1, 0.0), millis(3, 0.5)], [0, 200]);
        assert_eq!([millis(20, 1.0), millis(33, 1.0), millis(u32::MAX, 1.0)], [30_000; 3]);
    }

    #[test]
    fn waits_longer_than_the_service_asks_for_by_a_share_and_not_longer_than_the_cap() {
        assert_eq!(POLICY.delay(1, 0.5, Some(Duration::from_secs(2))), Duration::from_millis(2_050));
        assert_eq!(POLICY.delay(1, 0.5, Some(Duration::from_secs(3600))), POLICY.cap);
    }

    #[test]
    fn draws_units_below_one_that_differ() {
        let drawn: Vec<f64> = (0..64).map(|_| random_unit()).collect();
        assert!(drawn.iter().all(|unit| (0.0..1.0).contains(unit)));
        assert!(drawn.iter().any(|unit| *unit < 0.5) && drawn.iter().any(|unit| *unit >= 0.5));
    }

    #[tokio::test(start_paused = true)]
    async fn repeats_a_safe_call_until_the_service_is_back() {
        let sent = Cell::new(0);
        let start = Instant::now();
        let answer = run(
            &POLICY,
            "http://e",
            Duration::from_secs(30),
            RetryClass::Safe,
            || 1.0,
            |_| {
                sent.set(sent.get() + 1);
                let answer = if sent.get() == 3 { Ok("values") } else { Err(unavailable()) };
                async move { answer }
            },
        );
        assert_eq!(answer.await.unwrap(), "values");
        assert_eq!((sent.get(), start.elapsed().as_millis()), (3, 300));
    }

    /// Answers `refused` times that there are too many calls, and then with a value.
    async fn limited(retry_class: RetryClass, refused: u32, asked: u64) -> (Result<u32, ClientError>, u32, Duration) {
        let (sent, start) = (Cell::new(0), Instant::now());
        let answer = run(
            &POLICY,
            "http://e",
            Duration::from_secs(30),
            retry_class,
            || 0.5,
            |_| {
                sent.set(sent.get() + 1);
                let answer = if sent.get() > refused { Ok(sent.get()) } else { Err(rate_limited(asked)) };
                async move { answer }
            },
        )
        .await;
        (answer, sent.get(), start.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn sends_a_call_that_was_refused_for_now_again_when_the_service_says_so() {
        for retry_class in [RetryClass::Safe, RetryClass::SafeUnlessStale, RetryClass::Unsafe] {
            let (answer, sent, waited) = limited(retry_class, 2, 3).await;
            assert_eq!((answer.unwrap(), sent), (3, 3), "{retry_class:?}");
            assert_eq!(waited, Duration::from_millis(6_150), "twice what was asked for, and a share of 100 and 200 ms");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn obeys_until_the_deadline_however_often_that_is() {
        let (answer, sent, waited) = limited(RetryClass::Unsafe, 15, 1).await;
        assert_eq!((answer.unwrap(), sent), (16, 16));
        assert!((15..25).contains(&waited.as_secs()), "{waited:?}");
        assert!(limited(RetryClass::Unsafe, 60, 1).await.0.unwrap_err().is_rate_limited());
    }

    #[tokio::test(start_paused = true)]
    async fn does_not_wait_for_a_time_that_its_deadline_or_the_cap_leaves_out() {
        for asked in [30, 3_600] {
            let (answer, sent, waited) = limited(RetryClass::Unsafe, 1, asked).await;
            let error = answer.unwrap_err();
            assert!(error.is_rate_limited() && error.is_unavailable());
            assert_eq!((sent, waited), (1, Duration::ZERO), "{asked}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn gives_up_after_its_attempts_with_the_last_error() {
        let sent = Cell::new(0);
        let answer: Result<(), _> = run(
            &POLICY,
            "http://e",
            Duration::from_secs(3000),
            RetryClass::Safe,
            || 1.0,
            |_| {
                sent.set(sent.get() + 1);
                async { Err(unavailable()) }
            },
        )
        .await;
        assert!(answer.unwrap_err().is_unavailable());
        assert_eq!(sent.get(), 5);
    }

    #[tokio::test(start_paused = true)]
    async fn never_repeats_an_answer_or_an_unsafe_call() {
        for (code, retry_class) in [
            (Code::PermissionDenied, RetryClass::Safe),
            (Code::NotFound, RetryClass::Safe),
            (Code::Aborted, RetryClass::Safe),
            (Code::Internal, RetryClass::Safe),
            (Code::ResourceExhausted, RetryClass::Safe),
            (Code::Unavailable, RetryClass::Unsafe),
        ] {
            let sent = Cell::new(0);
            let answer: Result<(), _> = run(
                &POLICY,
                "http://e",
                Duration::from_secs(30),
                retry_class,
                || 0.0,
                |_| {
                    sent.set(sent.get() + 1);
                    async move { Err(ClientError::from_status(Status::new(code, "no"), "http://127.0.0.1:1")) }
                },
            )
            .await;
            assert_eq!((answer.unwrap_err().code(), sent.get()), (code, 1));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn ends_at_the_deadline_whatever_the_attempt_does() {
        let start = Instant::now();
        let answer: Result<(), _> =
            run(&POLICY, "http://e", Duration::from_secs(3), RetryClass::Safe, || 0.0, |_| std::future::pending())
                .await;
        assert!(matches!(answer, Err(ClientError::TimedOut { .. })));
        assert_eq!(start.elapsed(), Duration::from_secs(3));
    }

    #[tokio::test(start_paused = true)]
    async fn says_what_the_service_answered_before_it_fell_silent() {
        // The deadline ends the second attempt here, in the transport, or at the service, whoever is first.
        let transport =
            || ClientError::from_status(Status::from_error(Box::new(tonic::TimeoutExpired(()))), "http://e");
        let service = || ClientError::from_status(Status::deadline_exceeded("too late"), "http://e");
        for end in [None, Some(transport()), Some(service())] {
            let (sent, end) = (Cell::new(0), Cell::new(end));
            let answer: Result<(), _> = run(
                &POLICY,
                "http://e",
                Duration::from_secs(3),
                RetryClass::Safe,
                || 1.0,
                |_| {
                    sent.set(sent.get() + 1);
                    let end = if sent.get() == 1 { Some(unavailable()) } else { end.take() };
                    async move {
                        match end {
                            Some(error) => Err(error),
                            None => std::future::pending().await,
                        }
                    }
                },
            )
            .await;
            assert_eq!(answer.unwrap_err().to_string(), "the database does not answer");
            assert_eq!(sent.get(), 2);
        }
        for end in [transport, service] {
            let answer: Result<(), _> =
                run(&POLICY, "http://e", Duration::from_secs(3), RetryClass::Safe, || 1.0, |_| async { Err(end()) })
                    .await;
            assert_eq!(answer.unwrap_err().to_string(), "the service at http://e did not answer within 3 s");
        }
    }

    /// Where nothing answers at all, a person has waited long enough after one connection; a program that waits for its
    /// network goes on until its deadline.
    #[tokio::test(start_paused = true)]
    async fn gives_up_an_address_where_nothing_answers() {
        // As the transport reports that a connection took too long.
        async fn unanswered() -> Result<(), ClientError> {
            let elapsed = tokio::time::timeout(Duration::ZERO, std::future::pending::<()>()).await.unwrap_err();
            let error = std::io::Error::new(std::io::ErrorKind::TimedOut, elapsed);
            Err(ClientError::from_status(Status::from_error(Box::new(error)), "http://10.0.0.1:1"))
        }
        for (unanswered_connections, attempts) in [(1, 1), (2, 2), (u32::MAX, 5)] {
            let (sent, policy) = (Cell::new(0), RetryPolicy { unanswered_connections, ..POLICY });
            let answer: Result<(), _> = run(
                &policy,
                "http://e",
                Duration::from_secs(300),
                RetryClass::Safe,
                || 1.0,
                |_| {
                    sent.set(sent.get() + 1);
                    unanswered()
                },
            )
            .await;
            let error = answer.unwrap_err().to_string();
            assert_eq!(error, "the service at http://10.0.0.1:1 is unavailable: no connection within 5 s");
            assert_eq!(sent.get(), attempts);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn does_not_wait_past_the_deadline() {
        let start = Instant::now();
        let policy = RetryPolicy { base: Duration::from_secs(10), ..POLICY };
        let answer: Result<(), _> = run(
            &policy,
            "http://e",
            Duration::from_secs(3),
            RetryClass::Safe,
            || 1.0,
            |_| async { Err(unavailable()) },
        )
        .await;
        assert!(answer.unwrap_err().is_unavailable());
        assert_eq!(start.elapsed(), Duration::ZERO);
    }
}
