//! The secrets service: credentials in, the right set of them out.

#![forbid(unsafe_code)]
#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)
)]

pub mod app;
pub mod audit;
pub mod auth;
pub mod call;
pub mod clock;
pub mod command;
pub mod config;
pub mod crypto;
pub mod data_dir;
pub mod failure;
pub mod harden;
pub mod keyring;
pub mod notes;
pub mod operator_token;
pub mod rpc;
pub mod server;
pub mod service;
pub mod shutdown;
pub mod store;
pub mod telemetry;
pub mod watchers;
