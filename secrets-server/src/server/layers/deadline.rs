//! Ends a call whose response does not begin in time: within its caller's `grpc-timeout`, and never more than the server
//! allows.
//!
//! tonic honours `grpc-timeout` too, outside of every layer; here the access log sees it.

use std::task::{Context, Poll};
use std::time::Duration;

use http::{HeaderMap, Request, Response};
use tokio::time::timeout;
use tonic::Status;
use tower::{Layer, Service};

use super::BoxFuture;
use crate::server::limits;

#[derive(Clone, Copy, Debug)]
pub(crate) struct DeadlineLayer;

impl<S> Layer<S> for DeadlineLayer {
    type Service = Deadline<S>;

    fn layer(&self, inner: S) -> Deadline<S> {
        Deadline { inner }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Deadline<S> {
    inner: S,
}

impl<S, I, O> Service<Request<I>> for Deadline<S>
where
    S: Service<Request<I>, Response = Response<O>>,
    S::Future: Send + 'static,
    O: Default,
{
    type Response = Response<O>;
    type Error = S::Error;
    type Future = BoxFuture<Result<Self::Response, S::Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<I>) -> Self::Future {
        let limit = call_timeout(request.headers());
        let response = self.inner.call(request);
        let exceeded = || Status::deadline_exceeded("the call took longer than its deadline").into_http();
        Box::pin(async move { timeout(limit, response).await.unwrap_or_else(|_| Ok(exceeded())) })
    }
}

/// The time that a call with these headers has.
pub(super) fn call_timeout(headers: &HeaderMap) -> Duration {
    let given = headers.get("grpc-timeout").and_then(|value| parse(value.to_str().ok()?));
    given.map_or(limits::MAX_CALL_TIMEOUT, |given| given.min(limits::MAX_CALL_TIMEOUT))
}

/// Reads up to eight digits and a unit, as the gRPC protocol over HTTP/2 has it.
fn parse(text: &str) -> Option<Duration> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if !(1..=8).contains(&digits.len()) || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number: u64 = digits.parse().ok()?;
    Some(match unit {
        "H" => Duration::from_secs(number * 3600),
        "M" => Duration::from_secs(number * 60),
        "S" => Duration::from_secs(number),
        "m" => Duration::from_millis(number),
        "u" => Duration::from_micros(number),
        "n" => Duration::from_nanos(number),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_unit_of_the_protocol() {
        for (text, expected) in [
            ("1H", Duration::from_secs(3600)),
            ("2M", Duration::from_secs(120)),
            ("3S", Duration::from_secs(3)),
            ("4m", Duration::from_millis(4)),
            ("5u", Duration::from_micros(5)),
            ("99999999n", Duration::from_nanos(99_999_999)),
            ("99999999H", Duration::from_secs(99_999_999 * 3600)),
        ] {
            assert_eq!(parse(text), Some(expected), "{text}");
        }
        for text in ["", "S", "1", "1s", "-1S", "+1S", "123456789S", "1é", "é"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn the_shorter_of_the_two_counts() {
        let given = |text: &'static str| {
            let name = http::HeaderName::from_static("grpc-timeout");
            call_timeout(&HeaderMap::from_iter([(name, text.parse().unwrap())]))
        };
        assert_eq!(given("1S"), Duration::from_secs(1));
        for text in ["1H", "nonsense"] {
            assert_eq!(given(text), limits::MAX_CALL_TIMEOUT);
        }
        assert_eq!(call_timeout(&HeaderMap::new()), limits::MAX_CALL_TIMEOUT);
    }

    #[tokio::test]
    async fn ends_what_takes_too_long() {
        let respond = |after: Duration| {
            let inner = tower::service_fn(move |_: Request<()>| async move {
                tokio::time::sleep(after).await;
                Ok::<_, std::convert::Infallible>(Response::new(()))
            });
            let request = Request::builder().header("grpc-timeout", "200m").body(()).unwrap();
            DeadlineLayer.layer(inner).call(request)
        };
        let status = |response: Response<()>| response.headers().get("grpc-status").cloned();
        assert_eq!(status(respond(Duration::from_secs(60)).await.unwrap()).unwrap(), "4");
        assert_eq!(status(respond(Duration::ZERO).await.unwrap()), None);
    }
}
