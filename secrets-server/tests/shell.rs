//! The shell around the services, through the real program: configuration, TLS, logs, health checks and stopping.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]
#![allow(unreachable_pub, reason = "a test binary has no public items")]

#[path = "support"]
mod support {
    pub mod process;
    pub mod program;
}

mod shell {
    mod configuration;
    mod grpcurl;
    mod logs;
    mod starting;
    mod stopping;
    mod tls;
}
