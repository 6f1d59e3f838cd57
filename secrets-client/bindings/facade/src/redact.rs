use secrets_core::redact::Redactor;
use serde::Serialize;

/// A secret that is not masked, or not wholly.
#[derive(Clone, Debug, Serialize)]
pub struct Unmasked {
    /// Its name.
    pub name: String,
    /// `OFF`, `TOO_SHORT` or `SHORT_LINES`.
    pub reason: &'static str,
}

/// What `redactor` leaves unmasked.
pub fn unmasked(redactor: &Redactor) -> Vec<Unmasked> {
    let to_unmasked = |secret: &secrets_core::redact::Unmasked| Unmasked {
        name: secret.name.clone(),
        reason: secret.reason.as_str(),
    };
    redactor.unmasked().iter().map(to_unmasked).collect()
}
