//! The protobuf interface of the secrets service, package `secretsapi.v1`, and the Rust types generated from it.
//!
//! Invariants:
//! - nothing here but what the `.proto` files say: no policy, no I/O;
//! - a message that carries a value, a token or a code has a `Debug` that prints nothing of it (see `redacted.rs`);
//! - what the descriptors say is generated from them (see `build.rs`), and not repeated by hand.
//!
//! To add a message or a method: write it in `secretsapi/v1/` and comment every field with its unit and limit. Mark a field
//! that carries something secret `debug_redact`, and give a method that only reads its `idempotency_level`, and a line in
//! `service_config.json`.

#![warn(missing_docs)]

mod method;
mod redacted;

pub use method::{Idempotency, IdempotentRequest, Method, MethodRequest};

/// The generated types of package `secretsapi.v1`.
pub mod v1 {
    #![allow(missing_docs, clippy::all)]
    tonic::include_proto!("secretsapi.v1");
}

/// The encoded `FileDescriptorSet`, for server reflection.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));

/// The `domain` of every `google.rpc.ErrorInfo` of the service.
pub const ERROR_DOMAIN: &str = "secretsapi.v1";
