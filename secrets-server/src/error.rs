//! Why a call failed, in the words of the service: a machine-readable reason, a fixed text, and the fields at fault.
//!
//! An `Error` never carries a value or a token. What only the operator may know is its cause, which goes to the log where the
//! error ends, under the call's request id, and nowhere else.

mod convert;

use std::fmt;
use std::time::Duration;

/// Declares the reasons and their names from one list, so that neither can miss one.
macro_rules! reasons {
    ($($reason:ident = $name:literal,)*) => {
        /// The reasons of `proto/secretsapi/v1/error_reason.proto`; `rpc/status.rs` gives each its code.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Reason { $($reason,)* }

        impl Reason {
            /// All of them, in the proto's order.
            pub const ALL: &[Self] = &[$(Self::$reason,)*];

            /// The name that the wire and the audit log know: `SECRET_NOT_FOUND` of `ERROR_REASON_SECRET_NOT_FOUND`.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$reason => $name,)* }
            }
        }
    };
}

reasons! {
    InvalidArgumentValue = "INVALID_ARGUMENT_VALUE",
    InvalidSecretId = "INVALID_SECRET_ID",
    ReservedSecretId = "RESERVED_SECRET_ID",
    InvalidResourceName = "INVALID_RESOURCE_NAME",
    InvalidTarget = "INVALID_TARGET",
    InvalidValue = "INVALID_VALUE",
    InvalidUpdateMask = "INVALID_UPDATE_MASK",
    InvalidPageToken = "INVALID_PAGE_TOKEN",
    InvalidFilter = "INVALID_FILTER",
    InvalidRequestId = "INVALID_REQUEST_ID",
    RequestIdReused = "REQUEST_ID_REUSED",
    ImportSyntax = "IMPORT_SYNTAX",
    ContextInvalid = "CONTEXT_INVALID",
    LimitExceeded = "LIMIT_EXCEEDED",
    Unauthenticated = "UNAUTHENTICATED",
    PermissionDenied = "PERMISSION_DENIED",
    SecretNotFound = "SECRET_NOT_FOUND",
    VersionNotFound = "VERSION_NOT_FOUND",
    ResourceNotFound = "RESOURCE_NOT_FOUND",
    AlreadyExists = "ALREADY_EXISTS",
    TargetInUse = "TARGET_IN_USE",
    EtagMismatch = "ETAG_MISMATCH",
    Conflict = "CONFLICT",
    VersionIsCurrent = "VERSION_IS_CURRENT",
    LastAdmin = "LAST_ADMIN",
    NotEmpty = "NOT_EMPTY",
    UserHasSecrets = "USER_HAS_SECRETS",
    EntriesRejected = "ENTRIES_REJECTED",
    SecretRequiredMissing = "SECRET_REQUIRED_MISSING",
    SecretUnreadable = "SECRET_UNREADABLE",
    Stale = "STALE",
    AuditUnavailable = "AUDIT_UNAVAILABLE",
    StorageUnavailable = "STORAGE_UNAVAILABLE",
    ShuttingDown = "SHUTTING_DOWN",
    Internal = "INTERNAL",
    RateLimited = "RATE_LIMITED",
    SignInRequired = "SIGN_IN_REQUIRED",
    Unimplemented = "UNIMPLEMENTED",
    SecretNotCopyable = "SECRET_NOT_COPYABLE",
}

/// A field of the request that breaks a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Path of the field, for instance `secret.target.file.path`.
    pub field: &'static str,
    /// The rule, and what to do.
    pub description: String,
}

/// Why a call failed. Boxed inside, so that a `Result` stays small.
#[derive(Debug)]
pub struct Error(Box<Parts>);

#[derive(Debug)]
struct Parts {
    reason: Reason,
    message: String,
    violations: Vec<Violation>,
    metadata: Vec<(&'static str, String)>,
    /// What was given as a name is none.
    invalid_name: bool,
    again: bool,
    abandoned: bool,
    retry_after: Option<Duration>,
    cause: Option<String>,
}

impl Error {
    /// A failure with a text for a person: lower case, no full stop, says what to do.
    pub fn new(reason: Reason, message: impl Into<String>) -> Self {
        Self(Box::new(Parts {
            reason,
            message: message.into(),
            violations: Vec::new(),
            metadata: Vec::new(),
            invalid_name: matches!(reason, Reason::InvalidResourceName | Reason::InvalidSecretId),
            again: false,
            abandoned: false,
            retry_after: None,
            cause: None,
        }))
    }

