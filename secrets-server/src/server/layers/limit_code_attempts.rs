//! Limits how many codes an address may try, before any of them is looked up.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use http::{Request, Response};
use secrets_proto::Method;
use tonic::Status;
use tower::{Layer, Service};

use super::BoxFuture;
use crate::auth::takes_code;
use crate::call::peer::{Peer, site};
use crate::error::{Error, Reason};

/// How many addresses are remembered. Whoever has more of them at hand is not held up by this limit anyway, and must not make
/// it one for everybody else: what does not fit is let through.
const MAX_ADDRESSES: usize = 4096;

#[derive(Clone)]
pub(crate) struct LimitCodeAttemptsLayer {
    attempts: Arc<CodeAttempts>,
}

impl LimitCodeAttemptsLayer {
    pub(super) fn new(attempts: Arc<CodeAttempts>) -> Self {
        Self { attempts }
    }
}

impl<S> Layer<S> for LimitCodeAttemptsLayer {
    type Service = LimitCodeAttempts<S>;

    fn layer(&self, inner: S) -> LimitCodeAttempts<S> {
        LimitCodeAttempts { inner, attempts: Arc::clone(&self.attempts) }
    }
}

#[derive(Clone)]
pub(crate) struct LimitCodeAttempts<S> {
    inner: S,
    attempts: Arc<CodeAttempts>,
}

impl<S, I, O> Service<Request<I>> for LimitCodeAttempts<S>
where
    S: Service<Request<I>, Response = Response<O>>,
    S::Error: Send + 'static,
    S::Future: Send + 'static,
    O: Default + Send + 'static,
{
    type Response = Response<O>;
    type Error = S::Error;
    type Future = BoxFuture<Result<Self::Response, S::Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<I>) -> Self::Future {
        let takes_code = Method::from_path(request.uri().path()).and_then(takes_code).is_some();
        let peer = request.extensions().get::<Peer>();
        match peer.filter(|_| takes_code).map(|peer| self.attempts.attempt(peer.address.ip())) {
            Some(Err(wait)) => Box::pin(std::future::ready(Ok(Status::from(too_many(wait)).into_http()))),
            Some(Ok(())) | None => Box::pin(self.inner.call(request)),
        }
    }
}

fn too_many(wait: Duration) -> Error {
    let text = "too many codes were tried from this address; wait a minute";
    Error::new(Reason::RateLimited, text).with("limit", "code_attempts").retry_after(wait)
}

/// The attempts of each address in the last minute.
pub(super) struct CodeAttempts {
    by_address: DefaultKeyedRateLimiter<IpAddr>,
    clock: DefaultClock,
}

impl CodeAttempts {
    pub(super) fn new(per_minute: NonZeroU32) -> Self {
        Self { by_address: RateLimiter::keyed(Quota::per_minute(per_minute)), clock: DefaultClock::default() }
    }

    /// Counts an attempt, or says how long to wait for the next.
    fn attempt(&self, address: IpAddr) -> Result<(), Duration> {
        if self.by_address.len() >= MAX_ADDRESSES {
            self.by_address.retain_recent();
            if self.by_address.len() >= MAX_ADDRESSES {
                return Ok(());
            }
        }
        self.by_address.check_key(&site(address)).map_err(|until| until.wait_time_from(self.clock.now()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempts(per_minute: u32) -> CodeAttempts {
        CodeAttempts::new(NonZeroU32::new(per_minute).unwrap())
    }

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn each_address_has_its_own_attempts() {
        let attempts = attempts(3);
        for _ in 0..3 {
            assert_eq!(attempts.attempt(address("192.0.2.1")), Ok(()));
        }
        let wait = attempts.attempt(address("::ffff:192.0.2.1")).unwrap_err();
        assert!(wait <= Duration::from_secs(20), "{wait:?}");
        assert_eq!(attempts.attempt(address("192.0.2.2")), Ok(()));
    }

    #[test]
    fn the_addresses_of_one_ipv6_site_are_one() {
        let attempts = attempts(1);
        assert_eq!(attempts.attempt(address("2001:db8:0:1::1")), Ok(()));
        assert!(attempts.attempt(address("2001:db8:0:1:ffff::2")).is_err());
        assert_eq!(attempts.attempt(address("2001:db8:0:2::1")), Ok(()));
    }

    #[test]
    fn what_is_remembered_is_bounded_and_strangers_are_not_held_up() {
        let attempts = attempts(1);
        for bits in 0..u32::try_from(MAX_ADDRESSES).unwrap() + 100 {
            assert_eq!(attempts.attempt(IpAddr::V4(bits.into())), Ok(()));
        }
        assert_eq!(attempts.by_address.len(), MAX_ADDRESSES);
    }
}
