//! Who calls: from a credential in the metadata to a [`Caller`](crate::call::Caller), checked anew at every call.

mod authenticate;
mod credentials;
pub mod restrictions;
pub mod token;
pub mod usage;

pub use authenticate::REDEEM_METHOD;
pub use credentials::{MissingCredential, RequestCredentials};
