//! Who calls: credentials on their way to a caller.

pub mod token;
