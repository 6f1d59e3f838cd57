//! One scenario, in every language that has a client, against a real server with TLS; and the same clients through outages.
//! The scenario's form, and what a runner does, are described in `interop/README.md`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

mod interop {
    mod expectation;
    mod kept_values;
    mod language;
    mod languages;
    mod live_set;
    mod methods;
    mod outages;
    mod proxy;
    mod python;
    mod readme;
    mod running;
    mod rust;
    mod scenario;
    mod service_config;
    mod session;
    mod stubs;
    mod test_server;
    mod unavailable;
}
