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

pub mod account;
pub mod answer;
pub mod audit_events;
pub mod binding;
pub mod bootstrap;
pub mod change;
pub mod context;
pub mod credential;
pub mod explain;
pub mod invitation;
pub mod level;
pub mod listing;
pub mod locate;
pub mod mint;
pub mod organization;
pub mod organization_limits;
pub mod page;
pub mod permission;
pub mod project;
pub mod resolve;
pub mod secret;
pub mod service_account;
pub mod session;
pub mod snapshot;
pub mod sweep;
pub mod token;
pub mod transfer;
pub mod user;
pub mod warning;
pub mod watch;
pub mod whoami;
pub mod workspace;
