//! The process: its data directory, the operator's token in it, core dumps, and when it ends.

pub mod core_dumps;
pub mod data_dir;
pub mod operator_token_file;
pub mod shutdown;
