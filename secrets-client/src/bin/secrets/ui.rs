//! What a person or a program sees: output, questions, and errors with their exit codes.

pub(crate) mod error;
pub(crate) mod escape;
mod line_end;
pub(crate) mod output;
pub(crate) mod prompt;
pub(crate) mod signals;
