//! How long a call may take to its answer's beginning: what its caller says, and never more than the server allows.
//!
//! tonic honours `grpc-timeout` too, outside of every layer; here the access log sees it.

use std::time::Duration;

use http::HeaderMap;
use tokio::time::timeout;
use tonic::Status;

use crate::server::limits;

/// The call took too long.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Exceeded;

/// The time that a call with these headers has.
pub(super) fn of(headers: &HeaderMap) -> Duration {
    let asked = headers.get("grpc-timeout").and_then(|value| parse(value.to_str().ok()?));
    asked.map_or(limits::LONGEST_CALL, |asked| asked.min(limits::LONGEST_CALL))
}

/// What `call` returns, if it does in time.
pub(super) async fn within<F: Future>(limit: Duration, call: F) -> Result<F::Output, Exceeded> {
    timeout(limit, call).await.map_err(|_| Exceeded)
}

pub(super) fn status() -> Status {
    Status::deadline_exceeded("the call took longer than its deadline")
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
        let asking = |text: &'static str| {
            of(&HeaderMap::from_iter([(http::HeaderName::from_static("grpc-timeout"), text.parse().unwrap())]))
        };
        assert_eq!(asking("1S"), Duration::from_secs(1));
        for text in ["1H", "nonsense"] {
            assert_eq!(asking(text), limits::LONGEST_CALL);
        }
        assert_eq!(of(&HeaderMap::new()), limits::LONGEST_CALL);
    }

    #[tokio::test]
    async fn ends_what_takes_too_long() {
        let forever = within(Duration::from_millis(1), std::future::pending::<()>());
        assert_eq!(forever.await, Err(Exceeded));
        assert_eq!(within(Duration::from_secs(5), async { 7 }).await, Ok(7));
    }
}
