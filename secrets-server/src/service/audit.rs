//! Reading the audit log.

mod lineage;
pub mod list_events;
pub mod list_exposure;
mod names;
mod received;
mod recipients;

pub use received::ExposureState;
