//! What the operator sees of a running server.

pub mod log;
