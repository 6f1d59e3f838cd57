//! Who may do what: bindings, invitations, tokens, sessions, and what callers learn of themselves.

pub mod binding;
pub mod credential;
pub mod invitation;
pub mod permission;
pub mod session;
pub mod token;
pub mod whoami;
