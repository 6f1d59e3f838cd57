//! Masks a program's output on its way to ours.

pub(crate) mod forward;
pub(crate) mod masking;
pub(crate) mod terminal;
