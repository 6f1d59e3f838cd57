//! The service over the wire: a real server on a loopback port, generated clients, each test on a SQLite file and on a
//! PostgreSQL database of its own.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]
#![allow(unreachable_pub, reason = "a test binary has no public items")]

#[path = "store/database.rs"]
#[expect(dead_code, reason = "the store's tests use more of it")]
mod database;

#[path = "wire/access.rs"]
mod access;

#[path = "wire/acme.rs"]
mod acme;

#[path = "wire/audit.rs"]
mod audit;

#[path = "wire/audit_unavailable.rs"]
mod audit_unavailable;

#[path = "wire/directory.rs"]
mod directory;

#[path = "wire/explain.rs"]
mod explain;

#[path = "wire/handover.rs"]
mod handover;

#[path = "wire/harness.rs"]
mod harness;

#[path = "wire/people.rs"]
mod people;

#[path = "wire/resolve.rs"]
mod resolve;

#[path = "wire/secrets.rs"]
mod secrets;

#[path = "wire/seed.rs"]
mod seed;

#[path = "wire/session.rs"]
mod session;

#[path = "wire/shared_commit.rs"]
mod shared_commit;

#[path = "wire/sweep.rs"]
mod sweep;

#[path = "wire/watch.rs"]
mod watch;

#[path = "wire/world.rs"]
mod world;
