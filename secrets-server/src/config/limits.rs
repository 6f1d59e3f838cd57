//! How much of the server a caller may take.

use std::fmt;
use std::num::NonZeroU32;
use std::time::Duration;

use super::InvalidConfig;
use super::raw::RawLimits;

/// The `limits` section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How long the body of a request may take to arrive.
    pub request_time: Duration,
    /// How many codes (invitations) an address may try in a minute.
    pub code_attempts_per_minute: NonZeroU32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { request_time: Duration::from_secs(10), code_attempts_per_minute: NonZeroU32::MIN.saturating_add(9) }
    }
}

impl Limits {
    pub(super) fn check(raw: &RawLimits) -> Result<Self, InvalidConfig> {
        let default = Self::default();
        Ok(Self {
            request_time: seconds("limits.request_seconds", raw.request_seconds)?.unwrap_or(default.request_time),
            code_attempts_per_minute: positive("limits.code_attempts_per_minute", raw.code_attempts_per_minute)?
                .unwrap_or(default.code_attempts_per_minute),
        })
    }
}

/// As a file would say it.
impl fmt::Display for Limits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "[limits]")?;
        writeln!(f, "request_seconds = {}", self.request_time.as_secs())?;
        writeln!(f, "code_attempts_per_minute = {}", self.code_attempts_per_minute)
    }
}

fn seconds(key: &str, value: Option<u32>) -> Result<Option<Duration>, InvalidConfig> {
    Ok(positive(key, value)?.map(|seconds| Duration::from_secs(seconds.get().into())))
}

fn positive(key: &str, value: Option<u32>) -> Result<Option<NonZeroU32>, InvalidConfig> {
    value
        .map(|value| NonZeroU32::new(value).ok_or_else(|| InvalidConfig::refused(key, "must be at least 1")))
        .transpose()
}
