//! The root key, held by a provider: the service never sees it, and asks only to wrap and unwrap root seeds.

pub mod file;

use std::pin::Pin;

use crate::crypto::envelope::{OpenError, SealError};
use crate::crypto::secret_bytes::SecretBytes;

/// Wraps root seeds with a key that stays where it is: in a file, a KMS, an HSM.
///
/// The interface is what the Kubernetes KMS v2 plugin protocol offers: some bytes in, opaque bytes out, and back, with
/// a wait in between, and no context that would be authenticated. Whatever a provider needs to find its key again
/// belongs into the bytes it returns.
pub trait RootKeyProvider: Send + Sync {
    /// The name of the provider, as it is stored beside what it wrapped.
    fn name(&self) -> &'static str;
    /// Wraps a seed for storing.
    fn wrap<'a>(&'a self, seed: &'a SecretBytes) -> ProviderFuture<'a, Vec<u8>>;
    /// Unwraps what [`wrap`](Self::wrap) returned, today or years ago.
    fn unwrap<'a>(&'a self, wrapped: &'a [u8]) -> ProviderFuture<'a, SecretBytes>;
}

/// What a provider will have done. Boxed, so that a provider can be chosen at run time.
pub type ProviderFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, RootKeyError>> + Send + 'a>>;

/// Why a provider did not wrap or unwrap a seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RootKeyError {
    /// The root key is not the one that wrapped this seed.
    #[error("the root key is not the one that this database was set up with")]
    WrongKey,
    /// The wrapped seed is damaged.
    #[error("the wrapped root seed is damaged: {0}")]
    Corrupt(OpenError),
    /// Wrapping failed.
    #[error("the root seed could not be wrapped: {0}")]
    Wrap(#[from] SealError),
}

impl From<OpenError> for RootKeyError {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Commitment => Self::WrongKey,
            other => Self::Corrupt(other),
        }
    }
}
