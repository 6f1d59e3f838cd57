//! Secrets: write-only management. No use case here returns a value, to anybody.
//!
//! # Invariants
//!
//! - A value is opened only to be sealed anew, by a changed target or a rollback; and for a caller who may receive it, which is
//!   recorded as a delivery, to be sealed anew in another scope or compared with the one that they give. It goes nowhere else.
//! - Whoever may change a scope's secrets may list them, so that a refusal may name what is in the way there.
//! - A secret that is hidden from its caller is as absent as one that is not there.
//! - Beyond the limit of versions the oldest ones go: a rotation is never refused because there were a hundred before it. Who
//!   made and who read them stays in the audit log.
//!
//! To add a use case: a file here; a mutation starts with `Service::prepare_secrets` and goes on with `Service::mutate_secrets`; what reads
//! starts with `Service::read_secrets`.

pub mod copy;
mod copy_source;
pub mod create;
pub mod delete;
pub mod destroy;
pub mod etag;
pub mod get;
pub mod import;
pub mod list;
mod mutation;
mod overlap;
pub mod patch;
mod preparation;
mod quota;
mod readable_scope;
mod receivable;
pub mod rollback;
pub(super) mod sealing;
pub mod undelete;
pub mod update;
pub mod versions;
pub mod view;
mod visibility;

use secrets_core::{InvalidSecretId, SecretId, SecretName};

use crate::audit::Subject;
use crate::error::{Error, Reason};
use crate::store::organization::Organization;

/// A name that is not valid, with the one that was probably meant as `metadata.suggestion`.
pub fn invalid_name(field: &'static str, error: &InvalidSecretId) -> Error {
    let failure = Error::field(Reason::InvalidSecretId, field, error);
    match error.suggestion() {
        Some(suggestion) => failure.with("suggestion", suggestion.as_str()),
        None => failure,
    }
}

/// A secret that a call names, and that may not exist: what the organization's policy allows no secret to be called is not
/// recorded, since it may be a value.
fn named(organization: &Organization, name: &SecretName) -> Subject {
    match SecretId::parse(name.secret_id.as_str(), organization.name_policy) {
        Ok(_) => Subject::new(organization.uid, name, None),
        Err(_) => Subject::invalid_name(organization.uid),
    }
}

/// There is no such secret, or none that the caller sees.
fn missing(name: &SecretName) -> Error {
    Error::new(Reason::SecretNotFound, format!("there is no secret `{name}`"))
}
