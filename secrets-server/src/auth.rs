//! Who calls: from a credential in the metadata to a [`Caller`](crate::call::Caller), checked anew at every call.

pub mod allow;
mod authenticate;
mod presented;
pub mod token;

pub use authenticate::REDEEM_METHOD;
pub use presented::{NoToken, Presented};
