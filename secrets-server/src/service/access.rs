//! Who may do what: bindings, invitations and other codes, tokens, sessions, and what callers learn of themselves.

pub mod binding;
pub mod credential;
pub mod invitation;
pub mod permission;
pub mod recovery;
pub mod redemption;
pub(in crate::service) mod resolver;
pub mod session;
pub mod sign_in_code;
pub mod token;
pub mod whoami;
