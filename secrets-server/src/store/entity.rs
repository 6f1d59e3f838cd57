//! The rows as SeaORM sees them, one entity a file. They do not leave the store: each noun's module turns them into
//! plain structs of core's types, or reports the row as corrupt.
//!
//! To add one: a file here, a `mod` line, a table in a new migration, and a module of scoped queries beside the others.
#![expect(unreachable_pub, reason = "the derives write `pub` for what they make")]

pub mod audit_event;
pub mod audit_set;
pub mod binding;
pub mod change;
pub mod credential;
pub mod data_key;
pub mod idempotency;
pub mod organization;
pub mod project;
pub mod revision;
pub mod root_key;
pub mod secret;
pub mod secret_version;
pub mod secret_visibility;
pub mod service_account;
pub mod system_key;
pub mod user;
pub mod workspace;
