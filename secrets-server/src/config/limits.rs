//! How much of the server a caller may take.

use std::fmt;
use std::num::NonZeroU32;
use std::time::Duration;

use super::InvalidConfig;
use super::raw::RawLimits;

/// The `limits` section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How many connections there may be in all; none: as many as there are descriptors for, within reason.
    pub connections: Option<NonZeroU32>,
    /// How long the handshake of a connection may take: TLS, and the beginning of HTTP/2.
    pub handshake_time: Duration,
    /// How long a connection may be without a call.
    pub idle_time: Duration,
    /// How long the body of a request may take to arrive.
    pub request_time: Duration,
    /// How much memory requests may take until they are decoded, in MiB.
    pub pending_request_mebibytes: NonZeroU32,
    /// How long nothing may be asked on a reflection stream.
    pub reflection_silence: Duration,
    /// How many codes (invitations) an address may try in a minute.
    pub code_attempts_per_minute: NonZeroU32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: None,
            handshake_time: Duration::from_secs(5),
            idle_time: Duration::from_secs(300),
            request_time: Duration::from_secs(10),
            pending_request_mebibytes: NonZeroU32::MIN.saturating_add(63),
            reflection_silence: Duration::from_secs(10),
            code_attempts_per_minute: NonZeroU32::MIN.saturating_add(9),
        }
    }
}

impl Limits {
    pub(super) fn check(raw: &RawLimits) -> Result<Self, InvalidConfig> {
        let default = Self::default();
        Ok(Self {
            connections: positive("limits.connections", raw.connections)?,
            handshake_time: seconds("limits.handshake_seconds", raw.handshake_seconds)?
                .unwrap_or(default.handshake_time),
            idle_time: seconds("limits.idle_seconds", raw.idle_seconds)?.unwrap_or(default.idle_time),
            request_time: seconds("limits.request_seconds", raw.request_seconds)?.unwrap_or(default.request_time),
            pending_request_mebibytes: positive("limits.pending_request_mib", raw.pending_request_mib)?
                .unwrap_or(default.pending_request_mebibytes),
            reflection_silence: seconds("limits.reflection_seconds", raw.reflection_seconds)?
                .unwrap_or(default.reflection_silence),
            code_attempts_per_minute: positive("limits.code_attempts_per_minute", raw.code_attempts_per_minute)?
                .unwrap_or(default.code_attempts_per_minute),
        })
    }

    pub(crate) fn pending_request_bytes(&self) -> usize {
        usize::try_from(self.pending_request_mebibytes.get()).unwrap_or(usize::MAX).saturating_mul(1024 * 1024)
    }
}

/// As a file would say it.
impl fmt::Display for Limits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "[limits]")?;
        if let Some(connections) = self.connections {
            writeln!(f, "connections = {connections}")?;
        }
        writeln!(f, "handshake_seconds = {}", self.handshake_time.as_secs())?;
        writeln!(f, "idle_seconds = {}", self.idle_time.as_secs())?;
        writeln!(f, "request_seconds = {}", self.request_time.as_secs())?;
        writeln!(f, "pending_request_mib = {}", self.pending_request_mebibytes)?;
        writeln!(f, "reflection_seconds = {}", self.reflection_silence.as_secs())?;
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
