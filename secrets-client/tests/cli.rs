//! The `secrets` command against a real server, as a person or a script types it: the journeys of the README, exit codes,
//! and what must never be shown.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

mod cli {
    mod check;
    mod completion;
    mod connection;
    mod context;
    mod control_plane;
    mod delivery;
    mod doctor;
    mod fallback;
    mod formats;
    mod freshness;
    mod import;
    mod json;
    mod manual;
    mod materialize;
    mod materialize_watch;
    mod obstacles;
    mod older;
    mod own_secrets;
    mod proxy;
    mod redact;
    mod run;
    mod run_watch;
    mod running;
    mod shared_secrets;
    mod sign_in;
    mod terminal;
    mod usage;
    mod wait;
    mod world;
}