    /// A field that breaks its rule.
    pub fn field(reason: Reason, field: &'static str, rule: impl fmt::Display) -> Self {
        let description = rule.to_string();
        let mut failure = Self::new(reason, format!("{field}: {description}"));
        failure.0.violations.push(Violation { field, description });
        failure
    }

    /// A field of the request that breaks its rule, of no more special reason.
    pub fn invalid(field: &'static str, rule: impl fmt::Display) -> Self {
        Self::field(Reason::InvalidArgumentValue, field, rule)
    }

    /// An identifier that breaks its rule.
    pub fn invalid_identifier(field: &'static str, rule: impl fmt::Display) -> Self {
        let mut failure = Self::invalid(field, rule);
        failure.0.invalid_name = true;
        failure
    }

    /// The caller may not do this, or may not know whether it exists: one text for both.
    pub fn denied() -> Self {
        Self::new(Reason::PermissionDenied, "permission denied, or there is no such resource")
    }

    /// A resource that the caller may know to be absent.
    pub fn not_found(what: impl fmt::Display) -> Self {
        Self::new(Reason::ResourceNotFound, format!("there is no {what}"))
    }

    /// A fault of ours; the cause goes to the log, not to the caller.
    pub fn internal(cause: impl fmt::Display) -> Self {
        Self::new(Reason::Internal, "internal error; the request id finds it in the server's log").because(cause)
    }

    /// The caller hung up before anything was decided. Nobody gets to see it.
    pub fn abandoned() -> Self {
        let mut failure = Self::new(Reason::Conflict, "the caller hung up before anything was changed");
        failure.0.abandoned = true;
        failure
    }

    /// Adds why it happened, for the log alone.
    #[must_use]
    pub fn because(mut self, cause: impl fmt::Display) -> Self {
        self.0.cause = Some(cause.to_string());
        self
    }

    /// Writes the cause to the log, if there is one. Whoever does not hand the error on does this, once.
    pub fn log_cause(&self) {
        if let Some(cause) = &self.0.cause {
            tracing::error!(reason = self.0.reason.as_str(), %cause, "{self}");
        }
    }

    /// Adds a machine-readable detail.
    #[must_use]
    pub fn with(mut self, key: &'static str, value: impl Into<String>) -> Self {
        self.0.metadata.push((key, value.into()));
        self
    }

    /// Marks that the same transaction may succeed if it is run again at once.
    #[must_use]
    pub fn worth_again(mut self) -> Self {
        self.0.again = true;
        self
    }

    /// Adds how long to wait before the call is sent again.
    #[must_use]
    pub fn retry_after(mut self, wait: Duration) -> Self {
        self.0.retry_after = Some(wait);
        self
    }

    /// The machine-readable reason.
    pub fn reason(&self) -> Reason {
        self.0.reason
    }

    /// The text for a person.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The fields at fault.
    pub fn violations(&self) -> &[Violation] {
        &self.0.violations
    }

    /// Machine-readable details.
    pub fn metadata(&self) -> &[(&'static str, String)] {
        &self.0.metadata
    }

    /// How long to wait before the call is sent again, where that is known.
    pub fn retry_delay(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// Whether something that was given as a name is none: it may be anything, also what was pasted by mistake.
    pub fn is_invalid_name(&self) -> bool {
        self.0.invalid_name
    }

    /// Whether the caller hung up before anything was decided.
    pub fn is_abandoned(&self) -> bool {
        self.0.abandoned
    }

    /// Whether the same transaction may succeed if it is run again at once.
    pub fn is_worth_again(&self) -> bool {
        self.0.again
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl std::error::Error for Error {}

/// A list of names for an error: at most 20, and how many more there are.
pub fn name_list<'a>(names: impl ExactSizeIterator<Item = &'a str>) -> String {
    const MAX_SHOWN: usize = 20;
    let count = names.len();
    let mut list = names.take(MAX_SHOWN).collect::<Vec<_>>().join(", ");
    if count > MAX_SHOWN {
        list.push_str(&format!(" and {} more", count - MAX_SHOWN));
    }
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_list_of_names_is_cut_at_twenty() {
        let names = (0..25).map(|n| format!("N{n}")).collect::<Vec<_>>();
        let list = name_list(names.iter().map(String::as_str));
        assert!(list.ends_with("N19 and 5 more"), "{list}");
        assert_eq!(name_list(["A", "B"].into_iter()), "A, B");
    }

    #[test]
    fn a_field_failure_names_the_field_in_text_and_violation() {
        let failure = Error::invalid("ttl", "must be at most 24 hours");
        assert_eq!(failure.message(), "ttl: must be at most 24 hours");
        assert_eq!(failure.violations(), [Violation { field: "ttl", description: "must be at most 24 hours".into() }]);
    }
}
