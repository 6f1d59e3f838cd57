//! The store on real databases: each test runs on a SQLite file and on a PostgreSQL database of its own.
//!
//! `SECRETS_TEST_POSTGRES_URL` names a server (`postgres://user@host:port/postgres`) on which databases may be made and
//! dropped; `make test` starts one and sets it. Without it the PostgreSQL half fails, so that nobody mistakes half a run
//! for a whole one.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]
#![allow(unreachable_pub, reason = "a test binary has no public items")]

#[path = "support"]
mod support {
    pub mod database;
    pub mod on_both;
    pub mod pgbouncer;
    mod sqlite;
}

mod store {
    mod audit;
    mod binding;
    mod connect;
    mod credential;
    mod directory;
    mod failure;
    mod fixture;
    mod group_commit;
    mod idempotency;
    mod key;
    mod lifecycle;
    mod locate;
    mod plan;
    mod pooler;
    mod revision;
    mod row_mac;
    mod secret;
    mod sessions_of;
    mod transaction;
}
