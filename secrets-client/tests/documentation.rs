//! What the documentation shows, done as it is shown: the demo, the recording, and the commands that the READMEs print.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

mod documentation {
    mod configuration;
    mod demo;
    mod packages;
    mod place;
    mod readme;
    mod recording;
    mod session;
    mod tutorial;
}
