//! What runs in the background, apart from calls.

pub mod purge;
