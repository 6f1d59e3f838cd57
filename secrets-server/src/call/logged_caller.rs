//! Who made a call, for the log: known once the caller is, and written when the call ends.

use std::sync::{Arc, OnceLock};

use secrets_core::PrincipalName;

/// The caller of one request, in its extensions. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct LoggedCaller(Arc<OnceLock<String>>);

impl LoggedCaller {
    /// Takes the name of whoever was found to call.
    pub fn note(&self, caller: &PrincipalName) {
        self.0.get_or_init(|| caller.to_string());
    }

    /// The name; none while nobody knows it, as of a call with an unknown token.
    pub fn name(&self) -> Option<&str> {
        self.0.get().map(String::as_str)
    }
}
