//! Warnings that wait for the sentence that says what was done: a person reads first that it worked.
//!
//! They are the process's, as standard error is: `Output` is copied to whatever prints.

use std::sync::{Mutex, PoisonError};

use super::Output;

/// What waits; none while warnings are printed at once.
static HELD: Mutex<Option<Vec<String>>> = Mutex::new(None);

/// Holds warnings back. Dropped, it prints them, each once.
#[must_use = "warnings are held back until this is dropped"]
pub(crate) struct HeldWarnings {
    output: Output,
}

impl Output {
    /// Holds warnings back until what is returned is dropped, at the end of a command.
    pub(crate) fn hold_warnings(self) -> HeldWarnings {
        HELD.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_default();
        HeldWarnings { output: self }
    }
}

impl Drop for HeldWarnings {
    fn drop(&mut self) {
        let held = HELD.lock().unwrap_or_else(PoisonError::into_inner).take();
        held.into_iter().flatten().for_each(|line| self.output.warn(&line));
    }
}

/// Takes a warning that is to wait; false where none does.
pub(super) fn take(line: &str) -> bool {
    let mut held = HELD.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(lines) = held.as_mut() else { return false };
    if !lines.iter().any(|other| other == line) {
        lines.push(line.to_owned());
    }
    true
}
