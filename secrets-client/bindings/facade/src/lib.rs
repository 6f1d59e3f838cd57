//! The verdicts of `secrets-core` as plain data, which its bindings to Python and Node hand on as they are.
//!
//! Fields and words are those of the service's JSON: `secret_id`, `LOWER_PRECEDENCE`. Every type here says what the `.pyi`
//! and `.d.ts` of the bindings say; `secrets-core/tests/data` holds examples of all of them, which each binding is tested
//! with. To hand out one more function of core: a file here, a line in each binding, and examples.
//!
//! Nothing here does I/O, and nothing that comes out holds a value.

#![warn(missing_docs)]
#![forbid(unsafe_code)]

mod explain;
mod micros;
mod name;
mod redact;
mod review;
mod target;

use std::fmt;
use std::str::FromStr;

pub use explain::{Candidate, Context, Explanation, NotChosen, Question, Scope, Visibility, Winner, explain};
pub use micros::Micros;
pub use name::{NameVerdict, validate_name};
pub use redact::{Unmasked, unmasked};
pub use review::{Entry, Problem, Review, Rules, review_dotenv};
pub use target::Target;

/// Why an argument is not valid. Never shows a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidArgument(String);

impl InvalidArgument {
    fn new(field: &str, why: impl fmt::Display) -> Self {
        Self(format!("{field}: {why}"))
    }
}

impl fmt::Display for InvalidArgument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for InvalidArgument {}

/// Returns the error for an argument without the documented shape. The original text could repeat a value.
pub fn invalid_shape(error: impl fmt::Display) -> InvalidArgument {
    let message = error.to_string();
    let is_about_fields = ["unknown field", "missing field"].iter().any(|start| message.starts_with(start));
    InvalidArgument(if is_about_fields { message } else { "a member must have the documented type".to_owned() })
}

/// Parses `text`; an error names `field`.
fn parse<T: FromStr<Err: fmt::Display>>(field: &str, text: &str) -> Result<T, InvalidArgument> {
    text.parse().map_err(|error| InvalidArgument::new(field, error))
}

/// Parses a word that may be missing.
fn word<T: FromStr<Err: fmt::Display> + Default>(field: &str, text: Option<&str>) -> Result<T, InvalidArgument> {
    text.map_or_else(|| Ok(T::default()), |text| parse(field, text))
}
