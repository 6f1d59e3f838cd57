//! One scenario, in every language that has a client, against a real server with TLS; and the same clients on a rough road.
//! The scenario's form, and what a runner does, are described in `interop/README.md`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

mod interop {
    mod fit;
    mod language;
    mod languages;
    mod methods;
    mod proxy;
    mod python;
    mod readme;
    mod rough_road;
    mod running;
    mod rust;
    mod scenario;
    mod service;
    mod service_config;
    mod session;
    mod stubs;
    mod unavailable;
    mod words;
}
