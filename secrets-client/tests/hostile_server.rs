//! The `secrets` command against a service that is hostile, or was taken over: nothing of a malformed answer is started,
//! written or printed, the rule that it breaks is named, and nothing that the service sends reaches a terminal as it is.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

#[path = "support"]
mod support {
    #[expect(dead_code, reason = "other test binaries use the rest")]
    mod hostile_service;
    mod isolated_command;
    #[expect(dead_code, reason = "other test binaries use the rest")]
    mod program_output;
    mod running_command;
    #[expect(dead_code, reason = "other test binaries use the rest")]
    mod terminal;
    mod wait;

    pub(crate) use self::hostile_service::{HostileService, Reply};
    pub(crate) use self::isolated_command::isolated_command;
    pub(crate) use self::program_output::ProgramOutput;
    pub(crate) use self::running_command::RunningCommand;
    pub(crate) use self::terminal::TestTerminal;
    pub(crate) use self::wait::wait_with_timeout;
}

mod hostile_server {
    mod answers;
    mod asking;
    mod caller;
    mod directory;
    mod executable;
    mod exposure;
    mod fallback;
    mod left_out;
    mod limited;
    mod malformed;
    mod refused;
    mod reserved;
    mod shown;
    mod sign_in;
    mod silence;
    mod texts;
    mod watch;
}
