//! How much a scope takes: secrets, and bytes of an answer.

use secrets_core::limits::{Limit, LimitExceeded, Limits};

use crate::error::{Error, Reason};
use crate::service::locate::LocatedScope;
use crate::store::KeyedConnection;
use crate::store::secret::{self, AnswerSize};

/// What a change adds to a scope and takes away from it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct QuotaDelta {
    /// Secrets more.
    pub secrets: u64,
    /// Bytes of an answer that come to serve.
    pub bytes: u64,
    /// Bytes of an answer that no longer serve.
    pub freed: u64,
}

/// What secrets of a scope take of an answer.
pub(super) fn answer_size(located: &LocatedScope) -> AnswerSize {
    AnswerSize::in_scope(&located.name.to_string())
}

/// Refuses a change for which the scope has no room. What makes a scope smaller is never refused, though it be over a limit
/// that was lowered since. Ask while holding the organization's lock.
pub(super) async fn check(
    db: &impl KeyedConnection,
    located: &LocatedScope,
    limits: &Limits,
    delta: QuotaDelta,
) -> Result<(), Error> {
    if delta.secrets == 0 && delta.bytes <= delta.freed {
        return Ok(());
    }
    let usage = secret::usage(db, located.organization.uid, located.scope, answer_size(located)).await?;
    let what = || format!("`{}`", located.name);
    if delta.secrets > 0 {
        let secrets = usage.secrets.saturating_add(delta.secrets);
        limits.check(Limit::SecretsPerScope, secrets).map_err(|error| exceeded(&what(), error))?;
    }
    if delta.bytes > delta.freed {
        let bytes = usage.bytes.saturating_add(delta.bytes).saturating_sub(delta.freed);
        limits.check(Limit::BytesPerScope, bytes).map_err(|error| exceeded(&what(), error))?;
    }
    Ok(())
}

/// `what` exceeds a limit.
pub(super) fn exceeded(what: &str, error: LimitExceeded) -> Error {
    Error::new(Reason::LimitExceeded, format!("{what}: {error}"))
        .with("limit", error.limit.as_str())
        .with("most", error.most.to_string())
        .with("given", error.given.to_string())
}
