//! Errors of a call: the service's answer with its machine-readable reason, or no answer at all.
//!
//! To add a reason of the service: `proto/secretsapi/v1/error_reason.proto` alone. To recognize one more problem of a
//! connection: a variant of [`ConnectionProblem`], and where the transport reports it, in `error/connection.rs`.

mod connection;

use std::collections::BTreeMap;
use std::error::Error as _;
use std::time::Duration;

use secrets_proto::ERROR_DOMAIN;
/// The service's reasons; each documents its code and whether to retry.
pub use secrets_proto::v1::ErrorReason as Reason;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

pub use self::connection::ConnectionProblem;
use crate::endpoint::CONNECT_TIMEOUT;
use crate::validation::BrokenRule;

/// More than any sentence of the service has: a name that it repeats, and what it says of it.
const MAX_TEXT_CHARACTERS: usize = 8_192;
/// More facts or fields than any error of the service names.
const MAX_DETAILS: usize = 100;

/// A call that did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The service answered, and refused.
    #[error("{0}")]
    Answered(Box<Answer>),
    /// The service can't be reached, or the connection broke before its answer.
    #[error("the service at {endpoint} is unavailable: {detail}")]
    Unreachable {
        /// The address that was tried.
        endpoint: String,
        /// The problem with the connection.
        problem: ConnectionProblem,
        /// The same as a sentence, with the details.
        detail: String,
        /// Whether the connection was never made, so that the service has not seen the call.
        never_sent: bool,
    },
    /// The deadline passed without an answer.
    #[error("the service at {endpoint} did not answer within {} s", after.as_secs_f32())]
    TimedOut {
        /// The address that was asked.
        endpoint: String,
        /// The deadline.
        after: Duration,
    },
    /// A credential was created, but the answer with its text was lost, and it is shown only once.
    #[error("`{name}` was created, but the answer with its text was lost; revoke it and create another one")]
    Lost {
        /// Resource path of the credential.
        name: String,
    },
    /// The service's answer breaks a rule of the interface, and nothing of it was used.
    #[error("the answer of the service breaks a rule, and nothing of it was used: {0}")]
    Malformed(Box<BrokenRule>),
}

/// The service's answer to a call that it refused.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{message}")]
pub struct Answer {
    /// The gRPC code.
    pub code: Code,
    /// The reason, if it is one that this version knows.
    pub reason: Option<Reason>,
    /// What went wrong, for a person.
    pub message: String,
    /// Facts beside the reason, for instance `suggestion`, `limit` or `line`.
    pub metadata: BTreeMap<String, String>,
    /// The fields that are not valid.
    pub violations: Vec<FieldViolation>,
    /// How long the service asks to wait before the next attempt.
    pub retry_after: Option<Duration>,
    /// Finds the call in the service's logs.
    pub request_id: Option<String>,
}

/// A field that is not valid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldViolation {
    /// Path of the field within the request, for instance `secret.target.file.path`.
    pub field: String,
    /// What is wrong with it, and what is expected.
    pub description: String,
}

impl ClientError {
    /// Reads a status: one that the transport created is [`ClientError::Unreachable`].
    pub(crate) fn from_status(status: Status, endpoint: &str) -> Self {
        if let Some(source) = status.source() {
            let never_sent = connection::chain(source).any(connection::is_before_the_first_byte);
            let (problem, mut detail) = ConnectionProblem::from_transport(source);
            if problem == ConnectionProblem::TimedOut && never_sent {
                detail = format!("no connection within {} s", CONNECT_TIMEOUT.as_secs());
            }
            return Self::Unreachable { endpoint: endpoint.to_owned(), problem, detail, never_sent };
        }
        let info = status.get_details_error_info().filter(|info| info.domain == ERROR_DOMAIN);
        let violations = status.get_details_bad_request().map(|details| details.field_violations).unwrap_or_default();
        Self::Answered(Box::new(Answer {
            code: status.code(),
            reason: info.as_ref().and_then(|info| Reason::from_str_name(&format!("ERROR_REASON_{}", info.reason))),
            message: if status.message().is_empty() {
                status.code().description().to_owned()
            } else {
                bounded(status.message())
            },
            metadata: info.map(|info| metadata(info.metadata)).unwrap_or_default(),
            violations: violations
                .into_iter()
                .take(MAX_DETAILS)
                .map(|violation| FieldViolation {
                    field: bounded(&violation.field),
                    description: bounded(&violation.description),
                })
                .collect(),
            retry_after: status.get_details_retry_info().and_then(|info| info.retry_delay),
            request_id: status.metadata().get("x-request-id").and_then(|id| id.to_str().ok()).map(bounded),
        }))
    }

    /// Returns the gRPC code, also where the service did not answer.
    pub fn code(&self) -> Code {
        match self {
            Self::Answered(answer) => answer.code,
            Self::Unreachable { .. } => Code::Unavailable,
            Self::TimedOut { .. } => Code::DeadlineExceeded,
            Self::Lost { .. } | Self::Malformed(_) => Code::DataLoss,
        }
    }

    /// Returns the service's answer, if there was one.
    pub fn answer(&self) -> Option<&Answer> {
        match self {
            Self::Answered(answer) => Some(answer),
            _ => None,
        }
    }

