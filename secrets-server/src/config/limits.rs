//! How much of the server a caller may take.

use std::fmt;
use std::num::NonZeroU32;
use std::time::Duration;

use super::InvalidConfig;
use super::raw::RawLimits;
use crate::admission::{AdmissionLimits, ConsumerLimits, MAX_RATE};

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
    /// How long a message of a response may wait until its caller has taken it.
    pub response_time: Duration,
    /// How much memory requests may take until they are decoded, in MiB.
    pub pending_request_mebibytes: NonZeroU32,
    /// How long nothing may be asked on a reflection stream.
    pub reflection_silence: Duration,
    /// How many codes (invitations) an address may try in a minute.
    pub code_attempts_per_minute: NonZeroU32,
    /// How much one caller may take, and all together.
    pub admission: AdmissionLimits,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: None,
            handshake_time: Duration::from_secs(5),
            idle_time: Duration::from_secs(300),
            request_time: Duration::from_secs(10),
            response_time: Duration::from_secs(60),
            pending_request_mebibytes: NonZeroU32::MIN.saturating_add(63),
            reflection_silence: Duration::from_secs(10),
            code_attempts_per_minute: NonZeroU32::MIN.saturating_add(9),
            admission: AdmissionLimits::default(),
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
            response_time: seconds("limits.response_seconds", raw.response_seconds)?.unwrap_or(default.response_time),
            pending_request_mebibytes: positive("limits.pending_request_mib", raw.pending_request_mib)?
                .unwrap_or(default.pending_request_mebibytes),
            reflection_silence: seconds("limits.reflection_seconds", raw.reflection_seconds)?
                .unwrap_or(default.reflection_silence),
            code_attempts_per_minute: positive("limits.code_attempts_per_minute", raw.code_attempts_per_minute)?
                .unwrap_or(default.code_attempts_per_minute),
            admission: admission(raw, default.admission)?,
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
        writeln!(f, "response_seconds = {}", self.response_time.as_secs())?;
        writeln!(f, "pending_request_mib = {}", self.pending_request_mebibytes)?;
        writeln!(f, "reflection_seconds = {}", self.reflection_silence.as_secs())?;
        writeln!(f, "code_attempts_per_minute = {}", self.code_attempts_per_minute)?;
        let AdmissionLimits { calls, watches, sessions_per_session, person, service_account } = &self.admission;
        writeln!(f, "calls = {calls}")?;
        writeln!(f, "watches = {watches}")?;
        writeln!(f, "sessions_per_session = {sessions_per_session}")?;
        for (of, limits) in [("person", person), ("service_account", service_account)] {
            let ConsumerLimits { calls, rate, watches, sessions } = limits;
            writeln!(f, "calls_per_{of} = {calls}")?;
            writeln!(f, "rate_per_{of} = {rate}")?;
            writeln!(f, "watches_per_{of} = {watches}")?;
            writeln!(f, "sessions_per_{of} = {sessions}")?;
        }
        Ok(())
    }
}

fn admission(raw: &RawLimits, default: AdmissionLimits) -> Result<AdmissionLimits, InvalidConfig> {
    let AdmissionLimits { calls, watches, sessions_per_session, person, service_account } = default;
    let or = |key, value, default| Ok(positive(key, value)?.unwrap_or(default));
    Ok(AdmissionLimits {
        calls: or("limits.calls", raw.calls, calls)?,
        watches: or("limits.watches", raw.watches, watches)?,
        sessions_per_session: or("limits.sessions_per_session", raw.sessions_per_session, sessions_per_session)?,
        person: ConsumerLimits {
            calls: or("limits.calls_per_person", raw.calls_per_person, person.calls)?,
            rate: rate("limits.rate_per_person", raw.rate_per_person)?.unwrap_or(person.rate),
            watches: or("limits.watches_per_person", raw.watches_per_person, person.watches)?,
            sessions: or("limits.sessions_per_person", raw.sessions_per_person, person.sessions)?,
        },
        service_account: ConsumerLimits {
            calls: or("limits.calls_per_service_account", raw.calls_per_service_account, service_account.calls)?,
            rate: rate("limits.rate_per_service_account", raw.rate_per_service_account)?
                .unwrap_or(service_account.rate),
            watches: or(
                "limits.watches_per_service_account",
                raw.watches_per_service_account,
                service_account.watches,
            )?,
            sessions: or(
                "limits.sessions_per_service_account",
                raw.sessions_per_service_account,
                service_account.sessions,
            )?,
        },
    })
}

fn rate(key: &str, value: Option<u32>) -> Result<Option<NonZeroU32>, InvalidConfig> {
    match positive(key, value)? {
        Some(rate) if rate > MAX_RATE => {
            Err(InvalidConfig::refused(key, format!("must be at most {MAX_RATE} a second (got {rate})")))
        }
        rate => Ok(rate),
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
