//! From messages to domain types: text becomes a type once, here, or an error that names the field and says what it must be.

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

use secrets_core::text::is_deceptive;
use secrets_core::{InvalidIdentifier, InvalidResourceName, Timestamp};

use crate::error::{Error, Reason};

/// Of a display name, and of an external id.
const MAX_LABEL_BYTES: usize = 256;
/// Of an etag, which is a digest.
const MAX_ETAG_BYTES: usize = 128;
/// Names in one question: as many as four full scopes have.
const MAX_NAMES: usize = 4_000;

pub fn parse<T>(field: &'static str, text: &str) -> Result<T, Error>
where
    T: FromStr,
    T::Err: Display,
{
    text.parse().map_err(|error: T::Err| Error::invalid(field, error))
}

pub fn identifier<T>(field: &'static str, text: &str) -> Result<T, Error>
where
    T: FromStr<Err = InvalidIdentifier>,
{
    text.parse().map_err(|error: InvalidIdentifier| Error::invalid_identifier(field, error))
}

pub fn resource<T>(field: &'static str, text: &str) -> Result<T, Error>
where
    T: FromStr<Err = InvalidResourceName>,
{
    text.parse().map_err(|error: InvalidResourceName| Error::field(Reason::InvalidResourceName, field, error))
}

/// Text for people, such as a display name.
pub fn label(field: &'static str, text: String) -> Result<String, Error> {
    at_most(field, text.len(), MAX_LABEL_BYTES, "bytes")?;
    if text.chars().any(is_deceptive) {
        return Err(Error::invalid(field, "must not contain control characters and others that hide or reorder text"));
    }
    Ok(text)
}

/// An etag of an earlier response; empty when there is none.
pub fn etag(field: &'static str, text: String) -> Result<String, Error> {
    at_most(field, text.len(), MAX_ETAG_BYTES, "bytes")?;
    Ok(text)
}

/// Refuses more of something than a request may have, before anything is bought for it.
fn at_most(field: &'static str, given: usize, most: usize, of_what: &str) -> Result<(), Error> {
    if given > most {
        return Err(Error::invalid(field, format!("must be at most {most} {of_what} (got {given})")));
    }
    Ok(())
}

pub fn duration(field: &'static str, duration: Option<prost_types::Duration>) -> Result<Option<Duration>, Error> {
    let negative = |_| Error::invalid(field, "must not be negative");
    duration.map(|duration| Duration::try_from(duration).map_err(negative)).transpose()
}

pub fn time(field: &'static str, time: Option<prost_types::Timestamp>) -> Result<Option<Timestamp>, Error> {
    let Some(time) = time else { return Ok(None) };
    let micros = time
        .seconds
        .checked_mul(1_000_000)
        .and_then(|micros| micros.checked_add(i64::from(time.nanos) / 1_000))
        .filter(|_| (0..1_000_000_000).contains(&time.nanos));
    micros
        .map(|micros| Some(Timestamp::from_micros(micros)))
        .ok_or_else(|| Error::invalid(field, "must be within 290,000 years of 1970, with nanos from 0 to 999,999,999"))
}
