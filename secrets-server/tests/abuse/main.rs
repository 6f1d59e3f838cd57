//! Attacks: whoever means harm meets the server over a loopback connection, and what they get hold of is counted: seats, bytes,
//! descriptors. No time is measured; what `make abuse` measures is beside this.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]
#![allow(unreachable_pub, reason = "a test binary has no public items")]

#[path = "../support"]
mod support {
    #[expect(dead_code, reason = "other test binaries make other calls")]
    pub mod calls;
    #[expect(dead_code, reason = "other test binaries call every service")]
    pub mod clients;
    #[expect(dead_code, reason = "other test binaries connect to it again")]
    pub mod database;
    pub mod on_both;
    #[expect(dead_code, reason = "other test binaries stop it")]
    pub mod process;
    #[expect(dead_code, reason = "other test binaries run it to its end")]
    pub mod program;
    #[expect(dead_code, reason = "other test binaries stop the server and set its clock")]
    pub mod server;
    #[expect(dead_code, reason = "other test binaries have projects")]
    pub mod setup;
    pub mod sign_in;
    mod sqlite;
}

mod attacker;
mod body;
mod calls;
mod code_attempts;
mod connections;
mod junk_tokens;
mod memory;
mod request_budget;
mod sessions;
mod slow_readers;
mod streams;
mod watches;
