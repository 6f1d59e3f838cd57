//! The real program under hardship: killed in the middle of its work, beside another one on the same database, without
//! its database, on a full disk. What was acknowledged holds, what was not is whole or absent, and nothing needs a restart.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]
#![allow(unreachable_pub, reason = "a test binary has no public items")]

#[path = "support"]
mod support {
    pub mod clients;
    pub mod database;
    pub mod process;
    pub mod program;
    pub mod setup;
    pub mod sign_in;
}

mod faults {
    mod backup;
    mod database_cut;
    mod database_gone;
    mod database_lost;
    mod deployment;
    mod disk_full;
    mod health;
    mod kill;
    mod lossy_link;
    mod races;
    mod refusals;
    mod replicas;
    mod server;
    mod work;
}
