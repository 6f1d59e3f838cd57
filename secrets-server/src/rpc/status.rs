//! The one place where an error becomes a gRPC status: code, fixed text, and `google.rpc` details of at most 4 KiB.

use std::collections::HashMap;
use std::time::Duration;

use secrets_proto::ERROR_DOMAIN;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

use crate::error::{Error, Reason};

/// Trailers are capped at 8 KiB by other gRPC stacks, and details are base64 there.
const MAX_TEXT_BYTES: usize = 900;

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        error.log_cause();
        from_error(&error)
    }
}

/// The error as the caller sees it.
fn from_error(error: &Error) -> Status {
    let code = code(error.reason());
    let mut metadata: HashMap<String, String> =
        error.metadata().iter().map(|(key, value)| ((*key).to_owned(), cut(value))).collect();
    for violation in error.violations().iter().take(1) {
        metadata.entry("field".to_owned()).or_insert_with(|| violation.field.to_owned());
    }
    let mut details = ErrorDetails::new();
    details.set_error_info(error.reason().as_str(), ERROR_DOMAIN, metadata);
    for violation in error.violations() {
        details.add_bad_request_violation(violation.field, cut(&violation.description));
    }
    match code {
        Code::Unavailable | Code::Aborted if error.reason() != Reason::EtagMismatch => {
            details.set_retry_info(Some(Duration::from_millis(200)));
        }
        Code::ResourceExhausted => {
            details.set_retry_info(error.retry_delay());
            details.add_quota_failure_violation(
                error.metadata().iter().find(|(key, _)| *key == "limit").map_or("", |(_, value)| value),
                cut(error.message()),
            );
        }
        _ => {}
    }
    Status::with_error_details(code, cut(error.message()), details)
}

fn cut(text: &str) -> String {
    if text.len() <= MAX_TEXT_BYTES {
        return text.to_owned();
    }
    let mut end = MAX_TEXT_BYTES;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}…", text.get(..end).unwrap_or_default())
}

fn code(reason: Reason) -> Code {
    match reason {
        Reason::InvalidArgumentValue
        | Reason::InvalidSecretId
        | Reason::ReservedSecretId
        | Reason::InvalidResourceName
        | Reason::InvalidTarget
        | Reason::InvalidValue
        | Reason::InvalidUpdateMask
        | Reason::InvalidPageToken
        | Reason::InvalidFilter
        | Reason::InvalidRequestId
        | Reason::RequestIdReused
        | Reason::ImportSyntax
        | Reason::ContextInvalid => Code::InvalidArgument,
        Reason::LimitExceeded | Reason::RateLimited => Code::ResourceExhausted,
        Reason::Unauthenticated => Code::Unauthenticated,
        Reason::PermissionDenied => Code::PermissionDenied,
        Reason::SecretNotFound | Reason::VersionNotFound | Reason::ResourceNotFound => Code::NotFound,
        Reason::AlreadyExists | Reason::TargetInUse => Code::AlreadyExists,
        Reason::EtagMismatch | Reason::Conflict => Code::Aborted,
        Reason::VersionIsCurrent
        | Reason::LastAdmin
        | Reason::NotEmpty
        | Reason::UserHasSecrets
        | Reason::SignInRequired
        | Reason::SecretNotCopyable
        | Reason::EntriesRejected
        | Reason::SecretRequiredMissing => Code::FailedPrecondition,
        Reason::SecretUnreadable => Code::DataLoss,
        Reason::Stale | Reason::AuditUnavailable | Reason::StorageUnavailable | Reason::ShuttingDown => {
            Code::Unavailable
        }
        Reason::Unimplemented => Code::Unimplemented,
        Reason::Internal => Code::Internal,
    }
}

#[cfg(test)]
mod tests {
    use secrets_proto::v1::ErrorReason;

    use super::*;

    #[test]
    fn a_status_carries_reason_domain_field_and_retry() {
        let status = from_error(&Error::invalid("ttl", "must be at most 24 hours").with("limit", "86400"));
        assert_eq!(status.code(), Code::InvalidArgument);
        let details = status.get_error_details();
        let info = details.error_info().unwrap();
        assert_eq!((info.reason.as_str(), info.domain.as_str()), ("INVALID_ARGUMENT_VALUE", "secretsapi.v1"));
        assert_eq!(info.metadata.get("limit").map(String::as_str), Some("86400"));
        assert_eq!(details.bad_request().unwrap().field_violations[0].field, "ttl");

        let status = from_error(&Error::new(Reason::StorageUnavailable, "the database does not answer"));
        assert!(status.get_error_details().retry_info().is_some());
    }

    #[test]
    fn the_reasons_are_those_of_the_proto() {
        let of_proto = (1..).map_while(|number| ErrorReason::try_from(number).ok());
        let names: Vec<_> = of_proto.map(|reason| reason.as_str_name()).collect();
        let ours: Vec<_> = Reason::ALL.iter().map(|reason| format!("ERROR_REASON_{}", reason.as_str())).collect();
        assert_eq!(ours, names);
    }

    #[test]
    fn a_changed_etag_is_not_to_be_retried_blindly() {
        assert!(from_error(&Error::new(Reason::EtagMismatch, "changed")).get_error_details().retry_info().is_none());
    }

    #[test]
    fn details_stay_within_four_kibibytes() {
        let long = "é".repeat(5_000);
        let status = from_error(&Error::invalid("description", &long).with("suggestion", long.clone()));
        assert!(status.details().len() + status.message().len() <= 4096, "{}", status.details().len());
    }
}
