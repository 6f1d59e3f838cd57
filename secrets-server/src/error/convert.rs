//! What a lower layer refuses, in the words of the service. Causes that are not the caller's are for the log.

use super::{Error, Reason};
use crate::crypto::{RandomError, SealError};
use crate::store::{StoreError, UniqueIndex};

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(_) => {
                Self::new(Reason::StorageUnavailable, "the database does not answer; nothing was changed")
                    .because(error)
            }
            StoreError::SerializationFailure | StoreError::ReferenceViolation => {
                Self::new(Reason::Conflict, "another change got in the way; retry the call").worth_again()
            }
            StoreError::UniqueViolation(index) => not_unique(index),
            StoreError::Corrupt { .. } | StoreError::Refused(_) => Self::internal(error),
        }
    }
}

fn not_unique(index: UniqueIndex) -> Error {
    match index {
        UniqueIndex::Destination => Error::new(
            Reason::TargetInUse,
            "another secret of this scope has the same variable, path or registry host; choose another target",
        ),
        UniqueIndex::SecretId => Error::new(Reason::AlreadyExists, "this scope has a secret of this name"),
        // A repeat that ran at the same time: the next attempt finds its record.
        UniqueIndex::RequestId => Error::new(Reason::Conflict, "the same request is running; retry it").worth_again(),
        other => Error::new(Reason::AlreadyExists, format!("this {other} already exists")),
    }
}

impl From<RandomError> for Error {
    fn from(error: RandomError) -> Self {
        Self::internal(error)
    }
}

impl From<SealError> for Error {
    fn from(error: SealError) -> Self {
        Self::internal(error)
    }
}
