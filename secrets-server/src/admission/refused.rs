//! Why there is no slot.

use std::time::Duration;

use crate::error::{Error, Reason};

/// When to try again: whoever holds a slot gives it back at a time that nobody knows.
const RETRY_DELAY: Duration = Duration::from_secs(1);

/// Why there is no slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The caller has as many as they may have.
    Consumer { most: u32 },
    /// The caller has few left, and this credential has its share of them.
    Credential { most: u32 },
    /// The server has few left, and the organization has its share of them.
    Organization,
    /// The server has none left.
    All,
}

impl Refused {
    /// As an error that names the limit: `calls` or `watches`.
    pub fn error(self, limit: &'static str) -> Error {
        let text = match self {
            Self::Consumer { most } => {
                format!(
                    "too many {limit} of this caller at the same time (at most {most}); try again when one has ended"
                )
            }
            Self::Credential { .. } => {
                format!(
                    "most {limit} of this caller are taken, and this token or session has its share; try again later"
                )
            }
            Self::Organization => {
                format!("most {limit} of the server are taken, and this organization has its share; try again later")
            }
            Self::All => format!("all {limit} of the server are taken; try again later"),
        };
        let error = Error::new(Reason::RateLimited, text).with("limit", limit).retry_after(RETRY_DELAY);
        match self {
            Self::Consumer { most } | Self::Credential { most } => error.with("most", most.to_string()),
            Self::Organization | Self::All => error,
        }
    }
}
