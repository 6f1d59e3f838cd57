//! Who may do what: bindings, invitations and other codes, tokens, sessions, and what callers learn of themselves.

pub mod admin_invitation;
pub mod binding;
pub mod credential;
pub mod effects;
pub mod invitation;
pub mod issued_invitation;
pub mod permission;
pub mod recovery;
pub mod redemption;
pub(in crate::service) mod resolver;
pub mod session;
pub mod sign_in_code;
pub mod token;
pub mod whoami;
