//! The secrets service: credentials in, the right set of them out.
//!
//! How a request walks, from the wire to the database and back:
//!
//! 1. [`server`] accepts the connection; its layers give the call a request id, a deadline, and a line in the log, let
//!    [`auth`] look its credential up, ask the [`admission`] whether it may begin, and only then read its body.
//! 2. [`rpc`] decodes the message into domain types. Protobuf types stop there.
//! 3. [`auth`] makes the [`call::Call`] of whom it looked up: who calls, and when.
//! 4. [`service`] runs the use case: locate, authorize, read or change. Only it begins and commits transactions. What it asks
//!    for permission is decided in `secrets_core`, which does no I/O.
//! 5. [`store`] has the queries, [`keys`] and [`crypto`] open and seal values, [`changes`] wakes who watches.
//! 6. [`audit`] makes the event of the call durable. Only then does the answer leave, encoded by [`rpc`].
//!
//! [`command`] is the command line and the only one to know the [`application`], which puts all of this together from the
//! [`config`]; [`jobs`] run beside the calls and remove what [`retention`] no longer keeps. Arrows point down this list: no module knows one that stands on it.
//!
//! Absent: no value is ever returned by anything but Resolve, and no use case runs without its audit event
//! ([`service::open_call`]).

#![forbid(unsafe_code)]
#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)
)]

pub mod admission;
pub mod application;
pub mod audit;
pub mod auth;
pub mod call;
pub mod changes;
pub mod clock;
pub mod command;
pub mod config;
pub mod crypto;
pub mod error;
pub mod jobs;
pub mod keys;
pub mod process;
mod queues;
pub mod retention;
pub mod rpc;
pub mod server;
pub mod service;
pub mod store;
pub mod telemetry;
