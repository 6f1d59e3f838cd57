//! The protobuf interface of the secrets service, package `secretsapi.v1`, and the Rust types generated from it.
//!
//! Invariants:
//! - nothing here but what the `.proto` files say: no policy, no I/O;
//! - a message that carries a value, a token or a code has a `Debug` that prints nothing of it (see `redacted.rs`).
//!
//! To add a message or a method: write it in `secretsapi/v1/`, comment every field with its unit and limit, and, when it
//! carries something secret, mark the field `debug_redact` and name the message in `build.rs` and in `redacted.rs`.

mod redacted;

/// The generated types of package `secretsapi.v1`.
pub mod v1 {
    #![allow(missing_docs, clippy::all)]
    tonic::include_proto!("secretsapi.v1");
}

/// The encoded `FileDescriptorSet`, for server reflection.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/secrets_descriptor.bin"));

/// The `domain` of every `google.rpc.ErrorInfo` of the service.
pub const ERROR_DOMAIN: &str = "secretsapi.v1";
