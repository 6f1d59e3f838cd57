//! What tokens and sessions have in common: how they are listed.

use std::fmt;
use std::str::FromStr;

use secrets_core::{Timestamp, Uid};

use crate::store::credential::Credential;

/// Where a credential stands in a list, the newest first: when it was made, and its uid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cursor(Timestamp, Uid);

impl Cursor {
    pub(super) fn new(row: &Credential) -> Self {
        Self(row.create_time, row.uid)
    }
}

impl From<Cursor> for (Timestamp, Uid) {
    fn from(Cursor(time, uid): Cursor) -> Self {
        (time, uid)
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0.as_micros(), self.1)
    }
}

impl FromStr for Cursor {
    type Err = InvalidCursor;

    fn from_str(text: &str) -> Result<Self, InvalidCursor> {
        let (micros, uid) = text.split_once('.').ok_or(InvalidCursor)?;
        let time = Timestamp::from_micros(micros.parse().map_err(|_| InvalidCursor)?);
        Ok(Self(time, uid.parse().map_err(|_| InvalidCursor)?))
    }
}

/// A text that is no position in a list of credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct InvalidCursor;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_back_what_it_wrote() {
        for micros in [-1, 0, 1_700_000_000_000_000] {
            let cursor = Cursor(Timestamp::from_micros(micros), Uid::from_u128(7));
            assert_eq!(cursor.to_string().parse(), Ok(cursor));
        }
        for text in ["", "1", "1.", ".", "x.00000000-0000-0000-0000-000000000007"] {
            assert_eq!(text.parse::<Cursor>(), Err(InvalidCursor), "{text}");
        }
    }
}
