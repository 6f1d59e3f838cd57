//! The secrets service: credentials in, the right set of them out.

#![forbid(unsafe_code)]
#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)
)]

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
pub mod rpc;
pub mod server;
pub mod service;
pub mod store;
pub mod telemetry;
