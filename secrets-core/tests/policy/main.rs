//! The policy's laws, each against something written independently of the code: a naive model, or a table in `data/`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

mod answers;
mod authorization;
mod callers;
mod disclosure;
mod fixture;
mod golden;
mod grid;
mod model;
mod resolution;
mod rules;
