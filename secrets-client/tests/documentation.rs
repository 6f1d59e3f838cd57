//! What the documentation shows, done as it is shown: the demo, the recording, and the commands that the READMEs print.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

#[path = "support"]
mod support {
    mod free_port;
    mod server_program;
    mod test_dir;
    mod wait;

    pub(crate) use self::free_port::free_port;
    pub(crate) use self::server_program::server_program;
    pub(crate) use self::test_dir::{TestDir, Transcript, programs, project};
    pub(crate) use self::wait::wait_with_timeout;
}

mod documentation {
    mod configuration;
    mod demo;
    mod packages;
    mod readme;
    mod recording;
    mod session;
    mod tutorial;
}
