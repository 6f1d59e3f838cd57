//! Pages of lists.

pub mod list;
pub mod token;

use crate::error::{Error, Reason};
use crate::service::Service;

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
        if token.len() > token::MAX_BYTES {
            return Err(foreign_token());
        }
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
        token::encode(self.keys.fingerprint(), query, cursor)
    }

    /// The cursor of a page token that was made for the same `query`; none for the first page.
    pub fn cursor(&self, query: &[&str], token: &str) -> Result<Option<String>, Error> {
        if token.is_empty() {
            return Ok(None);
        }
        token::decode(self.keys.fingerprint(), query, token).map(Some).ok_or_else(foreign_token)
    }
}

fn foreign_token() -> Error {
    let rule = "belongs to another list; start again without one, with the same parent, filter and order throughout";
    Error::field(Reason::InvalidPageToken, "page_token", rule)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_longer_than_any_is_refused_before_it_is_read() {
        assert!(Page::new(0, "x".repeat(token::MAX_BYTES), 100).is_ok());
        let error = Page::new(0, "x".repeat(token::MAX_BYTES + 1), 100).unwrap_err();
        assert_eq!(error.reason(), Reason::InvalidPageToken);
    }

    #[test]
    fn sizes_are_bounded_and_zero_is_the_default() {
        assert_eq!(Page::new(0, String::new(), 100).unwrap().size, 100);
        assert_eq!(Page::new(7, String::new(), 100).unwrap().size, 7);
        assert_eq!(Page::new(5_000, String::new(), 100).unwrap().size, 1_000);
        assert!(Page::new(-1, String::new(), 100).is_err());
    }
}
