//! The shell around the services, through the real program: configuration, TLS, logs, health checks and stopping.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

mod shell {
    mod configuration;
    mod grpcurl;
    mod logs;
    mod program;
    mod starting;
    mod stopping;
    mod tls;
}
