//! Resolve: the one handler through which values leave.

pub mod evaluate;
pub mod explain;
pub mod resolved_set;
pub mod snapshot;
pub mod watch;

use secrets_core::authorize::{Permit, right};
use secrets_core::{Filter, Resolution, SecretId};

use self::evaluate::Asked;
use self::resolved_set::{Delivered, ResolvedSet};
use crate::audit::DeliveredSet;
use crate::error::{Error, Reason, name_list};
use crate::keys::DataKey;
use crate::service::Service;
use crate::service::locate::context::LocatedContext;
use crate::service::open_call::OpenCall;
use crate::service::secret::sealing;
use crate::store::secret::SecretWithVersion;

/// What Resolve is asked.
pub struct Question {
    pub asked: Asked,
    /// What narrows it, but for what narrows the session.
    pub filter: Filter,
    /// The etag of an earlier answer; empty: none.
    pub if_none_match: String,
}

impl Service {
    /// The effective set of a context with its values: all of them, or an error.
    pub async fn resolve(&self, call: &mut OpenCall, question: Question) -> Result<ResolvedSet, Error> {
        // Who asks, what the context consists of, its secrets and its keys are read from one state of the database.
        let db = self.read(call).await?;
        let evaluation = self.evaluate::<right::ReceiveValues>(&db, call, question.asked).await?;
        let filter = evaluation.narrowed(question.filter);
        nothing_is_missing(&evaluation.resolution, &filter)?;
        let chosen = evaluation.chosen(&filter);
        let answer = ResolvedSet::new(self, &evaluation, &filter, &chosen);
        if answer.etag == question.if_none_match {
            return Ok(answer);
        }

        let keys = self.keys.data_keys(&db, evaluation.located.context.organization).await?;
        // The connection is given back before the audit writer needs one.
        drop(db);
        let values = open_all(&evaluation.permit, &keys, &evaluation.located, &chosen)?;
        let delivered = chosen.iter().map(|each| (each.secret.uid, each.version.version)).collect();
        // Durable before anything leaves.
        call.record_delivery(self, DeliveredSet::new(delivered)).await?;
        Ok(ResolvedSet { delivered: Some(values), ..answer })
    }
}

fn nothing_is_missing(resolution: &Resolution, filter: &Filter) -> Result<(), Error> {
    let missing = resolution.missing(filter);
    if missing.is_empty() {
        return Ok(());
    }
    let what = match missing.as_slice() {
        [_] => "a required secret is not in this context",
        _ => "required secrets are not in this context",
    };
    Err(unavailable(Reason::SecretRequiredMissing, what, &missing))
}

/// Opens every value, or names those that do not open. Why not is for the log.
fn open_all(
    _: &Permit<right::ReceiveValues>,
    keys: &[DataKey],
    located: &LocatedContext,
    chosen: &[&SecretWithVersion],
) -> Result<Vec<Delivered>, Error> {
    let mut delivered = Vec::with_capacity(chosen.len());
    let mut unreadable = Vec::new();
    for current in chosen {
        let SecretWithVersion { secret, version } = current;
        let name = located.secret_name(secret.scope.kind, &secret.secret_id);
        match (name, sealing::open(keys, secret, version)) {
            (Some(name), Ok(value)) => delivered.push(Delivered {
                name,
                target: version.target.clone(),
                value,
                version: version.version,
                redaction: secret.redaction,
            }),
            (_, opened) => {
                let cause =
                    opened.err().map_or_else(|| "its scope is not the context's".to_owned(), |no| no.to_string());
                tracing::error!(secret = %secret.uid, version = version.version, %cause, "cannot open a stored secret");
                unreadable.push(&secret.secret_id);
            }
        }
    }
    if unreadable.is_empty() {
        return Ok(delivered);
    }
    let what = match unreadable.as_slice() {
        [_] => "the stored value of this secret cannot be opened; tell the operator",
        _ => "the stored values of these secrets cannot be opened; tell the operator",
    };
    Err(unavailable(Reason::SecretUnreadable, what, &unreadable))
}

fn unavailable(reason: Reason, what: &str, names: &[&SecretId]) -> Error {
    let list = name_list(names.iter().map(|name| name.as_str()));
    Error::new(reason, format!("{what}: {list}")).with("secret_ids", list).with("count", names.len().to_string())
}
