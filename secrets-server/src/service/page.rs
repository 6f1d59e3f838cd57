//! Page tokens: opaque, and bound to their query, filter and order.

pub mod list;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::crypto::{MacPurpose, Transcript};
use crate::error::{Error, Reason};
use crate::service::Service;

/// Enough of an HMAC-SHA-256 that nobody guesses one.
const TAG_BYTES: usize = 16;

/// What a list is asked for: how much, and from where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// At most this many rows.
    pub size: u64,
    /// The page token as it came; empty for the first page.
    pub token: String,
}

impl Page {
    /// Reads `page_size` and `page_token`: 0 is `default`, more than 1,000 is 1,000, and a negative size is refused.
    pub fn new(size: i32, token: String, default: u64) -> Result<Self, Error> {
        const MAX_SIZE: u64 = 1_000;
        let size = match u64::try_from(size) {
            Ok(0) => default,
            Ok(size) => size.min(MAX_SIZE),
            Err(_) => return Err(Error::invalid("page_size", "must be 0 (the default) or more")),
        };
        Ok(Self { size, token })
    }
}

impl Service {
    /// The token of the page after `cursor`. `query` is everything the pages of one list have in common, written injectively.
    pub fn page_token(&self, query: &[&str], cursor: &str) -> String {
        let mut bytes = self.page_tag(query, cursor);
        bytes.extend_from_slice(cursor.as_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The cursor of a page token that was made for the same `query`; none for the first page.
    pub fn cursor(&self, query: &[&str], token: &str) -> Result<Option<String>, Error> {
        if token.is_empty() {
            return Ok(None);
        }
        let refused = || {
            let rule =
                "belongs to another list; start again without one, with the same parent, filter and order throughout";
            Error::field(Reason::InvalidPageToken, "page_token", rule)
        };
        let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| refused())?;
        let (tag, cursor) = bytes.split_at_checked(TAG_BYTES).ok_or_else(refused)?;
        let cursor = std::str::from_utf8(cursor).map_err(|_| refused())?;
        let expected = self.page_tag(query, cursor);
        aws_lc_rs::constant_time::verify_slices_are_equal(&expected, tag).map_err(|_| refused())?;
        Ok(Some(cursor.to_owned()))
    }

    fn page_tag(&self, query: &[&str], cursor: &str) -> Vec<u8> {
        let mut transcript = Transcript::default();
        for part in query.iter().chain([&cursor]) {
            transcript.push(part.as_bytes());
        }
        let mac = self.keys.fingerprint().mac(MacPurpose::PageToken, transcript.as_bytes());
        mac.into_iter().take(TAG_BYTES).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_bounded_and_zero_is_the_default() {
        assert_eq!(Page::new(0, String::new(), 100).unwrap().size, 100);
        assert_eq!(Page::new(7, String::new(), 100).unwrap().size, 7);
        assert_eq!(Page::new(5_000, String::new(), 100).unwrap().size, 1_000);
        assert!(Page::new(-1, String::new(), 100).is_err());
    }
}
