//! Reading the audit log.

pub mod list_events;
pub mod list_exposure;
mod names;
mod received;
mod recipients;

pub use received::ExposureState;
