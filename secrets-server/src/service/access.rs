//! Who may do what: bindings, invitations, tokens, sessions, and what a caller is told of themselves.

pub mod binding;
pub mod credential;
pub mod invitation;
pub mod permission;
pub mod session;
pub mod token;
pub mod whoami;
