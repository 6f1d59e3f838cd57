//! The store on real databases: each test runs on a SQLite file and on a PostgreSQL database of its own.
//!
//! `SECRETS_TEST_POSTGRES_URL` names a server (`postgres://user@host:port/postgres`) on which databases may be made and
//! dropped; `make test` starts one and sets it. Without it the PostgreSQL half fails, so that nobody mistakes half a run
//! for a whole one.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]
#![allow(unreachable_pub, reason = "a test binary has no public items")]

#[path = "store/database.rs"]
mod database;

#[path = "store/audit.rs"]
mod audit;
#[path = "store/binding.rs"]
mod binding;
#[path = "store/connect.rs"]
mod connect;
#[path = "store/credential.rs"]
mod credential;
#[path = "store/directory.rs"]
mod directory;
#[path = "store/failure.rs"]
mod failure;
#[path = "store/fixture.rs"]
mod fixture;
#[path = "store/group_commit.rs"]
mod group_commit;
#[path = "store/idempotency.rs"]
mod idempotency;
#[path = "store/key.rs"]
mod key;
#[path = "store/lifecycle.rs"]
mod lifecycle;
#[path = "store/locate.rs"]
mod locate;
#[path = "store/plan.rs"]
mod plan;
#[path = "store/revision.rs"]
mod revision;
#[path = "store/secret.rs"]
mod secret;
#[path = "store/transaction.rs"]
mod transaction;
