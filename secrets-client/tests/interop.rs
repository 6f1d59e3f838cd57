//! One scenario, in every language that has a client, against a real server with TLS; and the same clients through outages.
//! The scenario's form, and what a runner does, are described in `interop/README.md`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

#[path = "support"]
mod support {
    #[expect(dead_code, reason = "other test binaries use the rest")]
    mod hostile_service;
    mod isolated_command;
    mod server_process;
    mod server_program;
    mod tls_server;
    mod unreliable_network;
    mod wait;

    pub(crate) use self::hostile_service::{HostileService, Reply};
    pub(crate) use self::isolated_command::isolated_command;
    pub(crate) use self::server_process::ServerProcess;
    pub(crate) use self::server_program::server_program;
    pub(crate) use self::tls_server::TlsServer;
    pub(crate) use self::unreliable_network::UnreliableNetwork;
    pub(crate) use self::wait::wait_with_timeout;
}

mod interop {
    mod answers;
    mod attacks;
    mod endpoints;
    mod events;
    mod expectation;
    mod kept_values;
    mod language;
    mod languages;
    mod live_set;
    mod malformed;
    mod malformed_events;
    mod methods;
    mod outages;
    mod python;
    mod rate_limit;
    mod readme;
    mod rust;
    mod scenario;
    mod scenario_run;
    mod service_config;
    mod session;
    mod silence;
    mod stubs;
    mod unavailable;
}
