//! The `secrets` command against a real server, as a person or a script types it: the journeys of the README, exit codes,
//! and what must never be shown.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

#[path = "support"]
mod support {
    mod basic_registry;
    mod isolated_command;
    mod person;
    mod program_output;
    mod readers;
    mod running_command;
    mod server;
    mod server_process;
    mod server_program;
    mod terminal;
    mod wait;

    pub(crate) use self::basic_registry::BasicRegistry;
    pub(crate) use self::isolated_command::isolated_command;
    pub(crate) use self::person::Person;
    pub(crate) use self::program_output::ProgramOutput;
    pub(crate) use self::readers::{readers, readers_path};
    pub(crate) use self::running_command::RunningCommand;
    pub(crate) use self::server::TestServer;
    pub(crate) use self::server_process::ServerProcess;
    pub(crate) use self::server_program::server_program;
    pub(crate) use self::terminal::TestTerminal;
    pub(crate) use self::wait::wait_with_timeout;
}

mod cli {
    mod another_machine;
    mod audit_list;
    mod catalogue;
    mod check;
    mod completion;
    mod connection;
    mod context;
    mod control_plane;
    mod copy;
    mod delivery;
    mod diff;
    mod doctor;
    mod endpoint;
    mod exposure;
    mod fallback;
    mod formats;
    mod freshness;
    mod get;
    mod help;
    mod hook;
    mod import;
    mod init;
    mod invite_admin;
    mod json;
    mod keyring;
    mod manual;
    mod materialize;
    mod materialize_watch;
    mod obstacles;
    mod older;
    mod own_secrets;
    mod profile;
    mod prompt;
    mod proxy;
    mod recovery;
    mod redact;
    mod refused;
    mod registries;
    mod reserved;
    mod rm;
    mod run;
    mod run_watch;
    mod session;
    mod shared_secrets;
    mod sign_in;
    mod sign_in_end;
    mod terminal;
    mod usage;
    mod wait;
}
