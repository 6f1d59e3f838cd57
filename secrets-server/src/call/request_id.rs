//! A name for one call, in its answer, in its log lines and in its audit events.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_lc_rs::rand;
use http::{HeaderMap, HeaderValue};
use uuid::{Builder, Uuid};

/// The metadata key, in requests and in answers.
pub(crate) const HEADER: &str = "x-request-id";

const MAX_BYTES: usize = 64;

/// The id of one call: the caller's own `x-request-id` when it is 1–64 letters, digits, `-`, `_`, `.` or `:`, else
/// a new random UUID.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestId(Arc<str>);

impl RequestId {
    /// The id of a request with these headers.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let given = headers.get(HEADER).and_then(|value| value.to_str().ok()).filter(|text| is_sane(text));
        given.map_or_else(Self::make, |text| Self(text.into()))
    }

    /// A new one.
    fn make() -> Self {
        let mut bytes = [0; 16];
        let uuid = match rand::fill(&mut bytes) {
            Ok(()) => Builder::from_random_bytes(bytes).into_uuid(),
            Err(_) => Self::counted(),
        };
        Self(uuid.to_string().into())
    }

    /// Without randomness nothing that matters works, but the calls that fail can still be told apart.
    fn counted() -> Uuid {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Uuid::from_u64_pair(0, NEXT.fetch_add(1, Ordering::Relaxed))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn header_value(&self) -> HeaderValue {
        // Both ways to make one yield visible ASCII, which a header always takes.
        HeaderValue::from_str(&self.0).unwrap_or_else(|_| HeaderValue::from_static("unknown"))
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn is_sane(text: &str) -> bool {
    let sane = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte);
    (1..=MAX_BYTES).contains(&text.len()) && text.bytes().all(sane)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(value: &[u8]) -> RequestId {
        let value = HeaderValue::from_bytes(value).unwrap();
        RequestId::of(&HeaderMap::from_iter([(http::HeaderName::from_static(HEADER), value)]))
    }

    #[test]
    fn keeps_a_sane_one() {
        for text in ["a", "0192-trace:7.b_c", &"x".repeat(64)] {
            assert_eq!(of(text.as_bytes()).as_str(), text);
        }
    }

    #[test]
    fn replaces_what_is_not() {
        for value in [&b""[..], b"two words", b"line\tbreak", b"caf\xc3\xa9", b"\"}{", &[b'x'; 65]] {
            assert!(Uuid::parse_str(of(value).as_str()).is_ok(), "{value:?}");
        }
    }

    #[test]
    fn makes_another_each_time() {
        let first = RequestId::of(&HeaderMap::new());
        assert_ne!(first, RequestId::of(&HeaderMap::new()));
        assert_eq!(Uuid::parse_str(first.as_str()).unwrap().get_version_num(), 4);
        assert_eq!(first.header_value(), first.as_str());
    }
}
