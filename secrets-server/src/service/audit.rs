//! Reading the audit log.

pub mod list_events;
mod names;