    /// Returns the service's reason, if it gave one that this version knows.
    pub fn reason(&self) -> Option<Reason> {
        self.answer().and_then(|answer| answer.reason)
    }

    /// Whether the service can't be reached, or answers that it is unavailable for now, also for this caller alone.
    pub fn is_unavailable(&self) -> bool {
        self.code() == Code::Unavailable || self.is_rate_limited()
    }

    /// Whether the service refused the call before it did anything, because of how much the caller or all together ask of it.
    /// Once the time has passed that it asks to wait, the call may be sent again, whatever it is.
    pub fn is_rate_limited(&self) -> bool {
        self.reason() == Some(Reason::RateLimited)
    }

    pub(crate) fn was_never_sent(&self) -> bool {
        matches!(self, Self::Unreachable { never_sent: true, .. })
    }

    /// Whether a connection was not made in time: nothing answers at the address.
    pub(crate) fn is_unanswered_connection(&self) -> bool {
        matches!(self, Self::Unreachable { problem: ConnectionProblem::TimedOut, never_sent: true, .. })
    }

    /// Whether the deadline ended the call, for the service or for the transport.
    pub(crate) fn is_deadline(&self) -> bool {
        self.code() == Code::DeadlineExceeded
            || matches!(self, Self::Unreachable { problem: ConnectionProblem::Deadline, .. })
    }

    pub(crate) fn retry_after(&self) -> Option<Duration> {
        self.answer().and_then(|answer| answer.retry_after)
    }
}

fn metadata(sent: impl IntoIterator<Item = (String, String)>) -> BTreeMap<String, String> {
    sent.into_iter().take(MAX_DETAILS).map(|(key, value)| (bounded(&key), bounded(&value))).collect()
}

/// At most as much of a text as the service has to say in one.
fn bounded(text: &str) -> String {
    match text.char_indices().nth(MAX_TEXT_CHARACTERS) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

impl From<BrokenRule> for ClientError {
    fn from(rule: BrokenRule) -> Self {
        Self::Malformed(Box::new(rule))
    }
}

#[cfg(test)]
mod tests {
    use tonic_types::ErrorDetails;

    use super::*;

    const ENDPOINT: &str = "http://127.0.0.1:1";

    #[test]
    fn reads_reason_violations_and_delay() {
        let mut details = ErrorDetails::new();
        details
            .set_error_info("INVALID_SECRET_ID", ERROR_DOMAIN, [("suggestion".into(), "LINEAR_API_KEY".into())])
            .add_bad_request_violation("secret_id", "invalid character `l`; did you mean `LINEAR_API_KEY`?")
            .set_retry_info(Some(Duration::from_secs(2)));
        let status = Status::with_error_details(Code::InvalidArgument, "invalid name", details);
        let error = ClientError::from_status(status, ENDPOINT);
        assert_eq!(error.reason(), Some(Reason::InvalidSecretId));
        assert_eq!(error.retry_after(), Some(Duration::from_secs(2)));
        let answer = error.answer().unwrap();
        assert_eq!(answer.metadata["suggestion"], "LINEAR_API_KEY");
        assert_eq!(answer.violations[0].field, "secret_id");
    }

    #[test]
    fn ignores_reasons_of_other_domains_and_unknown_ones() {
        for (reason, domain) in [("INVALID_SECRET_ID", "example.com"), ("FROM_THE_FUTURE", ERROR_DOMAIN)] {
            let mut details = ErrorDetails::new();
            details.set_error_info(reason, domain, []);
            let error = ClientError::from_status(Status::with_error_details(Code::Internal, "no", details), ENDPOINT);
            assert_eq!(error.reason(), None);
        }
    }

    #[test]
    fn an_error_of_the_transport_is_unreachable() {
        let refused = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
        let error =
            ClientError::from_status(Status::from_error(Box::new(tonic::ConnectError(Box::new(refused)))), ENDPOINT);
        assert!(error.is_unavailable() && error.was_never_sent(), "{error:?}");
        let reset = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
        let error = ClientError::from_status(Status::from_error(Box::new(reset)), ENDPOINT);
        assert!(error.is_unavailable() && !error.was_never_sent(), "{error:?}");
    }

    #[test]
    fn keeps_no_more_of_an_answer_than_the_service_has_to_say() {
        let long = "\u{e9}".repeat(MAX_TEXT_CHARACTERS + 1);
        let mut details = ErrorDetails::new();
        let facts = (0..200).map(|at| (format!("{at}"), long.clone()));
        details.set_error_info("STALE", ERROR_DOMAIN, facts.collect::<std::collections::HashMap<_, _>>());
        for _ in 0..200 {
            details.add_bad_request_violation(long.clone(), long.clone());
        }
        let error =
            ClientError::from_status(Status::with_error_details(Code::Internal, long.clone(), details), ENDPOINT);
        let answer = error.answer().unwrap();
        assert_eq!((answer.metadata.len(), answer.violations.len()), (MAX_DETAILS, MAX_DETAILS));
        let texts = [&answer.message, &answer.violations[0].field, answer.metadata.values().next().unwrap()];
        assert!(texts.iter().all(|text| text.chars().count() == MAX_TEXT_CHARACTERS + 1 && text.ends_with('…')));
    }
}
