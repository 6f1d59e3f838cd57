//! Who did what, durable before the reply.
//!
//! One event a call, allowed or denied. A mutation's event is written in its own transaction ([`crate::service::mutation`]);
//! every other event goes through the [`AuditWriter`], which commits what is waiting together while each caller waits for
//! its batch. What can't be written is not answered: no value leaves without its record. Audit may over-report (a reply
//! that was lost), never under-report.
//!
//! An event is built from an allow-list of fields; requests are never dumped into it.

mod detail;
mod event;
mod failed_logins;
mod refused_calls;
mod writer;

pub use detail::{Detail, Source};
pub use event::{DeliveredSet, Event, Outcome, Subject};
pub use failed_logins::FailedLogins;
pub use refused_calls::{Refused, RefusedCalls};
pub use writer::AuditWriter;
