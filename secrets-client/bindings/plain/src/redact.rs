use secrets_core::Redaction;
use secrets_core::redact::Redactor;
use serde::Serialize;

use crate::{InvalidArgument, word};

/// A secret that is not masked, or not wholly.
#[derive(Clone, Debug, Serialize)]
pub struct Unmasked {
    /// Its name.
    pub name: String,
    /// `OFF`, `TOO_SHORT` or `SHORT_LINES`.
    pub reason: &'static str,
}

/// `DEFAULT` or `OFF`.
pub fn redaction(text: Option<&str>) -> Result<Redaction, InvalidArgument> {
    word("redaction", text)
}

/// What `redactor` leaves unmasked.
pub fn unmasked(redactor: &Redactor) -> Vec<Unmasked> {
    let told = |secret: &secrets_core::redact::Unmasked| Unmasked {
        name: secret.name.clone(),
        reason: secret.reason.as_str(),
    };
    redactor.unmasked().iter().map(told).collect()
}
