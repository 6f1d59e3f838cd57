//! A line for a person who waits for the service: on standard error, as warnings are, so that it changes nothing of what a
//! program reads, JSON included.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use secrets_client::ClientBuilder;

use crate::ui::output::Output;

/// A person who has waited for so long is told for what.
pub(crate) const LONG_WAIT: Duration = Duration::from_secs(3);

/// Says once in a command that the service has not answered yet.
#[derive(Clone)]
pub(super) struct LongWait {
    output: Output,
    is_silent: Arc<AtomicBool>,
}

impl LongWait {
    pub(super) fn new(output: Output) -> Self {
        Self { output, is_silent: Arc::default() }
    }

    /// Lets the calls of a client be noticed that take long.
    pub(super) fn noticed_by(&self, builder: ClientBuilder) -> ClientBuilder {
        let this = self.clone();
        builder.on_long_wait(LONG_WAIT, move |endpoint| this.say(endpoint))
    }

    pub(super) fn say(&self, endpoint: &str) {
        if !self.is_silent.swap(true, Ordering::Relaxed) {
            self.output.note_in_between(&format!("still waiting for {endpoint} …"));
        }
    }

    pub(super) fn silence(&self) {
        self.is_silent.store(true, Ordering::Relaxed);
    }
}
