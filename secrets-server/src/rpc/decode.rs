//! From messages to domain types: text becomes a type once, here, or a failure that names the field, the rule and what would
//! pass.

pub mod access;
pub mod audit;
pub mod consistency;
pub mod context;
pub mod directory;
pub mod name;
pub mod resolve;
pub mod secret;

use std::fmt::Display;
use std::str::FromStr;
use std::time::Duration;

use secrets_core::{InvalidResourceName, Timestamp};

use crate::error::{Error, Reason};

/// The longest display name and external id, in bytes.
const LABEL_BYTES: usize = 256;

/// An identifier, or any other text with a type of its own.
pub fn parse<T>(field: &'static str, text: &str) -> Result<T, Error>
where
    T: FromStr,
    T::Err: Display,
{
    text.parse().map_err(|error: T::Err| Error::invalid(field, error))
}

/// A resource path.
pub fn resource<T>(field: &'static str, text: &str) -> Result<T, Error>
where
    T: FromStr<Err = InvalidResourceName>,
{
    text.parse().map_err(|error: InvalidResourceName| Error::field(Reason::InvalidResourceName, field, error))
}

/// A text for people, such as a display name.
pub fn label(field: &'static str, text: String) -> Result<String, Error> {
    if text.len() > LABEL_BYTES {
        return Err(Error::invalid(field, format!("at most {LABEL_BYTES} bytes pass; {} were given", text.len())));
    }
    if text.chars().any(char::is_control) {
        return Err(Error::invalid(field, "text without control characters passes"));
    }
    Ok(text)
}

/// A lifetime; unset is none.
pub fn duration(field: &'static str, duration: Option<prost_types::Duration>) -> Result<Option<Duration>, Error> {
    let negative = |_| Error::invalid(field, "a duration of 0 s or more passes");
    duration.map(|duration| Duration::try_from(duration).map_err(negative)).transpose()
}

/// A point in time; unset is none.
pub fn time(field: &'static str, time: Option<prost_types::Timestamp>) -> Result<Option<Timestamp>, Error> {
    let Some(time) = time else { return Ok(None) };
    let micros = time
        .seconds
        .checked_mul(1_000_000)
        .and_then(|micros| micros.checked_add(i64::from(time.nanos) / 1_000))
        .filter(|_| (0..1_000_000_000).contains(&time.nanos));
    micros.map(|micros| Some(Timestamp::from_micros(micros))).ok_or_else(|| {
        Error::invalid(field, "a time with nanos from 0 to 999,999,999, within some 290,000 years of 1970, passes")
    })
}
