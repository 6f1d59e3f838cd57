//! The real program under hardship: killed in the middle of its work, beside another one on the same database, without
//! its database, on a full disk. What was acknowledged holds, what was not is whole or absent, and nothing needs a restart.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]
#![allow(unreachable_pub, reason = "a test binary has no public items")]

#[path = "store/database.rs"]
#[allow(dead_code, unused_imports, unused_macros, reason = "other test binaries use the rest")]
mod database;

#[path = "wire/harness.rs"]
#[allow(dead_code, reason = "other test binaries use the rest")]
mod harness;

#[path = "shell/program.rs"]
#[allow(dead_code, reason = "other test binaries use the rest")]
mod program;

mod faults {
    mod database_cut;
    mod database_gone;
    mod database_lost;
    mod disk_full;
    mod installation;
    mod kill;
    mod node;
    mod path;
    mod races;
    mod refusals;
    mod replicas;
    mod work;
}
