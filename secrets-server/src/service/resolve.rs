//! Resolve: the one handler through which values leave.

pub mod explain;
pub mod resolved_set;
pub mod snapshot;
pub mod watch;

use std::collections::BTreeSet;

use secrets_core::authorize::{Permit, right};
use secrets_core::{ContextName, Filter, Resolution, SecretId};

use super::locate::context::LocatedContext;
use super::resolve::resolved_set::{Delivered, ResolvedSet};
use crate::audit::{DeliveredSet, Event};
use crate::call::Call;
use crate::crypto::{OpenError, SecretBytes, ValueIdentity, data_key_version};
use crate::error::{Error, Reason, name_list};
use crate::keys::DataKey;
use crate::service::Service;
use crate::store::revision::Revision;
use crate::store::secret::SecretWithVersion;

/// What Resolve is asked.
pub struct Question {
    /// For whom; none: the session's own context.
    pub context: Option<ContextName>,
    /// Only these names and the required ones; empty: every name.
    pub secret_ids: BTreeSet<SecretId>,
    /// Names that must be there.
    pub required: BTreeSet<SecretId>,
    /// Only these kinds of target; empty: every kind.
    pub kinds: BTreeSet<secrets_core::TargetKind>,
    /// A revision that the caller has seen: nothing older is answered.
    pub at_least: Option<Revision>,
    /// The etag of an earlier answer; empty: none.
    pub if_none_match: String,
}

impl Service {
    /// The effective set of a context with its values: all of them, or an error.
    pub async fn resolve(&self, call: &Call, question: Question) -> Result<ResolvedSet, Error> {
        let asked = self.asked_context(call, question.context, false)?;
        // What the context consists of, its secrets and its keys are read from one state of the database.
        let db = self.store.snapshot().await?;
        let located = self.locate_context(&db, call, &asked).await?;
        let permit = call.authorize_with::<right::ReceiveValues>(&located.user_bindings, &located.resource)?;
        located.must_exist()?;
        let snapshot = self.read_snapshot(&db, &permit, question.at_least).await?;
        let resolution = secrets_core::resolve(&located.context, call.now, snapshot.candidates());

        // What narrows an answer narrows the result: filtered candidates would let a broader secret win.
        let restrictions = call.caller.session.as_ref().map(|session| session.restrictions.clone()).unwrap_or_default();
        let filter = Filter {
            secret_ids: question.secret_ids,
            required: question.required,
            kinds: question.kinds,
            restrictions,
        };
        nothing_is_missing(&resolution, &filter)?;
        let winners = resolution.delivered(&filter).filter_map(|winner| snapshot.secret(winner.secret));
        let chosen: Vec<&SecretWithVersion> = winners.collect();
        let answer = ResolvedSet::new(self, &located, &snapshot, &filter, &chosen, resolution.valid_until);
        if answer.etag == question.if_none_match {
            return Ok(answer);
        }

        let keys = self.keys.data_keys(&db, located.context.organization).await?;
        // The connection is given back before the audit writer needs one.
        drop(db);
        let values = open_all(&permit, &keys, &located, &chosen)?;
        let delivery = DeliveredSet::of(chosen.iter().map(|each| (each.secret.uid, each.version.version)).collect());
        // Durable before anything leaves.
        self.audit.record(Event::delivered(call, self.random.as_ref(), delivery)?).await?;
        call.set_audited();
        Ok(ResolvedSet { delivered: Some(values), ..answer })
    }
}

fn nothing_is_missing(resolution: &Resolution, filter: &Filter) -> Result<(), Error> {
    let missing = resolution.missing(filter);
    if missing.is_empty() {
        return Ok(());
    }
    Err(unavailable(Reason::SecretRequiredMissing, "required secrets are not in this context", &missing))
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
        match (name, open(keys, current)) {
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
                tracing::error!(secret = %secret.uid, version = version.version, %cause, "a stored secret does not open");
                unreadable.push(&secret.secret_id);
            }
        }
    }
    if unreadable.is_empty() {
        return Ok(delivered);
    }
    Err(unavailable(Reason::SecretUnreadable, "stored secrets do not open; tell the operator", &unreadable))
}

#[derive(Debug, thiserror::Error)]
enum Unreadable {
    #[error("data key {0} is missing")]
    Key(u32),
    #[error(transparent)]
    Record(#[from] OpenError),
}

fn open(keys: &[DataKey], current: &SecretWithVersion) -> Result<SecretBytes, Unreadable> {
    let SecretWithVersion { secret, version } = current;
    let key_version = data_key_version(&version.blob)?;
    let key = keys.iter().find(|key| key.version() == key_version).ok_or(Unreadable::Key(key_version))?;
    let identity = ValueIdentity {
        organization: secret.organization,
        scope: secret.scope,
        secret: secret.uid,
        secret_id: &secret.secret_id,
        version: version.version,
        target: &version.target,
    };
    Ok(key.open(&identity, &version.blob)?)
}

fn unavailable(reason: Reason, what: &str, names: &[&SecretId]) -> Error {
    let list = name_list(names.iter().map(|name| name.as_str()));
    Error::new(reason, format!("{what}: {list}")).with("secret_ids", list).with("count", names.len().to_string())
}
