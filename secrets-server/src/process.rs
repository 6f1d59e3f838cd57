//! The process: its data directory, the operator's token and the list of deletions in it, core dumps, descriptors,
//! threads of low priority, and when it ends.

pub mod background;
pub mod core_dumps;
pub mod data_dir;
pub mod deletions_file;
pub mod descriptors;
pub mod operator_token_file;
pub mod shutdown;
