use std::fmt;

use secrets_core::{
    InvalidIdentifier, InvalidResourceName, InvalidSecretId, InvalidTarget, InvalidValue, SecretId, TargetKind,
};

use super::MAX_SECRETS;
use super::text::MAX_TOKEN_BYTES;

/// A rule that an answer of the service breaks. It names secrets only by names that core has accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BrokenRule {
    /// A text that is sent back to the service is empty, too long, or has characters that none has.
    #[error("{field} must be 1 to {MAX_TOKEN_BYTES} visible ASCII characters")]
    Token {
        /// The field.
        field: &'static str,
    },
    /// A time is none.
    #[error("{field} must be a time of the years 1 to 9999")]
    Time {
        /// The field.
        field: &'static str,
    },
    /// The answer names no context.
    #[error("context must be set")]
    NoContext,
    /// An identifier in the context is not valid.
    #[error("context: {0}")]
    Context(#[from] InvalidIdentifier),
    /// The context is another one than was asked for.
    #[error("context must be the one that was asked for")]
    OtherContext,
    /// Nothing is returned, as for a caller who has the answer, and the caller has none.
    #[error("not_modified must answer the etag of an earlier answer, and come without secrets")]
    NotModified,
    /// There are more secrets than a context can have.
    #[error("there must be at most {MAX_SECRETS} secrets (got {number})")]
    TooMany {
        /// How many there are.
        number: usize,
    },
    /// The size of the environment is negative.
    #[error("environment_bytes must not be negative")]
    EnvironmentBytes,
    /// A secret's name is not valid.
    #[error("secret name: {0}")]
    Name(#[from] InvalidSecretId),
    /// A name is there twice.
    #[error("`{name}` must be there once")]
    Repeated {
        /// The name.
        name: SecretId,
    },
    /// A name was not asked for.
    #[error("`{name}` was not asked for")]
    NotRequested {
        /// The name.
        name: SecretId,
    },
    /// The kind of a secret's target was not asked for.
    #[error("`{name}`: {kind} was not asked for")]
    KindNotRequested {
        /// The secret's name.
        name: SecretId,
        /// The kind.
        kind: TargetKind,
    },
    /// A name that must be there is missing.
    #[error("`{name}` must be there")]
    Missing {
        /// The name.
        name: String,
    },
    /// A resource path is not valid.
    #[error("`{name}`: resource path: {error}")]
    Resource {
        /// The secret's name.
        name: SecretId,
        /// Why it is not valid.
        error: InvalidResourceName,
    },
    /// A resource path ends in another name.
    #[error("`{name}`: resource path must end in the secret's name")]
    OtherName {
        /// The secret's name.
        name: SecretId,
    },
    /// The kind of scope is not that of the resource path.
    #[error("`{name}`: kind of scope must be that of the resource path")]
    OtherScope {
        /// The secret's name.
        name: SecretId,
    },
    /// The scope is none of the context's.
    #[error("`{name}`: scope must be one of the context's")]
    OutsideContext {
        /// The secret's name.
        name: SecretId,
    },
    /// A version is zero.
    #[error("`{name}`: version must be at least 1")]
    Version {
        /// The secret's name.
        name: SecretId,
    },
    /// A secret has no target.
    #[error("`{name}`: target must be set")]
    NoTarget {
        /// The secret's name.
        name: SecretId,
    },
    /// A target is not valid.
    #[error("`{name}`: {error}")]
    Target {
        /// The secret's name.
        name: SecretId,
        /// Why it is not valid.
        error: InvalidTarget,
    },
    /// Two secrets would land in the same place.
    #[error("`{other}` and `{name}` must not have the same target")]
    SameDestination {
        /// The secret that comes first.
        other: SecretId,
        /// The secret that comes second.
        name: SecretId,
    },
    /// A value can't be delivered to its target.
    #[error("`{name}`: {error}")]
    Value {
        /// The secret's name.
        name: SecretId,
        /// Why it can't.
        error: InvalidValue,
    },
    /// An event of a watch comes where none of its kind may.
    #[error("a watch must begin with the whole set, or with nothing new for a known etag, and go on with changes")]
    EventOrder,
    /// A secret that was asked for by name has a value of an enumeration that this version does not know.
    #[error("`{name}` was asked for, and this version ({}) does not know its {unknown}", env!("CARGO_PKG_VERSION"))]
    Unknown {
        /// The secret's name.
        name: SecretId,
        /// What is not known.
        unknown: UnknownValue,
    },
    /// Who calls, or whose a token is, is not a valid name.
    #[error("principal: {0}")]
    Principal(#[from] InvalidResourceName),
    /// The caller's organization is not valid.
    #[error("organization: {0}")]
    Organization(InvalidIdentifier),
    /// The caller's organization is not the one of its name.
    #[error("organization must be that of the principal")]
    OtherOrganization,
    /// A credential or a code is not one.
    #[error("a token must be visible ASCII characters")]
    Credential,
}

/// What of a secret this version does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum UnknownValue {
    /// The kind of its target.
    TargetKind,
    /// The kind of its scope.
    ScopeKind,
    /// Its redaction.
    Redaction,
}

impl fmt::Display for UnknownValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TargetKind => "kind of target",
            Self::ScopeKind => "kind of scope",
            Self::Redaction => "redaction",
        })
    }
}
