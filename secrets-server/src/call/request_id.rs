//! A name for one call, in its answer, in its log lines and in its audit events.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_lc_rs::rand;
use http::{HeaderMap, HeaderValue};
use secrets_core::CredentialKind;
use uuid::{Builder, Uuid};

/// The metadata key, in requests and in answers.
pub(crate) const HEADER: &str = "x-request-id";

const MAX_BYTES: usize = 64;

/// The id of one call: a new random UUID, so that no two calls share it, whatever their callers send. Beside it stands the
/// caller's own `x-request-id` when it is 1–64 letters, digits, `-`, `_`, `.` or `:`,
/// and does not begin as a token does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestId {
    own: Arc<str>,
    given: Option<Arc<str>>,
}

impl RequestId {
    /// The id of a request with these headers.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let given = headers.get(HEADER).and_then(|value| value.to_str().ok()).filter(|text| is_sane(text));
        Self { own: Self::make(), given: given.map(Into::into) }
    }

    /// A new one.
    fn make() -> Arc<str> {
        let mut bytes = [0; 16];
        let uuid = match rand::fill(&mut bytes) {
            Ok(()) => Builder::from_random_bytes(bytes).into_uuid(),
            Err(_) => Self::counted(),
        };
        uuid.to_string().into()
    }

    /// Without randomness nothing that matters works, but the calls that fail can still be told apart.
    fn counted() -> Uuid {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Uuid::from_u64_pair(0, NEXT.fetch_add(1, Ordering::Relaxed))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.own
    }

    /// The id that the caller gave it.
    pub fn given(&self) -> Option<&str> {
        self.given.as_deref()
    }

    pub(crate) fn header_value(&self) -> HeaderValue {
        // Both ways to make one yield visible ASCII, which a header always takes.
        HeaderValue::from_str(&self.own).unwrap_or_else(|_| HeaderValue::from_static("unknown"))
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.own)
    }
}

fn is_sane(text: &str) -> bool {
    let sane = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte);
    (1..=MAX_BYTES).contains(&text.len()) && text.bytes().all(sane) && CredentialKind::from_prefix(text).is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(value: &[u8]) -> RequestId {
        let value = HeaderValue::from_bytes(value).unwrap();
        RequestId::of(&HeaderMap::from_iter([(http::HeaderName::from_static(HEADER), value)]))
    }

    #[test]
    fn a_sane_one_stands_beside_a_new_one() {
        for text in ["a", "0192-trace:7.b_c", &"x".repeat(64)] {
            let id = of(text.as_bytes());
            assert_eq!(id.given(), Some(text));
            assert!(Uuid::parse_str(id.as_str()).is_ok(), "{id}");
        }
    }

    #[test]
    fn leaves_out_what_is_not_sane() {
        for value in [&b""[..], b"two words", b"line\tbreak", b"caf\xc3\xa9", b"\"}{", b"sper_0aZ", &[b'x'; 65]] {
            assert_eq!(of(value).given(), None, "{value:?}");
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
