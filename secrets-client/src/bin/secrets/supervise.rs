//! Runs a program: as a child on pipes, or on a pseudo-terminal of its own, with signals and job control passed on.
//!
//! [`Child`](child::Child) is the way in; it takes a [`Program`](program::Program).

pub(crate) mod child;
pub(crate) mod job_control;
pub(crate) mod monitor;
pub(crate) mod program;
mod pty;
mod pty_child;
mod script;
pub(crate) mod search_path;
pub(crate) mod signals;
mod streams;
mod too_large;
