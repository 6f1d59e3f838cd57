//! The service over the wire: a real server on a loopback port, generated clients, each test on a SQLite file and on a
//! PostgreSQL database of its own.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]
#![allow(unreachable_pub, reason = "a test binary has no public items")]

#[path = "support"]
mod support {
    pub mod acme;
    pub mod calls;
    pub mod clients;
    pub mod database;
    pub mod on_both;
    pub mod organization;
    pub mod raw_call;
    pub mod refusal;
    #[expect(dead_code, reason = "the attackers of another test binary connect by themselves")]
    pub mod server;
    pub mod setup;
    pub mod sign_in;
    mod sqlite;
}

mod wire {
    mod access;
    mod admin_invitation;
    mod audit;
    mod audit_unavailable;
    mod catalogue;
    mod codes;
    mod directory;
    mod erasure;
    mod explain;
    mod exposure;
    mod full_scopes;
    mod handover;
    mod hang_up;
    mod lost_rights;
    mod pasted_names;
    mod people;
    mod readiness;
    mod refusals;
    mod reserved;
    mod resolve;
    mod retention;
    mod revocation;
    mod secrets;
    mod session;
    mod shared_commit;
    mod sign_in;
    mod sweep;
    mod tampered;
    mod turns;
    mod watch;
}
