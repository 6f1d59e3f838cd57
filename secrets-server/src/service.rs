//! The use cases: one file each, or one noun each, telling the whole story of a call below the wire.
//!
//! # Invariants
//!
//! - Protobuf types stop in `rpc/`, entities stop in `store/`.
//! - Every use case takes its [`Call`](crate::call::Call), says with `call.about(…)` what it is about, and authorizes before
//!   any look-up that could tell whether something exists: what is missing is located with the nil uid, authorized like any
//!   other, and only then reported (see [`locate`]).
//! - Only use cases begin and commit. A mutation runs in one [`change::Change`]: lock, locate, authorize, ask whether it is a
//!   repeat, do it, bump the revision, finish. Reads use `app.store().reader()`.
//!
//! To add one: a function `impl App { pub async fn … }` in a file of its noun; its handler in `rpc/`; its method in the proto.

pub mod access;
pub mod audit;
pub mod bootstrap;
pub mod directory;
pub mod locate;
pub mod mint;
pub mod mutation;
pub mod page;
pub mod resolve;
pub mod secret;
pub mod warning;
