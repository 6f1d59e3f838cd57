//! Which processor runs what.

use rustix::thread::{CpuSet, sched_setaffinity};

use crate::Result;

/// The processor of the servers and the calm caller.
pub(crate) const SERVER: usize = 0;
/// The processor of the attacker.
pub(crate) const ATTACKER: usize = 1;

/// Lets this thread, and whatever it starts from now on, run on one processor only.
pub(crate) fn pin(processor: usize) -> Result<()> {
    let mut processors = CpuSet::new();
    processors.set(processor);
    sched_setaffinity(None, &processors)
        .map_err(|error| format!("two processors are needed, and number {processor} is not there: {error}").into())
}
