//! What the project tells its users, done as told: the demo, and the commands that the README prints.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

mod documentation {
    mod configuration;
    mod demo;
    mod packages;
    mod place;
    mod readme;
    mod recording;
    mod tutorial;
}
