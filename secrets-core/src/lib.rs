//! The policy of the secrets service as pure functions: what a name, a scope, a context and a target are, which text
//! is valid for each, and what follows from them. Server, client and any other embedder decide alike because they all
//! decide here.
//!
//! # Invariants
//!
//! - Text becomes a type once, where it comes in. Every validated text is a newtype whose only way in is parsing, so whoever
//!   holds a [`SecretId`] or a [`FilePath`] need not ask again.
//! - Text is accepted as it stands or refused, never trimmed, decoded or folded to make it valid. The one exception is
//!   the host name in a [`RegistryHost`], which has several spellings by its own standards and one canonical form here.
//! - No error contains a secret's value. Names and paths may appear; characters that a terminal would not show appear
//!   as code points.
//! - The same arguments give the same answer: time is a parameter ([`Timestamp`]), and so is everything else.
//!
//! # What is absent
//!
//! Nothing here does I/O, waits, reads a clock, draws randomness, encrypts or logs. There is no protobuf, database or
//! serialisation type: other crates convert at their own edges.

#![warn(missing_docs)]
#![forbid(unsafe_code)]
#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)
)]

/// The examples of the README, which are compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

pub mod authorize;
pub mod binding;
pub mod context;
mod credential_kind;
pub mod dotenv;
pub mod identifier;
pub mod import;
pub mod limits;
pub mod name;
pub mod principal;
pub mod redact;
pub mod reserved;
pub mod resolution;
pub mod resource_name;
pub mod role;
pub mod scope;
pub mod secret;
pub mod session_restrictions;
pub mod target;
pub mod text;
pub mod time;
pub mod value;
mod wire_enum;

pub use authorize::{
    Action, Denial, DenialReason, Disclosure, Entitlement, Listing, NonMember, Permit, Resource, ResourceKind, Right,
    authorize, decide, disclose, right,
};
pub use binding::{Binding, InvalidBinding, LastAdmin};
pub use context::{Context, ContextName};
pub use credential_kind::CredentialKind;
pub use identifier::{InvalidIdentifier, OrganizationId, ProjectId, ServiceAccountId, UserId, WorkspaceId};
pub use limits::{DELETED_KEPT_DAYS, InvalidLimit, Limit, LimitExceeded, Limits};
pub use name::{InvalidSecretId, NamePolicy, SecretId, suggest};
pub use principal::{Account, AccountKind, Principal, PrincipalKind, PrincipalRef};
pub use reserved::{AllowedReserved, Grade, InvalidAllowedReserved, Reserved};
pub use resolution::{Candidate, Filter, NotChosen, NotChosenReason, Resolution, resolve};
pub use resource_name::{
    AccountName, AdminInvitationName, BindingName, InvalidResourceName, OrganizationName, PrincipalName, ProjectName,
    RoleResourceName, ScopeName, SecretName, ServiceAccountName, SessionName, SignInCodeName, TokenName, UserName,
    WorkspaceName,
};
pub use role::{Role, RoleResource, RoleResourceKind};
pub use scope::{Scope, ScopeKind};
pub use secret::{
    Description, Group, InvalidDescription, InvalidGroup, InvalidLabel, Labels, OverridePolicy, Redaction, Visibility,
};
pub use session_restrictions::SessionRestrictions;
pub use target::{
    Destination, FileMode, FilePath, InvalidFileMode, InvalidFilePath, InvalidRegistryHost, InvalidRegistryUsername,
    InvalidTarget, RegistryHost, RegistryUsername, Target, TargetKind,
};
pub use time::Timestamp;
/// The random identity of a stored thing; never used again once the thing is gone.
pub use uuid::Uuid as Uid;
pub use value::{InvalidValue, MASK, ValueWarning, check_value, value_warnings};
pub use wire_enum::InvalidEnumValue;
