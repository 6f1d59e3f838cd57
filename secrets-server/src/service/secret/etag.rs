//! The etag of a secret: changes with every change of it.

use crate::error::{Error, Reason};
use crate::store::secret::Secret;

/// The etag. The time is part of it, because a restored database counts some revisions twice.
pub fn etag(secret: &Secret) -> String {
    const BYTES: usize = 12;
    let mut context = aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256);
    context.update(secret.uid.as_bytes());
    context.update(&secret.revision.to_be_bytes());
    context.update(&secret.update_time.as_micros().to_be_bytes());
    context.finish().as_ref().iter().take(BYTES).map(|byte| format!("{byte:02x}")).collect()
}

/// Refuses a change that was made up before the last one.
pub(super) fn check(asked: Option<&str>, secret: &Secret) -> Result<(), Error> {
    match asked {
        Some(asked) if asked != etag(secret) => Err(stale()),
        _ => Ok(()),
    }
}

/// The etag is not the present one's.
pub(super) fn stale() -> Error {
    Error::field(Reason::EtagMismatch, "etag", "the secret was changed since; read it again, then retry with its etag")
}
