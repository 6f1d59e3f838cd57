//! The one place where a failure becomes a gRPC status: code, fixed text, and `google.rpc` details of at most 4 KiB.

use std::collections::HashMap;
use std::time::Duration;

use secrets_proto::{ERROR_DOMAIN, v1::ErrorReason};
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

use crate::failure::{Failure, Reason};

/// Trailers are capped at 8 KiB by other gRPC stacks, and details are base64 there.
const MESSAGE_BYTES: usize = 900;

/// The failure as the caller sees it.
pub fn of(failure: &Failure) -> Status {
    let (code, reason) = code_and_reason(failure.reason());
    let mut metadata: HashMap<String, String> =
        failure.metadata().iter().map(|(key, value)| ((*key).to_owned(), cut(value))).collect();
    for violation in failure.violations().iter().take(1) {
        metadata.entry("field".to_owned()).or_insert_with(|| violation.field.to_owned());
    }
    let mut details = ErrorDetails::new();
    details.set_error_info(name_of(reason), ERROR_DOMAIN, metadata);
    for violation in failure.violations() {
        details.add_bad_request_violation(violation.field, cut(&violation.description));
    }
    match code {
        Code::Unavailable | Code::Aborted if failure.reason() != Reason::EtagMismatch => {
            details.set_retry_info(Some(Duration::from_millis(200)));
        }
        Code::ResourceExhausted => {
            details.add_quota_failure_violation(
                failure.metadata().iter().find(|(key, _)| *key == "limit").map_or("", |(_, value)| value),
                cut(failure.message()),
            );
        }
        _ => {}
    }
    Status::with_error_details(code, cut(failure.message()), details)
}

/// `INVALID_SECRET_ID` of `ERROR_REASON_INVALID_SECRET_ID`.
pub fn name_of(reason: ErrorReason) -> &'static str {
    let name = reason.as_str_name();
    name.strip_prefix("ERROR_REASON_").unwrap_or(name)
}

/// The name of a reason as the wire and the audit log know it.
pub fn reason_name(reason: Reason) -> &'static str {
    name_of(code_and_reason(reason).1)
}

fn cut(text: &str) -> String {
    if text.len() <= MESSAGE_BYTES {
        return text.to_owned();
    }
    let mut end = MESSAGE_BYTES;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}…", text.get(..end).unwrap_or_default())
}

fn code_and_reason(reason: Reason) -> (Code, ErrorReason) {
    match reason {
        Reason::InvalidArgumentValue => (Code::InvalidArgument, ErrorReason::InvalidArgumentValue),
        Reason::InvalidSecretId => (Code::InvalidArgument, ErrorReason::InvalidSecretId),
        Reason::ReservedSecretId => (Code::InvalidArgument, ErrorReason::ReservedSecretId),
        Reason::InvalidResourceName => (Code::InvalidArgument, ErrorReason::InvalidResourceName),
        Reason::InvalidTarget => (Code::InvalidArgument, ErrorReason::InvalidTarget),
        Reason::InvalidValue => (Code::InvalidArgument, ErrorReason::InvalidValue),
        Reason::InvalidUpdateMask => (Code::InvalidArgument, ErrorReason::InvalidUpdateMask),
        Reason::InvalidPageToken => (Code::InvalidArgument, ErrorReason::InvalidPageToken),
        Reason::InvalidFilter => (Code::InvalidArgument, ErrorReason::InvalidFilter),
        Reason::InvalidRequestId => (Code::InvalidArgument, ErrorReason::InvalidRequestId),
        Reason::RequestIdReused => (Code::InvalidArgument, ErrorReason::RequestIdReused),
        Reason::ImportSyntax => (Code::InvalidArgument, ErrorReason::ImportSyntax),
        Reason::ContextInvalid => (Code::InvalidArgument, ErrorReason::ContextInvalid),
        Reason::LimitExceeded => (Code::ResourceExhausted, ErrorReason::LimitExceeded),
        Reason::Unauthenticated => (Code::Unauthenticated, ErrorReason::Unauthenticated),
        Reason::PermissionDenied => (Code::PermissionDenied, ErrorReason::PermissionDenied),
        Reason::SecretNotFound => (Code::NotFound, ErrorReason::SecretNotFound),
        Reason::VersionNotFound => (Code::NotFound, ErrorReason::VersionNotFound),
        Reason::ResourceNotFound => (Code::NotFound, ErrorReason::ResourceNotFound),
        Reason::AlreadyExists => (Code::AlreadyExists, ErrorReason::AlreadyExists),
        Reason::TargetInUse => (Code::AlreadyExists, ErrorReason::TargetInUse),
        Reason::EtagMismatch => (Code::Aborted, ErrorReason::EtagMismatch),
        Reason::Conflict => (Code::Aborted, ErrorReason::Conflict),
        Reason::VersionIsCurrent => (Code::FailedPrecondition, ErrorReason::VersionIsCurrent),
        Reason::LastAdmin => (Code::FailedPrecondition, ErrorReason::LastAdmin),
        Reason::NotEmpty => (Code::FailedPrecondition, ErrorReason::NotEmpty),
        Reason::UserHasSecrets => (Code::FailedPrecondition, ErrorReason::UserHasSecrets),
        Reason::EntriesRejected => (Code::FailedPrecondition, ErrorReason::EntriesRejected),
        Reason::SecretRequiredMissing => (Code::FailedPrecondition, ErrorReason::SecretRequiredMissing),
        Reason::SecretUnreadable => (Code::DataLoss, ErrorReason::SecretUnreadable),
        Reason::Stale => (Code::Unavailable, ErrorReason::Stale),
        Reason::AuditUnavailable => (Code::Unavailable, ErrorReason::AuditUnavailable),
        Reason::StorageUnavailable => (Code::Unavailable, ErrorReason::StorageUnavailable),
        Reason::ShuttingDown => (Code::Unavailable, ErrorReason::ShuttingDown),
        Reason::Internal => (Code::Internal, ErrorReason::Internal),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_carries_reason_domain_field_and_retry() {
        let status = of(&Failure::invalid("ttl", "at most 24 hours pass").with("limit", "86400"));
        assert_eq!(status.code(), Code::InvalidArgument);
        let details = status.get_error_details();
        let info = details.error_info().unwrap();
        assert_eq!((info.reason.as_str(), info.domain.as_str()), ("INVALID_ARGUMENT_VALUE", "secrets.v1"));
        assert_eq!(info.metadata.get("limit").map(String::as_str), Some("86400"));
        assert_eq!(details.bad_request().unwrap().field_violations[0].field, "ttl");

        let status = of(&Failure::new(Reason::StorageUnavailable, "the database does not answer"));
        assert!(status.get_error_details().retry_info().is_some());
    }

    #[test]
    fn a_changed_etag_is_not_to_be_retried_blindly() {
        assert!(of(&Failure::new(Reason::EtagMismatch, "changed")).get_error_details().retry_info().is_none());
    }

    #[test]
    fn details_stay_within_four_kibibytes() {
        let long = "é".repeat(5_000);
        let status = of(&Failure::invalid("description", &long).with("suggestion", long.clone()));
        assert!(status.details().len() + status.message().len() <= 4096, "{}", status.details().len());
    }
}
